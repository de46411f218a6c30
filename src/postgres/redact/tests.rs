//! Errors of a real server, each provoked with a value that must not be seen: every secret here holds `s3cret` or `77`.

use crate::postgres::PostgresError;
use crate::postgres::fixture::TestDatabase;
use crate::postgres::redact::pattern::fit;

const SCHEMA: &str = r#"
create type mood as enum ('sad');
create domain short as text check (length(value) < 3);
create table parent (id int primary key, email text unique, n numeric(4, 2), m mood);
create table child (id int, parent_id int references parent, age int check (age > 0), name varchar(3) not null, s short);
create table booked (r int4range, exclude using gist (r with &&));
create table parted (k text) partition by list (k);
create unique index on parent (lower(email));
insert into parent values (7777, 's3cret@x', 1, 'sad');
insert into child values (1, 7777, 1, 'abc');
create function shout() returns trigger language plpgsql as $$
begin raise exception 'no % here', new.email using errcode = 'check_violation', detail = new.email, hint = new.email; end $$;
create table loud (email text);
create trigger shout before insert on loud for each row execute function shout();
create function dynamic(t text) returns void language plpgsql as $$ begin execute 'select ' || t; end $$;
create function casts(t text) returns int language plpgsql as $$ begin return t::int; end $$;
"#;

/// A statement, and what is left of the server's error.
#[rustfmt::skip]
const CASES: &[(&str, &str)] = &[
    ("insert into parent values (7777, 'other')",
     "duplicate key value violates unique constraint \"parent_pkey\"\ndetail: Key (id)=(…) already exists."),
    ("insert into parent values (1, 's3cret@x')",
     "duplicate key value violates unique constraint \"parent_email_key\"\ndetail: Key (email)=(…) already exists."),
    ("insert into parent values (1, 'S3CRET@x')",
     "duplicate key value violates unique constraint \"parent_lower_idx\"\ndetail: Key (lower(email))=(…) already exists."),
    ("insert into child values (2, 777, 1, 'abc')",
     "insert or update on table \"child\" violates foreign key constraint \"child_parent_id_fkey\"\ndetail: Key (parent_id)=(…) is not present in table \"parent\"."),
    ("delete from parent",
     "update or delete on table \"parent\" violates foreign key constraint \"child_parent_id_fkey\" on table \"child\"\ndetail: Key (id)=(…) is still referenced from table \"child\"."),
    ("insert into child values (2, null, -77, 'abc')",
     "new row for relation \"child\" violates check constraint \"child_age_check\"\ndetail: Failing row contains (…)."),
    ("insert into child values (77, null, 1, null)",
     "null value in column \"name\" of relation \"child\" violates not-null constraint\ndetail: Failing row contains (…)."),
    ("insert into child values (2, null, 1, 's3cret')", "value too long for type character varying(3)"),
    ("select 's3cret'::short", "value for domain short violates check constraint \"short_check\""),
    ("select 's3cret'::int", "invalid input syntax for type integer: \"…\""),
    ("select 's3cret\" is out of range for type s3cret'::int", "invalid input syntax for type integer: \"…\""),
    ("select '77777777777777'::int", "value \"…\" is out of range for type integer"),
    ("select 's3cret'::mood", "invalid input value for enum mood: \"…\""),
    ("select 's3cret'::timestamptz", "invalid input syntax for type timestamp with time zone: \"…\""),
    ("select '7777-77-77'::date", "date/time field value out of range: \"…\""),
    ("select 's3cret'::uuid", "invalid input syntax for type uuid: \"…\""),
    ("select '{s3cret'::int[]", "malformed array literal: \"…\""),
    ("select '{\"a\": s3cret}'::jsonb", "invalid input syntax for type json\ndetail: Token \"…\" is invalid."),
    ("insert into parent values (1, 'a', 777)",
     "numeric field overflow\ndetail: A field with precision 4, scale 2 must round to an absolute value less than 10^2."),
    ("select to_date('s3cret', 'YYYY')", "data exception (22007), its text is hidden"),
    ("select to_tsquery('s3cret &')", "syntax error in a value or a function (42601), its text is hidden"),
    ("select 1 frm parent p", "syntax error at or near \"parent\""),
    ("select 2147483647 + 1", "integer out of range"),
    ("select 77 / 0", "division by zero"),
    ("insert into booked values ('[1,77]'), ('[2,77]')",
     "conflicting key value violates exclusion constraint \"booked_r_excl\"\ndetail: Key (r)=(…) conflicts with existing key (…)."),
    ("insert into parted values ('s3cret')",
     "no partition of relation \"parted\" found for row\ndetail: Partition key of the failing row contains (k) = (…)."),
    ("insert into loud values ('s3cret')",
     "a function or trigger raised an exception (23514), its text is hidden\ncontext: PL/pgSQL function shout() line 2 at RAISE"),
    ("do $$ begin raise exception 's3cret'; end $$",
     "a function or trigger raised an exception (P0001), its text is hidden\ncontext: PL/pgSQL function inline_code_block line 1 at RAISE"),
    ("select dynamic('from s3cret s3cret, s3cret +')",
     "syntax error in a value or a function (42601), its text is hidden\ncontext: PL/pgSQL function dynamic(text) line 1 at EXECUTE"),
    ("select casts('s3cret')",
     "invalid input syntax for type integer: \"…\"\ncontext: PL/pgSQL function casts(text) line 1 at RETURN"),
    ("select no_such_column from parent", "column \"no_such_column\" does not exist"),
    ("select id from paren", "relation \"paren\" does not exist"),
    ("create unique index twice on child ((1), (2)); insert into child values (77, null, 1, 'x')",
     "duplicate key value violates unique constraint \"twice\"\ndetail: Key ((1), (2))=(…) already exists."),
];

