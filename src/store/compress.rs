//! Row blocks become gzip members, and members become parts, on a blocking thread.
//!
//! A member ends where a row ends, and so does a part; each part begins with the CSV header. The hash is over the bytes
//! as they will lie in the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use libdeflater::{CompressionError, CompressionLvl, Compressor};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::store::part_writer::PartEntry;

/// How much CSV goes into one member: enough for the ratio, little enough to be decompressed in pieces.
pub(super) const MEMBER_BYTES: usize = 4 * 1024 * 1024;
/// COPY is slower than this level, and each next one is slower than COPY.
const LEVEL: i32 = 1;

/// What the compressing thread is told.
pub(super) enum Work {
    Rows {
        bytes: Bytes,
        rows: u64,
    },
    /// Without it the thread takes the end of the channel for a failure, and completes nothing.
    Finish,
}

/// What the compressing thread says.
pub(super) enum Compressed {
    /// The next bytes of the part with this number.
    Bytes {
        part: u32,
        bytes: Bytes,
    },
    PartEnd(PartEntry),
}

/// How parts are cut.
pub(super) struct Cut {
    pub header: Bytes,
    pub target_part_bytes: u64,
    /// The next part's number; writers that share it make parts of one batch.
    pub numbers: Arc<AtomicU32>,
}

/// Runs until the channel ends; completes the last part only after [`Work::Finish`].
pub(super) fn run(cut: Cut, mut work: mpsc::Receiver<Work>, out: mpsc::Sender<Compressed>) {
    let mut parts = Parts::new(cut, out);
    while let Some(next) = work.blocking_recv() {
        let step = match next {
            Work::Rows { bytes, rows } => parts.add(&bytes, rows),
            Work::Finish => {
                let _ = parts.end();
                return;
            }
        };
        // The uploading side is gone, and knows why.
        if step.is_err() {
            return;
        }
    }
}

/// The other end of the channel is gone.
struct Gone;

struct Parts {
    cut: Cut,
    out: mpsc::Sender<Compressed>,
    compressor: Compressor,
    member: Vec<u8>,
    hash: Sha256,
    part: PartEntry,
    number: u32,
}

impl Parts {
    fn new(cut: Cut, out: mpsc::Sender<Compressed>) -> Self {
        let level = CompressionLvl::new(LEVEL).unwrap_or_default();
        Self {
            cut,
            out,
            compressor: Compressor::new(level),
            member: Vec::with_capacity(MEMBER_BYTES + MEMBER_BYTES / 4),
            hash: Sha256::new(),
            part: PartEntry::default(),
            number: 0,
        }
    }

    fn add(&mut self, rows: &[u8], count: u64) -> Result<(), Gone> {
        if self.part.csv_bytes == 0 && self.member.is_empty() {
            self.number = self.cut.numbers.fetch_add(1, Ordering::Relaxed);
            self.part = PartEntry::numbered(self.number);
            self.member.extend_from_slice(&self.cut.header);
        }
        self.member.extend_from_slice(rows);
        self.part.rows += count;
        if self.member.len() >= MEMBER_BYTES {
            self.end_member()?;
            if self.part.bytes >= self.cut.target_part_bytes {
                self.end()?;
            }
        }
        Ok(())
    }

    fn end_member(&mut self) -> Result<(), Gone> {
        let mut compressed = vec![0; self.compressor.gzip_compress_bound(self.member.len())];
        let size = match self.compressor.gzip_compress(&self.member, &mut compressed) {
            Ok(size) => size,
            // The bound is libdeflate's own, so that this cannot be; the missing part end would tell.
            Err(CompressionError::InsufficientSpace) => return Err(Gone),
        };
        compressed.truncate(size);
        self.hash.update(&compressed);
        self.part.bytes += size as u64;
        self.part.csv_bytes += self.member.len() as u64;
        self.member.clear();
        let bytes = compressed.into();
        self.out.blocking_send(Compressed::Bytes { part: self.number, bytes }).map_err(|_| Gone)
    }

    /// Ends the part, if one has begun.
    fn end(&mut self) -> Result<(), Gone> {
        if !self.member.is_empty() {
            self.end_member()?;
        }
        if self.part.csv_bytes == 0 {
            return Ok(());
        }
        let mut part = std::mem::take(&mut self.part);
        part.sha256 = hex(&std::mem::take(&mut self.hash).finalize());
        self.out.blocking_send(Compressed::PartEnd(part)).map_err(|_| Gone)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
