//! Hours of the day in which a source is left alone: `08:00-17:00 Asia/Riyadh`.
//!
//! The time is a value, so that summer and midnight are tested in no time.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// From one time of day up to another, by the clocks of a place; over midnight where the end is not later.
#[derive(Debug, Clone, PartialEq)]
pub struct Blackout {
    from: Time,
    to: Time,
    zone: TimeZone,
    /// As the user wrote it.
    pub written: String,
}

impl Blackout {
    /// Says what is wrong with a text that is none.
    pub fn parse(written: &str) -> Result<Self, String> {
        let form = || format!("\"{written}\" is no blackout");
        let (hours, zone) = written.trim().split_once(' ').ok_or_else(form)?;
        let (from, to) = hours.split_once('-').ok_or_else(form)?;
        let (from, to) = (time(from).ok_or_else(form)?, time(to).ok_or_else(form)?);
        if from == to {
            return Err(format!("\"{written}\" begins when it ends"));
        }
        let zone = zone.trim();
        let zone = TimeZone::get(zone).map_err(|_| format!("\"{zone}\" is no time zone that this machine knows"))?;
        Ok(Self { from, to, zone, written: written.trim().to_owned() })
    }

    /// When it ends, for a moment that lies in it.
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let local = now.to_zoned(self.zone.clone());
        let (date, time) = (local.date(), local.time());
        let is_over_midnight = self.from > self.to;
        let is_in = match is_over_midnight {
            false => self.from <= time && time < self.to,
            true => self.from <= time || time < self.to,
        };
        if !is_in {
            return None;
        }
        let date = if is_over_midnight && time >= self.from { date.tomorrow().unwrap_or(date) } else { date };
        let end = date.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
        Some(end.timestamp())
    }
}

/// `24:00` is the midnight that ends a day.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_written = |digits: &str| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_written(hour) || !is_written(minute) {
        return None;
    }
    match (hour.parse().ok()?, minute.parse().ok()?) {
        (24, 0) => Some(Time::midnight()),
        (hour, minute) => Time::new(hour, minute, 0, 0).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::Blackout;

    fn end(written: &str, now: &str) -> Option<String> {
        let blackout = Blackout::parse(written).expect("a blackout");
        blackout.end(now.parse().expect("a timestamp")).map(|end| end.to_string())
    }

    #[test]
    fn it_ends_by_the_clocks_of_its_place() {
        let riyadh = "08:00-17:00 Asia/Riyadh";
        assert_eq!(end(riyadh, "2026-11-25T04:59:59Z"), None);
        assert_eq!(end(riyadh, "2026-11-25T05:00:00Z").as_deref(), Some("2026-11-25T14:00:00Z"));
        assert_eq!(end(riyadh, "2026-11-25T13:59:59Z").as_deref(), Some("2026-11-25T14:00:00Z"));
        assert_eq!(end(riyadh, "2026-11-25T14:00:00Z"), None);
    }

    #[test]
    fn it_may_last_over_midnight_or_up_to_it() {
        let night = "22:30-06:00 UTC";
        assert_eq!(end(night, "2026-11-25T22:30:00Z").as_deref(), Some("2026-11-26T06:00:00Z"));
        assert_eq!(end(night, "2026-11-26T05:59:00Z").as_deref(), Some("2026-11-26T06:00:00Z"));
        assert_eq!(end(night, "2026-11-26T06:00:00Z"), None);
        assert_eq!(end("18:00-24:00 UTC", "2026-11-25T23:00:00Z").as_deref(), Some("2026-11-26T00:00:00Z"));
    }

    #[test]
    fn summer_moves_its_end() {
        // The clocks of Berlin go back at 03:00 of that day, and forward at 02:00 of the other.
        let berlin = "00:00-04:00 Europe/Berlin";
        assert_eq!(end(berlin, "2026-10-24T22:00:00Z").as_deref(), Some("2026-10-25T03:00:00Z"));
        assert_eq!(end(berlin, "2026-03-28T23:00:00Z").as_deref(), Some("2026-03-29T02:00:00Z"));
    }

    #[test]
    fn other_texts_are_refused() {
        for written in
            ["08:00-17:00", "8-17 UTC", "08:00 UTC", "08:00-08:00 UTC", "25:00-26:00 UTC", "08:00-09:00 Asia/Nowhere"]
        {
            assert!(Blackout::parse(written).is_err(), "{written}");
        }
    }
}
