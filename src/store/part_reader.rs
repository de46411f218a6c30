//! One part object becomes CSV again, and is proven to be the one that was written.
//!
//! Bytes flow before the proof is complete, so whoever consumes them must treat an error at the end as the end of
//! everything, as COPY does.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::store::Store;
use crate::store::compress::hex;
use crate::store::error::StoreError;
use crate::store::part_writer::PartEntry;

const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNKS_WAITING: usize = 4;

/// Streams the CSV of the part below `prefix`, header included; the last item is an error if the object is not the one
/// that its entry describes.
pub async fn read_part(
    store: &Store,
    prefix: &str,
    part: &PartEntry,
) -> Result<impl Stream<Item = Result<Bytes, StoreError>> + Send + Unpin + use<>, StoreError> {
    let object = format!("{prefix}/{}", part.name);
    let mut objects = store.get(&object).await?;
    let (fetched, fetched_waiting) = mpsc::channel(CHUNKS_WAITING);
    let (csv, mut csv_waiting) = mpsc::channel(CHUNKS_WAITING);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Some(chunk) = objects.next().await {
            if fetched.send(chunk).await.is_err() {
                break;
            }
        }
    });
    let input =
        Fetched { chunks: fetched_waiting, current: Bytes::new(), hash: Sha256::new(), bytes: 0, failure: None };
    let proof = Proof { store: store.name().to_owned(), object, part: part.clone() };
    tasks.spawn_blocking(move || decompress(input, &proof, &csv));
    Ok(futures_util::stream::poll_fn(move |context| {
        // The tasks live as long as the stream.
        let _ = &tasks;
        csv_waiting.poll_recv(context)
    }))
}

/// The object's bytes as they arrive, hashed and counted.
struct Fetched {
    chunks: mpsc::Receiver<Result<Bytes, StoreError>>,
    current: Bytes,
    hash: Sha256,
    bytes: u64,
    failure: Option<StoreError>,
}

impl Read for Fetched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => {
                    self.hash.update(&chunk);
                    self.bytes += chunk.len() as u64;
                    self.current = chunk;
                }
                Some(Err(failure)) => {
                    self.failure = Some(failure);
                    return Err(io::Error::other("the object could not be read"));
                }
                None => return Ok(0),
            }
        }
        let size = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..size]);
        Ok(size)
    }
}

/// What the object must turn out to be.
struct Proof {
    store: String,
    object: String,
    part: PartEntry,
}

impl Proof {
    /// Size and hash of the whole object; a decompression error counts only if the object is the right one.
    fn check(&self, mut input: Fetched, decompressed: io::Result<()>) -> Result<(), StoreError> {
        if input.failure.is_none() {
            // What the decoder did not want still belongs to the object.
            let _ = io::copy(&mut input, &mut io::sink());
        }
        if let Some(failure) = input.failure {
            return Err(failure);
        }
        let (store, object) = (self.store.clone(), self.object.clone());
        if input.bytes != self.part.bytes {
            return Err(StoreError::Truncated { store, object, expected: self.part.bytes, found: input.bytes });
        }
        let found = hex(&input.hash.finalize());
        if found != self.part.sha256 {
            return Err(StoreError::Altered { store, object, expected: self.part.sha256.clone(), found });
        }
        decompressed.map_err(|source| StoreError::BadGzip { store, object, source })
    }
}

fn decompress(input: Fetched, proof: &Proof, csv: &mpsc::Sender<Result<Bytes, StoreError>>) {
    let mut decoder = MultiGzDecoder::new(input);
    let decompressed = loop {
        match read_chunk(&mut decoder) {
            Ok(chunk) if chunk.is_empty() => break Ok(()),
            Ok(chunk) => {
                if csv.blocking_send(Ok(chunk)).is_err() {
                    return;
                }
            }
            Err(error) => break Err(error),
        }
    };
    if let Err(error) = proof.check(decoder.into_inner(), decompressed) {
        // If nobody listens any more, nobody uses what was read.
        let _ = csv.blocking_send(Err(error));
    }
}

/// Up to [`CHUNK_BYTES`]; empty at the end.
fn read_chunk(decoder: &mut impl Read) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    decoder.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}
