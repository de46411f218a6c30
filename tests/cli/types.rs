//! A value of every type goes through the layer into staging, and on into an application's table, bit-equal.

use crate::harness::Test;

/// A type, what its values become in staging where that is another type, and values.
type Column = (&'static str, &'static str, &'static [&'static str]);

const NUMBERS: &[Column] = &[
    ("smallint", "", &["-32768", "32767"]),
    ("integer", "", &["-2147483648", "2147483647"]),
    ("bigint", "", &["-9223372036854775808", "9223372036854775807"]),
    ("numeric", "", &["NaN", "Infinity", "-Infinity", "0.00", "-0.000000000000000000000000000001", "1e400", "1.10"]),
    ("numeric(10,2)", "", &["99999999.99", "-0.10"]),
    ("numeric(3,-2)", "", &["99900"]),
    ("real", "", &["NaN", "Infinity", "-Infinity", "-0", "3.4028235e38", "1e-45", "0.1"]),
    ("double precision", "", &["NaN", "Infinity", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"]),
    ("money", "", &["-92233720368547758.08", "12.34"]),
    ("oid", "", &["4294967295"]),
    ("xid8", "", &["18446744073709551615"]),
    ("pg_lsn", "", &["FFFFFFFF/FFFFFFFF", "0/0"]),
    ("boolean", "", &["true", "false"]),
    ("bit(3)", "", &["101"]),
    ("bit varying(8)", "", &["", "10110"]),
    ("uuid", "", &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
];

const TEXTS: &[Column] = &[
    (
        "text",
        "",
        &["", " ", "\\.", "\\N", "NULL", "\"", "\"\"", "a,b", "a\nb", "a\r\nb", "a\rb", "a\tb", "\\", "a\\nb"],
    ),
    ("varchar", "", &["", "\n\\.\n", "𝒳🇸🇦👩‍👩‍👧", "اسم عربي", "\u{202e}rtl", "\u{feff}bom", "e\u{301}", "\u{1}\u{7f}"]),
    ("character varying(5)", "", &["ééééé", "     "]),
    ("character(3)", "", &["a", "", "é  "]),
    ("\"char\"", "", &["x", ""]),
    ("name", "", &["a name"]),
    ("bytea", "", &["", "\\x00ff5c22270a2c", "\\xdeadbeef"]),
    ("json", "", &["{\"b\" : 1,  \"a\":[1.0,1.00], \"a\": null}", "\" \\u0041\\n\"", "null"]),
    ("jsonb", "", &["{\"b\": 1.00, \"a\": \"\\\\ \\\" 🙂\"}", "null", "\"\""]),
    ("jsonpath", "", &["$.a[*] ? (@ > 1.0)"]),
    ("xml", "", &["<a b=\"1\">é &amp; <!-- c --><![CDATA[<]]></a>", "text only", ""]),
    ("tsvector", "", &["'a':1A,2 'b''c':3B", ""]),
    ("tsquery", "", &["'a' & !( 'b c' | 'd':*AB )", "'a' <2> 'b'"]),
];

const TIMES: &[Column] = &[
    (
        "timestamp without time zone",
        "",
        &["infinity", "-infinity", "4713-01-01 00:00:00 BC", "294276-12-31 23:59:59.999999"],
    ),
    (
        "timestamp with time zone",
        "",
        &["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "2026-10-25 02:30:00.123456+02"],
    ),
    ("timestamp(3) with time zone", "", &["2026-01-01 00:00:00.123+00"]),
    ("date", "", &["infinity", "-infinity", "4714-11-24 BC", "5874897-12-31"]),
    ("time without time zone", "", &["00:00:00", "24:00:00", "12:34:56.789012"]),
    ("time with time zone", "", &["00:00:00+15:59:59", "24:00:00-15:59", "12:34:56.789012+05:30"]),
    ("interval", "", &["-178000000 years", "1 mon -1 days +00:00:00.000001", "-1 mons +2 days -03:04:05.6", "0"]),
    ("interval day to second(3)", "", &["1 day 02:03:04.567"]),
];

const SHAPES: &[Column] = &[
    ("inet", "", &["192.168.0.1/24", "::ffff:1.2.3.4", "2001:db8::1/64"]),
    ("cidr", "", &["10.0.0.0/8", "2001:db8::/32"]),
    ("macaddr", "", &["08:00:2b:01:02:03"]),
    ("macaddr8", "", &["08:00:2b:01:02:03:04:05"]),
    ("point", "", &["(0.1,-0)", "(NaN,Infinity)"]),
    ("line", "", &["{1,-1,0.30000000000000004}"]),
    ("lseg", "", &["[(0,0),(1e-300,2)]"]),
    ("box", "", &["(1,1),(0,0)"]),
    ("path", "", &["[(0,0),(1,1)]", "((0,0),(1,1))"]),
    ("polygon", "", &["((0,0),(1,0),(1,1))"]),
    ("circle", "", &["<(0,0),0.1>"]),
    ("int4range", "", &["empty", "[1,5)", "(,)", "[,3)"]),
    ("int8range", "", &["[1,9223372036854775807)"]),
    ("numrange", "", &["(1.0,1.00]", "[NaN,NaN]"]),
    ("tsrange", "", &["[\"2026-01-01 00:00:00\",infinity]", "(,)"]),
    ("tstzrange", "", &["[\"2026-01-01 00:00:00+00\",)"]),
    ("daterange", "", &["[2026-01-01,2026-02-01)", "empty"]),
    ("int4multirange", "", &["{}", "{[1,2),[5,7)}"]),
    ("nummultirange", "", &["{[1.0,1.50)}"]),
    ("tstzmultirange", "", &["{[\"2026-01-01 00:00:00+00\",\"2026-01-02 00:00:00+00\")}"]),
];

const NESTED: &[Column] = &[
    ("integer[]", "", &["{}", "{1,NULL,3}", "[0:1]={1,2}", "{{1,2},{3,4}}", "[-1:0][2:3]={{1,2},{3,4}}"]),
    ("text[]", "", &["{\"\",NULL,\"NULL\",\"a\\\"b\",\"a\\\\b\",\"a,b\",\"{x}\"}", "{\" \",\"new\nline\"}"]),
    ("bytea[]", "", &["{\"\\\\x00ff\",NULL}"]),
    ("numeric[]", "", &["{1.0,1.00,NaN,Infinity}"]),
    ("timestamp with time zone[]", "", &["{infinity,\"2026-01-01 00:00:00.000001+00\"}"]),
    ("json[]", "", &["{\"{\\\"a\\\" :  1}\"}"]),
    ("point[]", "", &["{\"(1,2)\",NULL}"]),
    ("box[]", "", &["{(1,1),(0,0);(2,2),(1,1)}"]),
    ("daterange[]", "", &["{\"[2026-01-01,2026-02-01)\",empty}"]),
    ("mood", "text", &["ok", "very \"happy\"", ""]),
    ("mood[]", "text[]", &["{ok,NULL,\"very \\\"happy\\\"\"}", "{}"]),
    ("email", "character varying(60)", &["a@b", ""]),
    ("strict_email", "character varying(60)", &["a@b"]),
    ("scores", "integer[]", &["{1,NULL}"]),
    ("address", "text", &["(\"a street, 1\",\"\",1.50)", "(,,)"]),
    ("address[]", "text[]", &["{\"(\\\"a, b\\\",c,1.0)\",NULL}"]),
    ("mood_range", "text", &["[ok,ok]", "empty"]),
    ("regclass", "text", &["pg_class"]),
];

const OWN_TYPES: &str = "
create type mood as enum ('ok', 'very \"happy\"', '');
create domain email as varchar(60);
create domain strict_email as email check (value like '%@%');
create domain scores as integer[];
create type address as (street text, town text, share numeric);
create type mood_range as range (subtype = mood);
";

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A table with one column a type, and a row for each place in the lists of values; the last row is NULL but for its key.
fn table_of(columns: &[Column]) -> String {
    let declared: Vec<String> =
        columns.iter().enumerate().map(|(at, (data_type, _, _))| format!(", c{at} {data_type}")).collect();
    let rows = columns.iter().map(|(_, _, values)| values.len()).max().unwrap_or(0);
    let mut script = format!("create table values_of (id integer primary key{});\n", declared.concat());
    for row in 0..=rows {
        let values: Vec<String> = columns
            .iter()
            .map(|(data_type, _, values)| match values.get(row) {
                Some(value) => format!(", {}::{data_type}", quoted(value)),
                None => ", null".to_owned(),
            })
            .collect();
        script.push_str(&format!("insert into values_of values ({row}{});\n", values.concat()));
    }
    script
}

/// The rows as the server sends them in binary, and the names of their types.
fn images(columns: &[Column], relation: &str, casts: Casts) -> String {
    let list: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (_, staged, _))| match (casts, *staged) {
            (Casts::AsStaged, staged) if !staged.is_empty() => format!("c{at}::{staged}"),
            (Casts::AsStaged | Casts::AsTheyAre, _) => format!("c{at}"),
        })
        .collect();
    let types: Vec<String> = list.iter().map(|column| format!("pg_typeof({column})")).collect();
    let (list, types) = (list.join(", "), types.join(", "));
    format!("select id, encode(record_send(row({list})), 'hex'), row({types})::text from {relation} order by id")
}

#[derive(Clone, Copy)]
enum Casts {
    AsStaged,
    AsTheyAre,
}

#[track_caller]
fn goes_through_bit_equal(columns: &[Column]) {
    let test = Test::new()
        .source_sql("src", OWN_TYPES)
        .source_sql("src", &table_of(columns))
        .file(
            "sources/src.yml",
            "version: 2\nsources:\n  - name: src\n    connection: src\n    tables:\n      - {name: values_of, key: [id]}\n",
        )
        .file("models/bl/copy.sql", "select * from {{ source('src', 'values_of') }}\n");
    let typed: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, (data_type, staged, _))| format!(", c{at} {}", if staged.is_empty() { data_type } else { staged }))
        .collect();
    test.on_target(&format!("create table app.copy (id integer primary key{})", typed.concat()));

    test.succeeds(&["run"]);

    let source = test.query_source("src", &images(columns, "values_of", Casts::AsStaged));
    assert_eq!(test.query_target(&images(columns, "stg_src.values_of", Casts::AsTheyAre)), source);
    assert_eq!(test.query_target(&images(columns, "app.copy", Casts::AsTheyAre)), source);
    let before = test.physical_state();
    test.succeeds(&["run"]);
    test.wrote_nothing();
    assert_eq!(test.physical_state(), before);
}

