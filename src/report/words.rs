//! Numbers, sizes, times and states as people read them.

use std::time::Duration;

use owo_colors::Style;

use crate::state::run::StepStatus;

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 test`, `2 tests`, `3 processes`.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = match (number, noun.ends_with('s')) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {noun}{plural}", count(number as u64))
}

/// `1 batch`, `2 batches`.
pub fn counted_batches(number: usize) -> String {
    if number == 1 { "1 batch".to_owned() } else { format!("{} batches", count(number as u64)) }
}

/// `1 row`, `2,000 rows`.
pub fn counted_rows(number: u64) -> String {
    if number == 1 { "1 row".to_owned() } else { format!("{} rows", count(number)) }
}

/// A count, or a dot where there is nothing: zeros in a table hide the numbers that matter.
pub fn count_or_dot(number: u64) -> String {
    if number == 0 { "·".to_owned() } else { count(number) }
}

/// `12.3 MiB`.
pub fn bytes(size_bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = size_bytes as f64;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{size_bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// `340 ms`, `2.41 s`, `3 min 05 s`, `2 h 07 min`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.2} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

pub fn status(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Success => "ok",
        StepStatus::Unchanged => "unchanged",
        StepStatus::Failed => "failed",
        StepStatus::Skipped => "skipped",
        StepStatus::Cancelled => "cancelled",
        StepStatus::Pass => "pass",
        StepStatus::Warn => "warn",
        StepStatus::Fail => "fail",
    }
}

/// dbt knows `error` for what could not be run, and `skipped` for what was not.
pub fn dbt_status(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Success | StepStatus::Unchanged => "success",
        StepStatus::Failed => "error",
        StepStatus::Skipped | StepStatus::Cancelled => "skipped",
        StepStatus::Pass => "pass",
        StepStatus::Warn => "warn",
        StepStatus::Fail => "fail",
    }
}

pub fn status_style(status: StepStatus) -> Style {
    match status {
        StepStatus::Success | StepStatus::Pass => Style::new().green(),
        StepStatus::Unchanged => Style::new().dimmed(),
        StepStatus::Failed | StepStatus::Fail => Style::new().red().bold(),
        StepStatus::Skipped | StepStatus::Cancelled | StepStatus::Warn => Style::new().yellow(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn one_of_a_thing_is_not_many() {
        assert_eq!(counted(1, "process"), "1 process");
        assert_eq!(counted(2, "process"), "2 processes");
        assert_eq!(counted(0, "test"), "0 tests");
    }

    #[test]
    fn sizes_and_times_carry_their_unit() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(elapsed(Duration::from_millis(340)), "340 ms");
        assert_eq!(elapsed(Duration::from_millis(2_410)), "2.41 s");
        assert_eq!(elapsed(Duration::from_secs(185)), "3 min 05 s");
        assert_eq!(elapsed(Duration::from_secs(7_620)), "2 h 07 min");
    }
}
