//! How gently a source is read: before a table begins, and between the blocks of a COPY.
//!
//! One throttle serves all sessions of a connection. While one of them waits so do the others, nothing is taken from
//! the sockets, and the source's COPY waits too: no memory grows.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex as StdMutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use minijinja::context;
use tokio::sync::Mutex;

use crate::diagnostic::{Code, Diagnostic};
use crate::extract::ExtractError;
use crate::postgres::{Pool, PostgresError};
use crate::project::SourceLimits;
use crate::sql::StatementFile;

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("throttle.sql")));

/// How often it is looked whether reading may go on, and at most how often while it does.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The limits of one source connection in one run.
#[derive(Debug)]
pub struct Throttle {
    limits: SourceLimits,
    pause_file: Option<PathBuf>,
    /// A session of its own, where the server is looked at.
    watcher: Option<Pool>,
    pace: StdMutex<Pace>,
    /// When the way was found clear last; held by the one that looks.
    clear_at: Mutex<Option<Instant>>,
}

/// Where an extraction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    BeforeTable,
    /// A table that was begun is read to its end in a blackout too.
    BetweenBlocks,
}

/// Why nothing is read just now.
#[derive(Debug, Clone, PartialEq)]
enum Obstacle {
    Blackout { written: String, until: Timestamp },
    PauseFile(PathBuf),
    Busy { active: u64, most: u64 },
    Lag { behind: SignedDuration, most: SignedDuration },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blackout { written, until } => write!(f, "blackout {written} lasts until {until:.0}"),
            Self::PauseFile(path) => write!(f, "pause file {} exists", path.display()),
            Self::Busy { active, most } => write!(f, "{active} sessions of others are active, and {most} may be"),
            Self::Lag { behind, most } => write!(f, "a replica is {behind:#} behind, and may be {most:#}"),
        }
    }
}

/// What a look at the server found.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Load {
    active_sessions: u64,
    behind: SignedDuration,
}

impl Throttle {
    /// A relative pause file lies in the project.
    pub fn new(limits: SourceLimits, project_root: &Path, watcher: Option<Pool>) -> Self {
        let pause_file = limits.pause_file.as_ref().map(|path| project_root.join(path));
        Self { limits, pause_file, watcher, pace: StdMutex::new(Pace::default()), clear_at: Mutex::new(None) }
    }