#[test]
fn numbers_go_through_bit_equal() {
    goes_through_bit_equal(NUMBERS);
}

#[test]
fn texts_go_through_bit_equal() {
    goes_through_bit_equal(TEXTS);
}

#[test]
fn times_go_through_bit_equal() {
    goes_through_bit_equal(TIMES);
}

#[test]
fn addresses_shapes_and_ranges_go_through_bit_equal() {
    goes_through_bit_equal(SHAPES);
}

#[test]
fn arrays_and_own_types_go_through_bit_equal() {
    goes_through_bit_equal(NESTED);
}

#[test]
fn a_row_that_looks_like_the_end_of_the_data_goes_through() {
    let test = Test::new()
        .source_sql(
            "src",
            r#"create table only_text (v text primary key);
               insert into only_text values ('\.'), (''), ('\N'), ('NULL'), (E'\n\\.\n'), (E'\\.\n'), ('v'), ('""')"#,
        )
        .file(
            "sources/src.yml",
            "version: 2\nsources:\n  - name: src\n    connection: src\n    tables:\n      - {name: only_text, key: [v]}\n",
        );

    test.succeeds(&["run"]);

    let digest = "select md5(string_agg(v, '|' order by v collate \"C\")), count(*) from";
    assert_eq!(
        test.query_target(&format!("{digest} stg_src.only_text")),
        test.query_source("src", &format!("{digest} only_text"))
    );
    test.succeeds(&["run"]);
    assert_eq!(test.result("stg.src.only_text").wrote(), (0, 0, 0));
}

