//! Holds a batch against its manifest: every part is read again, hashed, decompressed and counted.
//!
//! Rows are counted by a state of one bit, whether a quote is open: no value is parsed.

use futures_util::StreamExt;

use crate::store::{BatchManifest, PartEntry, Store, StoreError, batch_prefix, read_part};

/// What is wrong with one object, or with what the manifest says of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub object: String,
    pub problem: String,
}

/// What is wrong with a batch; nothing where it is what its manifest says. A store that can't be reached is an error.
pub async fn prove(store: &Store, manifest: &BatchManifest) -> Result<Vec<Flaw>, StoreError> {
    let prefix = batch_prefix(&manifest.source, &manifest.table, manifest.batch_id);
    let mut flaws = Vec::new();
    for part in &manifest.parts {
        if let Some(problem) = prove_part(store, &prefix, part).await? {
            flaws.push(Flaw { object: format!("{prefix}/{}", part.name), problem });
        }
    }
    let rows: u64 = manifest.parts.iter().map(|part| part.rows).sum();
    if rows != manifest.rows {
        let problem = format!("it says {} rows, and its parts have {rows}", manifest.rows);
        flaws.push(Flaw { object: format!("{prefix}/manifest.json"), problem });
    }
    Ok(flaws)
}

async fn prove_part(store: &Store, prefix: &str, part: &PartEntry) -> Result<Option<String>, StoreError> {
    let counted = match count_part(store, prefix, part).await {
        Ok(counted) => counted,
        Err(error) if error.is_unreachable() => return Err(error),
        Err(error) => return Ok(Some(error.to_string())),
    };
    // Each part begins with the header.
    let rows = counted.lines.saturating_sub(1);
    Ok(if counted.is_open() {
        Some("it ends in the middle of a row".to_owned())
    } else if counted.bytes != part.csv_bytes {
        Some(format!("it has {} bytes of CSV, its manifest says {}", counted.bytes, part.csv_bytes))
    } else if rows != part.rows {
        Some(format!("it has {rows} rows, its manifest says {}", part.rows))
    } else {
        None
    })
}

async fn count_part(store: &Store, prefix: &str, part: &PartEntry) -> Result<Lines, StoreError> {
    let mut csv = read_part(store, prefix, part).await?;
    let mut lines = Lines::default();
    while let Some(chunk) = csv.next().await {
        lines.add(&chunk?);
    }
    Ok(lines)
}

/// Ends of lines outside of quotes; a doubled quote closes and opens again.
#[derive(Default)]
struct Lines {
    in_quotes: bool,
    lines: u64,
    bytes: u64,
    /// Bytes since the last end of a line.
    behind: u64,
}

impl Lines {
    fn add(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        for byte in chunk {
            self.behind += 1;
            match byte {
                b'"' => self.in_quotes = !self.in_quotes,
                b'\n' if !self.in_quotes => {
                    self.lines += 1;
                    self.behind = 0;
                }
                _ => {}
            }
        }
    }

    fn is_open(&self) -> bool {
        self.behind > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(chunks: &[&str]) -> (u64, bool) {
        let mut lines = Lines::default();
        chunks.iter().for_each(|chunk| lines.add(chunk.as_bytes()));
        (lines.lines, lines.is_open())
    }

    #[test]
    fn ends_of_lines_in_quotes_do_not_count_wherever_chunks_end() {
        assert_eq!(counted(&["id,text\n1,\"a\nb\"\n2,\"say \"\"x\ny\"\"\"\n"]), (3, false));
        assert_eq!(counted(&["1,\"a\"", "\"\nb\"", "\n"]), (1, false));
        assert_eq!(counted(&["1,\"a\n"]), (0, true));
        assert_eq!(counted(&["1,a\n2"]), (1, true));
        assert_eq!(counted(&[""]), (0, false));
    }
}