    /// Waits until nothing is in the way; `tell` hears why, and when it goes on.
    pub async fn pass(&self, moment: Moment, tell: &(dyn Fn(&str) + Sync)) -> Result<(), ExtractError> {
        let has_blackout = moment == Moment::BeforeTable && !self.limits.blackouts.is_empty();
        if !has_blackout && self.pause_file.is_none() && !self.limits.watches() {
            return Ok(());
        }
        let mut clear_at = self.clear_at.lock().await;
        if !has_blackout && clear_at.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let started = Instant::now();
        let mut told = None;
        while let Some(obstacle) = self.obstacle(moment).await? {
            let kind = std::mem::discriminant(&obstacle);
            if told.replace(kind) != Some(kind) {
                tell(&format!("waiting: {obstacle}"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if told.is_some() {
            tell(&format!("going on after {:#}", SignedDuration::from_secs(seconds(started.elapsed()))));
        }
        *clear_at = Some(Instant::now());
        Ok(())
    }

    /// Waits until so many bytes more are due.
    pub async fn spend(&self, bytes: usize) {
        let Some(rate) = self.limits.bytes_per_second else { return };
        let wait = {
            let mut pace = self.pace.lock().expect("no reader panics while it holds the pace");
            pace.reserve(Instant::now(), bytes, rate)
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    async fn obstacle(&self, moment: Moment) -> Result<Option<Obstacle>, ExtractError> {
        if moment == Moment::BeforeTable
            && let Some(blackout) = blackout(&self.limits, Timestamp::now())
        {
            return Ok(Some(blackout));
        }
        if let Some(path) = &self.pause_file
            && tokio::fs::try_exists(path).await.unwrap_or(false)
        {
            return Ok(Some(Obstacle::PauseFile(path.clone())));
        }
        match &self.watcher {
            Some(pool) if self.limits.watches() => Ok(busy(&self.limits, self.look(pool).await?)),
            Some(_) | None => Ok(None),
        }
    }

    async fn look(&self, pool: &Pool) -> Result<Load, ExtractError> {
        let session = pool.lease("throttle").await?;
        let row = session
            .query_typed_one(&STATEMENTS.render("load", context! {}), &[])
            .await
            .map_err(|error| PostgresError::server("look at the load of the source", error))?;
        if !row.get::<_, bool>("sees_others") {
            let message = "the source does not show what its other sessions do, so its load can't be watched";
            let mut diagnostic = Diagnostic::error(Code::BadValue, message)
                .hint("grant pg_read_all_stats to the role, or leave max_active_sessions and max_replica_lag away");
            diagnostic.span.clone_from(&self.limits.watched_at);
            return Err(ExtractError::Project(Box::new(diagnostic)));
        }
        let behind = row.get::<_, Option<f64>>("lag_seconds").unwrap_or(0.0);
        Ok(Load {
            active_sessions: u64::try_from(row.get::<_, i64>("active_sessions")).unwrap_or(0),
            behind: SignedDuration::try_from_secs_f64(behind).unwrap_or(SignedDuration::ZERO),
        })
    }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn blackout(limits: &SourceLimits, now: Timestamp) -> Option<Obstacle> {
    let lasting = limits.blackouts.iter().filter_map(|blackout| Some((blackout.end(now)?, blackout)));
    let (until, blackout) = lasting.max_by_key(|(until, _)| *until)?;
    Some(Obstacle::Blackout { written: blackout.written.clone(), until })
}

fn busy(limits: &SourceLimits, load: Load) -> Option<Obstacle> {
    match (limits.active_sessions, limits.replica_lag) {
        (Some(most), _) if load.active_sessions > most => Some(Obstacle::Busy { active: load.active_sessions, most }),
        (_, Some(most)) if load.behind > most => {
            Some(Obstacle::Lag { behind: SignedDuration::from_secs(load.behind.as_secs()), most })
        }
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// When the bytes that were taken so far are paid for.
#[derive(Debug, Default)]
struct Pace {
    paid_at: Option<Instant>,
}

impl Pace {
    /// How long to wait before taking these bytes. The first go at once; time that was not used is not saved up.
    fn reserve(&mut self, now: Instant, bytes: usize, rate: NonZeroU64) -> Duration {
        let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(now));
        let nanoseconds = (bytes as u128).saturating_mul(1_000_000_000) / u128::from(rate.get());
        self.paid_at = Some(paid_at + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)));
        paid_at.duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Blackout;

    #[test]
    fn bytes_are_paid_for_before_the_next_ones_go_and_idle_time_is_not_saved() {
        let (start, mut pace) = (Instant::now(), Pace::default());
        let rate = NonZeroU64::new(1_000_000).expect("above zero");
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(pace.reserve(at(0), 500_000, rate), Duration::ZERO);
        assert_eq!(pace.reserve(at(100), 500_000, rate), Duration::from_millis(400));
        // Another session at the same moment waits behind the first.
        assert_eq!(pace.reserve(at(100), 1_000_000, rate), Duration::from_millis(900));
        assert_eq!(pace.reserve(at(60_000), 500_000, rate), Duration::ZERO);
        assert_eq!(pace.reserve(at(60_000), 1, rate), Duration::from_millis(500));
    }

    #[test]
    fn a_server_is_left_alone_above_its_limits_only() {
        let most = SignedDuration::from_secs(30);
        let limits = SourceLimits { active_sessions: Some(4), replica_lag: Some(most), ..SourceLimits::default() };
        let load = |active_sessions, seconds| Load { active_sessions, behind: SignedDuration::from_secs(seconds) };
        assert_eq!(busy(&limits, load(4, 30)), None);
        assert_eq!(busy(&limits, load(5, 0)), Some(Obstacle::Busy { active: 5, most: 4 }));
        let lag = busy(&limits, load(0, 31)).expect("an obstacle");
        assert_eq!(lag.to_string(), "a replica is 31s behind, and may be 30s");
        assert_eq!(busy(&SourceLimits::default(), load(500, 500)), None);
    }

    #[test]
    fn of_several_blackouts_the_longest_counts() {
        let blackouts = ["08:00-17:00 UTC", "16:00-19:00 UTC"].map(|written| Blackout::parse(written).expect("hours"));
        let limits = SourceLimits { blackouts: blackouts.to_vec(), ..SourceLimits::default() };
        let at = |time: &str| blackout(&limits, time.parse().expect("a timestamp"));
        assert_eq!(at("2026-11-25T07:59:59Z"), None);
        let told = at("2026-11-25T16:30:00Z").map(|obstacle| obstacle.to_string());
        assert_eq!(told.as_deref(), Some("blackout 16:00-19:00 UTC lasts until 2026-11-25T19:00:00Z"));
    }
}
