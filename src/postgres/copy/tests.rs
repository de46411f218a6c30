//! COPY on a real server.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{BLOCK_BYTES, CopyInError, copy_in, copy_out, copy_out_csv};
use crate::postgres::PostgresError;
use crate::postgres::fixture::TestDatabase;

#[tokio::test]
async fn rows_are_counted_whole_and_the_header_stands_apart() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let select = "select 1 as id, E'two\\nlines' as text union all select 2, 'b'; ";
    let stream = copy_out_csv(&session, select).await.expect("a copy");
    assert_eq!(stream.header, "id,text\n");
    let blocks: Vec<_> = stream.blocks.try_collect().await.expect("rows");
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].rows, 2);
    assert_eq!(blocks[0].bytes, "1,\"two\nlines\"\n2,b\n");
}

#[tokio::test]
async fn a_select_without_rows_has_a_header_and_no_block() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let mut stream = copy_out_csv(&session, "select 1 as id where false -- none").await.expect("a copy");
    assert_eq!(stream.header, "id\n");
    assert!(stream.blocks.next().await.is_none());
}

#[tokio::test]
async fn blocks_of_a_large_copy_end_where_a_row_ends() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let statement = "copy (select i, repeat('x', 200) from generate_series(1, 20000) i) to stdout (format csv)";
    let blocks: Vec<_> = copy_out(&session, statement).await.expect("a copy").try_collect().await.expect("rows");
    assert!(blocks.len() > 2);
    assert_eq!(blocks.iter().map(|block| block.rows).sum::<u64>(), 20_000);
    for block in &blocks {
        assert!(block.bytes.ends_with(b"\n") && block.bytes.len() < BLOCK_BYTES + 300);
    }
}

#[tokio::test]
async fn an_error_in_the_midst_of_a_copy_is_the_servers() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    let statement = "copy (select 1 / (3 - i) from generate_series(1, 5) i) to stdout";
    let blocks: Result<Vec<_>, _> = copy_out(&session, statement).await.expect("a copy").try_collect().await;
    let error = blocks.expect_err("a division by zero");
    assert_eq!(error.sqlstate(), Some("22012"));
}

#[tokio::test]
async fn what_is_copied_in_is_counted() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    session.batch_execute("create table t (id int, text text)").await.expect("a table");
    let input = stream::iter(["id,text\n1,a\n2,", "b\n"].map(|text| Ok::<_, std::io::Error>(Bytes::from(text))));
    let rows = copy_in(&session, "copy t from stdin (format csv, header true)", input).await.expect("copied");
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn input_that_fails_aborts_the_copy_and_frees_the_session() {
    let database = TestDatabase::new().await;
    let session = database.session().await;
    session.batch_execute("create table t (id int)").await.expect("a table");
    let input = stream::iter([Ok(Bytes::from("1\n")), Err(std::io::Error::other("the store is gone"))]);
    let error = copy_in(&session, "copy t from stdin", input).await.expect_err("no input");
    assert!(matches!(error, CopyInError::Input(_)));
    let rows: i64 = session.query_one("select count(*) from t", &[]).await.expect("an answer").get(0);
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_lost_connection_is_told_apart_from_a_refused_statement() {
    let database = TestDatabase::new().await;
    let (session, admin) = (database.session().await, database.session().await);
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).await.expect("a pid").get(0);
    let blocks = copy_out(&session, "copy (select repeat('x', 1000) from generate_series(1, 10000000)) to stdout");
    let mut blocks = blocks.await.expect("a copy");
    blocks.next().await.expect("a block").expect("rows");
    admin.execute("select pg_terminate_backend($1)", &[&pid]).await.expect("closed");
    let error = blocks.try_collect::<Vec<_>>().await.expect_err("lost");
    assert!(matches!(error, PostgresError::ConnectionLost { .. }), "{error:?}");
}
