//! Templates as dbt writes them, rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Error, Value};

use super::{Engine, MacroFiles, Names, RelationValue, SourceCall};
use crate::diagnostic::SourceFile;
use crate::ident::{Ident, Relation};
use crate::project::fixture::{Fixture, shown};

/// Answers every name with itself.
#[derive(Debug)]
struct Plain;

impl Names for Plain {
    fn reference(&self, _package: Option<&str>, name: &str) -> Result<Value, Error> {
        Ok(RelationValue::value(&Relation::new(Ident::from_catalog("app"), Ident::from_catalog(name))))
    }

    fn source(&self, call: SourceCall<'_>) -> Result<Value, Error> {
        self.reference(None, call.table)
    }

    fn this(&self) -> Value {
        RelationValue::value(&Relation::new(Ident::from_catalog("app"), Ident::from_catalog("this")))
    }

    fn configure(&self, _settings: serde_json::Map<String, serde_json::Value>) {}

    fn configured(&self, _key: &str) -> Option<Value> {
        None
    }

    fn is_incremental(&self) -> bool {
        false
    }

    fn executes(&self) -> bool {
        false
    }
}

fn file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: path.into(), text: text.to_owned() })
}

/// The engine of project `shop` with macro files, each of a package.
fn engine(files: &[(&str, &str)], dispatch: &[(&str, &[&str])]) -> Engine {
    let resolved = Fixture::new().resolved();
    let dispatch = dispatch
        .iter()
        .map(|(name, order)| ((*name).to_owned(), order.iter().map(|package| (*package).to_owned()).collect()));
    let files = files
        .iter()
        .enumerate()
        .map(|(at, (package, text))| ((*package).to_owned(), file(&format!("macros/{package}_{at}.sql"), text)));
    let macros =
        MacroFiles { root: "shop".to_owned(), files: files.collect(), dispatch: dispatch.collect::<BTreeMap<_, _>>() };
    let (engine, mistakes) = Engine::with_macros(&macros, &resolved.project, &resolved.environment);
    assert!(mistakes.is_empty(), "{}", shown(&mistakes));
    engine
}

fn rendered(engine: &Engine, text: &str) -> String {
    let plan = engine.plan(&file("models/a.sql", text));
    match engine.render(&plan, Arc::new(Plain)) {
        (Some(rendered), _) => rendered.text,
        (None, mistakes) => shown(&mistakes),
    }
}

fn check(engine: &Engine, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&rendered(engine, text), expected, "{text}");
    }
}

#[test]
fn a_macro_gives_a_value_of_any_type() {
    let macros = "{% macro pair(a) %}text that is dropped {{ return([a, {'b': a + 1}]) }} more{% endmacro %}\
        {% macro outer(a) %}{% set p = pair(a) %}{% do p.append(none) %}{{ return(p) }}{% endmacro %}\
        {% macro down(n) %}{% if n > 0 %}{{ return(n + down(n - 1)) }}{% endif %}{{ return(0) }}{% endmacro %}\
        {% macro plain() %} as text {% endmacro %}\
        {% macro around() %}<{{ caller(7) }}>{% endmacro %}\
        {% macro all(first) %}{{ return([first, varargs, kwargs]) }}{% endmacro %}\
        {% macro nothing() %}{% do return() %}{% endmacro %}";
    let engine = engine(&[("shop", macros)], &[]);
    check(
        &engine,
        &[
            ("{{ pair(1)[1].b }}", "2"),
            ("{{ outer(1) }}", "[1, {'b': 2}, None]"),
            ("{{ down(4) }}", "10"),
            ("{{ shop.plain() | trim }}", "as text"),
            ("{% call(x) around() %}{{ x + pair(x)[0] }}{% endcall %}", "<14>"),
            ("{{ all(1, 2, 3, k='v') }}", "[1, [2, 3], {'k': 'v'}]"),
            ("{{ all(first=1, k='v') }}", "[1, [], {'k': 'v'}]"),
            ("{{ all('x') }}{{ nothing() is none }}", "['x', [], {}]True"),
            ("{% macro own(x) -%} {{ return(x * 2) }} {%- endmacro -%} \n{{ own(4) }}", "8"),
        ],
    );
}

