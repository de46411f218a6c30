//! Which rows of source tables a run reads: `--full`, `--since`, `--until`, `--window`, `--reload`.

use clap::Args;
use jiff::{SignedDuration, Timestamp, civil};

use crate::manifest::length_of_time;
use crate::plan::ReadBounds;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading sources")]
pub(super) struct ReadArguments {
    /// Read whole source tables, whatever their strategy
    #[arg(long, conflicts_with_all = ["since", "until", "window", "reload"])]
    pub full: bool,
    /// Read rows that changed at this time or later, such as 2026-11-20 (in UTC) or 2026-11-20T08:00+03:00
    #[arg(long, value_name = "TIME", value_parser = instant, conflicts_with = "window")]
    pub since: Option<Timestamp>,
    /// Read rows that changed before this time only; the next run reads the rest
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub until: Option<Timestamp>,
    /// Read rows that changed within this time before now, such as 30d or 36h
    #[arg(long, value_name = "TIME", value_parser = reach)]
    pub window: Option<SignedDuration>,
    /// Load this batch of the layer once more, without reading the source; one table must be selected
    #[arg(long, value_name = "BATCH", conflicts_with_all = ["since", "until", "window"])]
    pub reload: Option<i64>,
    /// Mark rows as deleted that the source no longer has, however many they are
    #[arg(long)]
    pub accept_deletes: bool,
    /// Go on where columns of a source were dropped, renamed or changed; the copy is read anew
    #[arg(long)]
    pub accept_drift: bool,
}

impl From<ReadArguments> for ReadBounds {
    fn from(arguments: ReadArguments) -> Self {
        let ReadArguments { full, since, until, window, reload, accept_deletes, accept_drift } = arguments;
        Self { full, since, until, window, reload, accept_deletes, accept_drift }
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let in_utc = |at: civil::DateTime| at.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    match text.parse::<civil::DateTime>().and_then(in_utc) {
        Ok(instant) => Ok(instant),
        Err(_) => Err("expected a date or a time, such as 2026-11-20 or 2026-11-20T08:00+03:00".to_owned()),
    }
}

fn reach(text: &str) -> Result<SignedDuration, String> {
    match length_of_time(text) {
        Some(reach) if reach > SignedDuration::ZERO => Ok(reach),
        Some(_) | None => Err("expected a length of time, such as 30d or 36h".to_owned()),
    }
}