#[test]
fn hostile_names_go_through() {
    let long = "ñ".repeat(31) + "x";
    let columns = format!(
        "\"a\"\"b\", \"select\", \"with space\", \"UPPER\", \"{long}\", \"new\nline\", \"tick'`\", \"{{{{ x }}}}\", \"-- c\""
    );
    let declared = columns.replace(", ", " text, ");
    let test = Test::new()
        .source_sql("src", "create schema \"Sch\"\"ema\"")
        .source_sql("src", &format!("create table \"Sch\"\"ema\".\"Order\" (\"Id\" integer, {declared} text, primary key (\"Id\", \"a\"\"b\"))"))
        .source_sql("src", "insert into \"Sch\"\"ema\".\"Order\" select n, n::text, 'b', null, '', 'd', 'e', 'f', 'g', 'h' from generate_series(1, 3) as n")
        .file(
            "sources/src.yml",
            "version: 2\nsources:\n  - name: src\n    connection: src\n    schema: 'Sch\"ema'\n    stg_schema: 'STG \"x\"'\n    tables:\n      - {name: Order, key: [Id, 'a\"b']}\n",
        );

    test.succeeds(&["run"]);
    let rows = format!("select \"Id\", {columns} from");
    let staged = "\"STG \"\"x\"\"\".\"Order\"";
    assert_eq!(
        test.query_target(&format!("{rows} {staged} order by 1")),
        test.query_source("src", &format!("{rows} \"Sch\"\"ema\".\"Order\" order by 1"))
    );
    test.on_source("src", "update \"Sch\"\"ema\".\"Order\" set \"new\nline\" = 'changed' where \"Id\" = 2; delete from \"Sch\"\"ema\".\"Order\" where \"Id\" = 3");

    test.succeeds(&["run"]);

    assert_eq!(test.result("stg.src.Order").wrote(), (0, 1, 1));
}
