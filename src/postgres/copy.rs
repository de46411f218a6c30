//! COPY in both directions, in blocks of about 1 MiB that end at the end of a row.
//!
//! The bytes pass through untouched: nothing here looks inside a row.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, Stream, StreamExt};
use tokio_postgres::{Client, CopyInSink, CopyOutStream};

use crate::postgres::error::PostgresError;

/// How much is gathered before it is passed on.
const BLOCK_BYTES: usize = 1024 * 1024;
/// Room for the row that crosses the limit, so that it seldom moves the block.
const ROW_ROOM_BYTES: usize = 64 * 1024;

/// Whole rows, one after another.
#[derive(Debug, Clone)]
pub struct RowBlock {
    pub bytes: Bytes,
    pub rows: u64,
}

/// The rows of a running `COPY … TO STDOUT`; dropping it leaves the statement running until its session ends.
pub struct RowBlocks {
    source: Pin<Box<CopyOutStream>>,
    gathered: BytesMut,
    rows: u64,
    ended: bool,
}

/// A running `COPY … TO STDOUT (FORMAT csv, HEADER true)`.
pub struct CsvStream {
    /// The header line with its line end.
    pub header: Bytes,
    pub blocks: RowBlocks,
}

/// Starts a COPY to STDOUT; the server sends one message a row, which is how rows are counted.
pub async fn copy_out(client: &Client, statement: &str) -> Result<RowBlocks, PostgresError> {
    let source = client.copy_out(statement).await.map_err(|error| PostgresError::server("copy out", error))?;
    Ok(RowBlocks { source: Box::pin(source), gathered: BytesMut::new(), rows: 0, ended: false })
}

/// Copies the rows of a SELECT out as CSV, the header apart from the rows.
pub async fn copy_out_csv(client: &Client, select: &str) -> Result<CsvStream, PostgresError> {
    let encoding = client
        .query_one("select current_setting('server_encoding')", &[])
        .await
        .map_err(|error| PostgresError::server("ask for the encoding", error))?;
    // A database without an encoding may hold bytes that are no letters: they are passed on as they are.
    let options = match encoding.get::<_, &str>(0) {
        "SQL_ASCII" => "format csv, header true, encoding 'SQL_ASCII'",
        _ => "format csv, header true",
    };
    let statement = format!("copy (\n{}\n) to stdout ({options})", without_terminator(select));
    let mut blocks = copy_out(client, &statement).await?;
    let header = match blocks.source.next().await {
        Some(Ok(header)) => header,
        Some(Err(error)) => return Err(PostgresError::server("copy out", error)),
        None => Bytes::new(),
    };
    Ok(CsvStream { header, blocks })
}

fn without_terminator(select: &str) -> &str {
    select.trim_end().trim_end_matches(';')
}

impl RowBlocks {
    fn take_block(&mut self) -> RowBlock {
        RowBlock { bytes: self.gathered.split().freeze(), rows: std::mem::take(&mut self.rows) }
    }
}

impl Stream for RowBlocks {
    type Item = Result<RowBlock, PostgresError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            match ready!(self.source.as_mut().poll_next(context)) {
                Some(Ok(row)) => {
                    if self.gathered.is_empty() {
                        self.gathered.reserve(BLOCK_BYTES + ROW_ROOM_BYTES);
                    }
                    self.gathered.extend_from_slice(&row);
                    self.rows += 1;
                    if self.gathered.len() >= BLOCK_BYTES {
                        return Poll::Ready(Some(Ok(self.take_block())));
                    }
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Poll::Ready(Some(Err(PostgresError::server("copy out", error))));
                }
                None => {
                    self.ended = true;
                    let last = (self.rows > 0).then(|| Ok(self.take_block()));
                    return Poll::Ready(last);
                }
            }
        }
    }
}

/// Which end of a COPY FROM failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyInError<E: std::error::Error + 'static> {
    #[error("could not read what was to be copied")]
    Input(#[source] E),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
}

/// Feeds a `COPY … FROM STDIN`, and tells how many rows it took; if the input fails the COPY is aborted, and the session
/// is free again.
pub async fn copy_in<E>(
    client: &Client,
    statement: &str,
    input: impl Stream<Item = Result<Bytes, E>>,
) -> Result<u64, CopyInError<E>>
where
    E: std::error::Error + 'static,
{
    let failed = |error| CopyInError::Postgres(PostgresError::server("copy in", error));
    let sink: CopyInSink<Bytes> = client.copy_in(statement).await.map_err(failed)?;
    let mut sink = Box::pin(sink);
    let mut input = std::pin::pin!(input);
    while let Some(bytes) = input.next().await {
        // Dropping the sink tells the server to give the COPY up.
        let bytes = bytes.map_err(CopyInError::Input)?;
        sink.feed(bytes).await.map_err(failed)?;
    }
    sink.as_mut().finish().await.map_err(failed)
}

#[cfg(test)]
mod tests;
