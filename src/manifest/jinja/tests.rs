//! Templates as dbt writes them, rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Error, Value};

use super::{Engine, MacroFiles, Names, RelationValue, Session, SourceCall};
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

    fn crosswalk(&self, entity: &str, _member: Option<&str>) -> Result<Value, Error> {
        self.reference(None, entity)
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

    fn session(&self) -> Session {
        Session::Reading
    }
}

fn file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: path.into(), text: text.to_owned(), written: None })
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
    let render = engine.render(&plan, Arc::new(Plain));
    render.rendered.map_or_else(|| shown(&render.diagnostics), |rendered| rendered.text)
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
        ("utils", "{% macro inner(x) %}{{ x }}{{ nothing.at_all }}{% endmacro %}"),
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
     ::: macros/utils_1.sql:1:31
      |
    1 | {% macro inner(x) %}{{ x }}{{ nothing.at_all }}{% endmacro %}
      |                               -------------- in this macro
    "##);
    assert_eq!(rendered(&engine, "{{ 'a' if x is defined }}{{ 'b' ~ ('c' if false) }}"), "b");
    let message = rendered(&engine, "{% do return(1) %}");
    assert!(message.contains("return() is called outside of a macro"), "{message}");
}

#[test]
fn modules_and_conversions_are_pythons() {
    let engine = engine(&[], &[]);
    check(
        &engine,
        &[
            (
                "{{ fromjson('{\"a\": [1]}').a[0] }} {{ tojson({'b': [1, none, true], 'a': 'x'}, sort_keys=true) }}",
                "1 {\"a\": \"x\", \"b\": [1, null, true]}",
            ),
            (
                "{{ fromyaml('a: [1, 2]').a | sum }} {{ set([1, 2, 1]) }} {{ zip([1, 2], ['a', 'b']) }}",
                "3 [1, 2] [(1, 'a'), (2, 'b')]",
            ),
            ("{{ local_md5('hello') }}", "5d41402abc4b2a76b9719d911017c592"),
            (
                "{{ run_started_at.strftime('%Y-%m-%d %H:%M') }} {{ run_started_at.date() }}",
                "1970-01-01 00:00 1970-01-01",
            ),
            (
                "{{ (run_started_at - modules.datetime.timedelta(days=1, hours=2)).isoformat() }}",
                "1969-12-30T22:00:00+00:00",
            ),
            (
                "{{ modules.datetime.datetime.strptime('2024-02-29', '%Y-%m-%d') + modules.datetime.timedelta(1) }}",
                "2024-03-01 00:00:00",
            ),
            (
                "{% set day = modules.datetime.datetime(2024, 3, 1) %}{{ (day - modules.datetime.datetime(2024, 2, 1)).days }}",
                "29",
            ),
            ("{% set n = 7 %}{% set m = n - (n) %}{{ m }} {{ should_store_failures() }}", "0 False"),
            (
                "{{ modules.datetime.date(2024, 1, 31).replace(day=1) }} {{ modules.pytz.timezone('Asia/Riyadh') }}",
                "2024-01-01 Asia/Riyadh",
            ),
            (
                "{% set m = modules.re.match('(?P<a>[a-z]+)_(\\d+)', 'abc_12x') %}{{ m.group('a') }} {{ m.groups()[1] }} {{ modules.re.match('b', 'ab') is none }}",
                "abc 12 True",
            ),
            (
                "{{ modules.re.sub('(\\w)-(\\w)', '\\\\2\\\\1', 'a-b c-d') }} {{ modules.re.findall('[0-9]+', 'a1b22') }} {{ modules.re.search('B', 'abc', modules.re.IGNORECASE).start() }}",
                "ba dc ['1', '22'] 1",
            ),
            (
                "{{ modules.itertools.chain([1], [2, 3]) | list }} {{ modules.itertools.product('ab', [1]) }} {{ modules.itertools.combinations([1, 2, 3], 2) | length }}",
                "[1, 2, 3] [('a', 1), ('b', 1)] 3",
            ),
        ],
    );
}

#[test]
fn the_context_is_dbts() {
    let boom = "{% macro boom() %}{% do exceptions.raise_compiler_error('no such city') %}{% endmacro %}";
    let engine = engine(&[("shop", boom)], &[]);
    check(
        &engine,
        &[
            (
                "{{ execute }} {{ flags.FULL_REFRESH }} {{ builtins.ref('a') }} {{ project_name }} {{ target.schema }} {{ database }}",
                "False False app.a shop app shop",
            ),
            (
                "{{ var('country') }} {{ var.has_var('no') }} {{ var('no', default=[1])[0] }} {{ context.get('nothing') }}",
                "SA False 1 None",
            ),
            (
                "{% set r = api.Relation.create(database='d', schema='S', identifier='t', type='view') %}{{ r }} {{ r.include(schema=false) }} {{ r.is_view }} {{ r.database }} {{ adapter.quote('x') }}",
                "\"S\".t t True d \"x\"",
            ),
            (
                "{% set rows = run_query('select 1') %}{% if rows %}asked{% endif %}{{ rows.columns[0].values() }}{{ rows.rows | length }}{{ adapter.get_columns_in_relation(this) }}{{ adapter.get_relation('d', 's', 'i') is none }}",
                "()0[]True",
            ),
            (
                "{% if nowhere.at.all %}x{% endif %}{% for x in nowhere %}x{% endfor %}{{ 'ab'.zfill(4) }} {{ 'a.b.c'.rsplit('.', 1) }}",
                "00ab ['a.b', 'c']",
            ),
            ("{{ log('said') }}{{ print('more') }}{% do exceptions.warn('careful') %}", ""),
        ],
    );
    let message = rendered(&engine, "select {{ boom() }}");
    assert!(message.starts_with("error[bad-jinja]: no such city\n"), "{message}");
}