#[tokio::test]
async fn no_value_of_a_row_is_in_what_is_shown_of_a_servers_error() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    session.batch_execute(SCHEMA).await.expect("a schema");
    for (statement, expected) in CASES {
        let error = session.simple_query(statement).await.expect_err(statement);
        let error = PostgresError::server("run it", error);
        let server_error = error.server_error().expect(statement);
        assert_eq!(server_error.to_string(), *expected, "{statement}");
        for shown in [format!("{error:?}"), format!("{error:#?}"), error.to_string()] {
            assert!(!shown.contains("s3cret") && !shown.contains("77"), "{statement}: {shown}");
        }
    }
}

#[tokio::test]
async fn a_copy_error_keeps_the_line_and_the_column_and_hides_the_value() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    session.batch_execute("create table t (id int, email text not null)").await.expect("a table");
    let cases = [
        ("1,a\ns3cret,b\n", "invalid input syntax for type integer: \"…\"\ncontext: COPY t, line 2, column id"),
        ("1\n", "missing data for column \"email\"\ncontext: COPY t, line 1"),
        ("1,s3cret,77\n", "extra data after last expected column\ncontext: COPY t, line 1"),
        ("\"s3\ncret\",b\n", "invalid input syntax for type integer: \"…\"\ncontext: COPY t, line 1, column id"),
        (
            "77,\n",
            "null value in column \"email\" of relation \"t\" violates not-null constraint\ndetail: Failing row contains (…).\ncontext: COPY t, line 1",
        ),
    ];
    for (csv, expected) in cases {
        let input = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(csv))]);
        let error = crate::postgres::copy_in(&session, "copy t from stdin (format csv)", input).await;
        let crate::postgres::CopyInError::Postgres(error) = error.expect_err(csv) else { continue };
        assert_eq!(error.server_error().expect(csv).to_string(), expected, "{csv}");
    }
}

#[tokio::test]
async fn who_asks_by_name_gets_the_servers_own_words() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let error = session.simple_query("select 's3cret'::int").await.expect_err("no integer");
    let error = PostgresError::server("run it", error);
    let server_error = error.server_error().expect("a server's error");
    assert_eq!(server_error.unredacted().message, "invalid input syntax for type integer: \"s3cret\"");
    assert_eq!(server_error.position, Some(8));
    assert_eq!(error.sqlstate(), Some("22P02"));
}

#[test]
fn a_value_that_imitates_the_rest_of_a_pattern_hides_itself() {
    let pattern = "Key ({})=({…}) is not present in table \"{}\".";
    let text = "Key (a)=(x) is not present in table \"s3cret\".) is not present in table \"t\".";
    assert_eq!(fit(pattern, text).as_deref(), Some("Key (a)=(…) is not present in table \"t\"."));
}

#[test]
fn what_fits_no_pattern_is_hidden() {
    let parts = |sqlstate, message| super::Parts {
        sqlstate,
        file: "ext.c",
        routine: "f",
        message,
        detail: Some("s3cret"),
        hint: Some("s3cret"),
        context: Some("s3cret"),
        in_our_statement: false,
    };
    for sqlstate in ["22000", "23000", "XX000", "99999", "P0001", ""] {
        let redacted = super::redact(&parts(sqlstate, "s3cret"));
        assert!(!redacted.message.contains("s3cret"), "{sqlstate}");
        assert_eq!((redacted.detail, redacted.hint, redacted.context), (None, None, None), "{sqlstate}");
    }
}
