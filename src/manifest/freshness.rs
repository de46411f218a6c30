//! How long the limits of a source's freshness are, and what an age comes to.

use std::time::Duration;

use super::{Freshness, FreshnessAfter, Period};

/// What the age of a table's newest row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreshnessStatus {
    Pass,
    Warn,
    Error,
}

impl FreshnessStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl Period {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl FreshnessAfter {
    pub fn length(self) -> Duration {
        let seconds = match self.period {
            Period::Minute => 60,
            Period::Hour => 3_600,
            Period::Day => 86_400,
        };
        Duration::from_secs(self.count.saturating_mul(seconds))
    }
}

impl Freshness {
    /// The graver limit that is passed; an age that is the limit itself passes, as in dbt.
    pub fn judge(&self, age: Duration) -> FreshnessStatus {
        let is_passed = |limit: Option<FreshnessAfter>| limit.is_some_and(|limit| age > limit.length());
        if is_passed(self.error_after) {
            FreshnessStatus::Error
        } else if is_passed(self.warn_after) {
            FreshnessStatus::Warn
        } else {
            FreshnessStatus::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_limit_that_is_passed_says_what_an_age_means() {
        let limit = |count, period| Some(FreshnessAfter { count, period });
        let freshness =
            Freshness { warn_after: limit(90, Period::Minute), error_after: limit(1, Period::Day), filter: None };
        let judged = |hours: u64| freshness.judge(Duration::from_secs(hours * 3_600)).as_str();
        assert_eq!([judged(1), judged(2), judged(24), judged(25)], ["pass", "warn", "warn", "error"]);
        assert_eq!(Freshness::default().judge(Duration::MAX), FreshnessStatus::Pass);
    }
}
