//! The macros that come with unimig: the packages `dbt` and `dbt_utils`, files of the binary that are read like those
//! of a project.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use rust_embed::RustEmbed;

use crate::diagnostic::SourceFile;

#[derive(RustEmbed)]
#[folder = "src/project/builtin"]
#[include = "*.sql"]
struct Files;

static MACROS: LazyLock<Vec<BuiltInMacros>> = LazyLock::new(read);

/// A macro file of the binary.
#[derive(Debug)]
pub struct BuiltInMacros {
    /// `dbt` or `dbt_utils`.
    pub package: &'static str,
    pub file: Arc<SourceFile>,
}

/// The packages that come with unimig.
pub const BUILT_IN_PACKAGES: &[&str] = &["dbt", "dbt_utils"];

/// Every macro file of the binary, in the order of packages and paths.
pub fn built_in_macros() -> &'static [BuiltInMacros] {
    &MACROS
}

fn read() -> Vec<BuiltInMacros> {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let file = |name: &std::borrow::Cow<'static, str>| {
        let package = BUILT_IN_PACKAGES.iter().find(|package| name.split('/').next() == Some(package))?;
        let text = String::from_utf8(Files::get(name)?.data.into_owned()).ok()?;
        Some(BuiltInMacros {
            package,
            file: Arc::new(SourceFile { path: PathBuf::from(name.as_ref()), text, written: None }),
        })
    };
    names.iter().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_packages_have_macros() {
        for package in BUILT_IN_PACKAGES {
            assert!(built_in_macros().iter().filter(|macros| macros.package == *package).count() > 4, "{package}");
        }
    }
}