#[test]
fn names_are_looked_for_in_the_package_the_project_and_the_tool() {
    let files = [
        ("shop", "{% macro who() %}shop{% endmacro %}{% macro postgres__kind() %}shop's{% endmacro %}"),
        ("dbt", "{% macro who() %}dbt{% endmacro %}{% macro type_string() %}text{% endmacro %}"),
        (
            "utils",
            "{% macro who() %}utils{% endmacro %}{% macro _hidden() %}{{ who() }}-{{ type_string() }}{% endmacro %}\
             {% macro kind() %}{{ return(adapter.dispatch('kind', 'utils')()) }}{% endmacro %}\
             {% macro default__kind() %}utils'{% endmacro %}\
             {% macro default__other() %}other{% endmacro %}",
        ),
        ("utils", "{% set factor = 3 %}{% macro times(x) %}{{ return(x * factor) }}{% endmacro %}"),
        ("shim", "{% macro default__kind() %}shim's{% endmacro %}"),
    ];
    let cases = [
        ("{{ who() }} {{ dbt.who() }} {{ utils.who() }} {{ shop.who() }}", "shop dbt utils shop"),
        ("{{ utils._hidden() }} {{ dbt.type_string() }} {{ type_string() }}", "utils-text text text"),
        ("{{ utils.kind() }} {{ adapter.dispatch('other', 'utils')() }}", "shop's other"),
        ("{{ utils.times(2) + 1 }}", "7"),
    ];
    check(&engine(&files, &[]), &cases);
    check(&engine(&files, &[("utils", &["shim", "utils"])]), &[("{{ utils.kind() }}", "shim's")]);
}

#[test]
fn lists_and_dicts_change_as_in_python() {
    let engine = engine(&[], &[]);
    check(
        &engine,
        &[
            (
                "{% set found = [] %}{% for x in [3, 1, 2] %}{% do found.append(x) %}{% endfor %}{{ found }} {{ found.pop(0) }} {{ found | sort }}",
                "[3, 1, 2] 3 [1, 2]",
            ),
            (
                "{% set a = [1] + [2] %}{% set _ = a.extend((3, 4)) %}{{ a[1:] }} {{ a[-1] }} {{ 9 in a }}",
                "[2, 3, 4] 4 False",
            ),
            (
                "{% set d = {'a': 1} %}{% set _ = d.update({'b': []}) %}{% do d['b'].append('x') %}{% do d.update(c=none) %}{{ d }} {{ d.b }}",
                "{'a': 1, 'b': ['x'], 'c': None} ['x']",
            ),
            ("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2"),
            ("{{ dict(a=1, b=2).keys() | join(',') }} {{ {'a': 1}.get('b', 7) }} {{ {'a': 1}.pop('a') }}", "a,b 7 1"),
            (
                "{% set ns = namespace(all=[]) %}{% for x in [1, 2] %}{% set ns.all = ns.all + [x] %}{% endfor %}{% do ns.all.append(3) %}{{ ns.all }}",
                "[1, 2, 3]",
            ),
            (
                "{{ 'a,b'.split(',') }} {{ '%s-%05d' % ('x', 7) }} {{ '{}:{}'.format(1, 2) }} {{ \"it's\" | list | length }}",
                "['a', 'b'] x-00007 1:2 4",
            ),
            ("{{ true }} {{ none }} {{ (1, 'a') }} {{ [\"it's\"] }} {{ 1.5 }}", "True None (1, 'a') [\"it's\"] 1.5"),
        ],
    );
}

#[test]
fn a_mistake_shows_the_way_of_calls() {
    let files = [
        ("shop", "{% macro outer(x) %}\n  {{ utils.inner(x) }}\n{% endmacro %}"),
        ("utils", "{% macro inner(x) %}{{ x }}{% do [1].append(nothing.at_all) %}{% endmacro %}"),
    ];
    let engine = engine(&files, &[]);
    insta::assert_snapshot!(rendered(&engine, "select 1,\n{{ outer('a') }}"), @r##"
    error[bad-jinja]: undefined value: `nothing.at_all` is undefined
     --> models/a.sql:2:4
      |
    2 | {{ outer('a') }}
      |    ^^^^^
      |
     ::: macros/shop_0.sql:2:11
      |
    2 |   {{ utils.inner(x) }}
      |           ------ called here
      |
     ::: macros/utils_1.sql:1:45
      |
    1 | {% macro inner(x) %}{{ x }}{% do [1].append(nothing.at_all) %}{% endmacro %}
      |                                             -------------- in this macro
    "##);
    let message = rendered(&engine, "{% do return(1) %}");
    assert!(message.contains("return() is called outside of a macro"), "{message}");
}
