//! `ref('a')` and `source('a', 'b')` as texts of YAML files, looked up.

use super::Manifest;
use super::jinja::scan;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::NodeName;
use crate::project::Written;

impl Manifest {
    /// The node that a text names, with or without braces.
    pub(super) fn named_in_yaml(&self, written: &Written<String>) -> Result<NodeName, Diagnostic> {
        let text = &written.value;
        let code = if text.contains("{{") { text.clone() } else { format!("{{{{ {text} }}}}") };
        let found = scan(&code);
        let call = found.calls.first();
        let function = call.map(|call| &code[call.function.clone()]);
        let literals: Vec<&str> =
            call.map(|call| call.literals.iter().map(|at| &code[at.clone()]).collect()).unwrap_or_default();
        match (function, literals.as_slice()) {
            (Some("ref"), [name]) => {
                self.find_ref(None, name).map_err(|mistake| mistake.at(within(&written.span, name)))
            }
            (Some("ref"), [package, name]) => {
                self.find_ref(Some(package), name).map_err(|mistake| mistake.at(within(&written.span, name)))
            }
            (Some("source"), [source, table]) => match self.find_source(source, table) {
                Ok(found) => Ok(found.name().clone()),
                Err(no) => Err(no.diagnostic.at(within(&written.span, &no.written))),
            },
            _ => Err(Diagnostic::error(Code::BadValue, format!("\"{text}\" is neither a ref nor a source"))
                .at(written.span.clone())
                .hint("write it as in \"ref('orders')\" or \"source('shop', 'orders')\"")),
        }
    }
}

/// The place of a name inside a YAML string.
fn within(span: &Span, name: &str) -> Span {
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    match quoted.iter().find_map(|quoted| span.text().find(quoted.as_str())) {
        Some(offset) => {
            let start = span.range.start + offset + 1;
            Span::new(&span.file, start..start + name.len())
        }
        None => span.clone(),
    }
}
