//! Dates and times. The clock is the run's: `now()` is when it started, the same in every template.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};
use minijinja::value::{DynObject, Kwargs, Object, ObjectRepr, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::context::names::bound;
use crate::manifest::jinja::native::{Kind, refused};
use crate::manifest::jinja::scope::Scope;
use crate::project::Invocation;

pub const DATETIME: Kind = Kind { name: "datetime", member: members, method: make_delta, ..Kind::PLAIN };
pub const PYTZ: Kind = Kind { name: "pytz", member: zone_words, method: zone_named, ..Kind::PLAIN };
const MOMENTS: Kind = Kind { name: "datetime.datetime", call: datetime, method: moments, ..Kind::PLAIN };
const DATES: Kind = Kind { name: "datetime.date", call: date, method: dates, ..Kind::PLAIN };
const ZONES: Kind = Kind { name: "datetime.timezone", member: zone_words, ..Kind::PLAIN };

type Given = Result<Value, Error>;

/// A date, or a time with or without a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    at: Zoned,
    kind: MomentKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MomentKind {
    Date,
    /// Without a zone.
    Naive,
    Aware,
}

/// `timedelta(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta(SignedDuration);

#[derive(Debug)]
struct Zone(TimeZone);

/// `run_started_at`.
pub fn started_at(invocation: &Invocation) -> Value {
    Moment { at: invocation.started_at.to_zoned(TimeZone::UTC), kind: MomentKind::Aware }.into_value()
}

/// A server's text of a `date`, `timestamp` or `timestamptz`; infinity and years before Christ stay text.
pub fn of_server(text: &str, type_name: &str) -> Option<Value> {
    let moment = match type_name {
        "date" => {
            Moment::of_civil(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()), MomentKind::Date)
        }
        "timestamp" => Moment::of_civil(text.parse().ok()?, MomentKind::Naive),
        _ => {
            let full = if text.len() > 3 && text.as_bytes()[text.len() - 3] == b'+' {
                format!("{text}:00")
            } else {
                text.to_owned()
            };
            let at = full.parse::<jiff::Timestamp>().ok()?;
            Some(Moment { at: at.to_zoned(TimeZone::UTC), kind: MomentKind::Aware })
        }
    };
    moment.map(Moment::into_value)
}

/// `moment ± timedelta` and `moment - moment`, and numbers as ever; templates are rewritten to call it.
pub fn shifted(args: &[Value]) -> Given {
    let (left, sign, right): (Value, String, Value) = from_args(args)?;
    let direction = if sign == "-" { -1 } else { 1 };
    let impossible = || refused(format!("cannot calculate {left} {sign} {right}"));
    if sign == "-"
        && let Some(difference) = difference(&left, &right)
    {
        return difference.ok_or_else(impossible);
    }
    let Some(Delta(by)) = right.downcast_object_ref::<Delta>() else { return Err(impossible()) };
    if let Some(moment) = left.downcast_object_ref::<Moment>() {
        let at = moment.at.checked_add(*by * direction).map_err(|_| impossible())?;
        return Ok(Moment { at, kind: moment.kind }.into_value());
    }
    match left.downcast_object_ref::<Delta>() {
        Some(Delta(first)) => Ok(Delta(*first + *by * direction).into_value()),
        None => Err(impossible()),
    }
}

/// Of two moments, or of two numbers; inside it is nothing where it is too large.
fn difference(left: &Value, right: &Value) -> Option<Option<Value>> {
    if let (Some(left), Some(right)) = (left.downcast_object_ref::<Moment>(), right.downcast_object_ref::<Moment>()) {
        // As in Python, a time with a zone has no distance from one without.
        let comparable = left.kind == right.kind;
        return Some(comparable.then(|| Delta(left.at.duration_since(&right.at)).into_value()));
    }
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return Some(left.checked_sub(right).map(Value::from));
    }
    let number = |value: &Value| f64::try_from(value.clone()).ok();
    Some(Some(Value::from(number(left)? - number(right)?)))
}

fn members(scope: &Arc<Scope>, name: &str) -> Option<Value> {
    match name {
        "datetime" => bound(scope, &MOMENTS),
        "date" => bound(scope, &DATES),
        "timezone" => bound(scope, &ZONES),
        _ => None,
    }
}

fn zone_words(_scope: &Arc<Scope>, name: &str) -> Option<Value> {
    matches!(name, "utc" | "UTC").then(|| Value::from_object(Zone(TimeZone::UTC)))
}

fn zone_named(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "timezone" => {
            let (name,): (String,) = from_args(args)?;
            let zone = TimeZone::get(&name).map_err(|_| refused(format!("time zone \"{name}\" is unknown")))?;
            Ok(Value::from_object(Zone(zone)))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// `timedelta(days=1, hours=2, …)`.
fn make_delta(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    if method != "timedelta" {
        return Err(Error::from(ErrorKind::UnknownMethod));
    }
    let (days, seconds, options): (Option<f64>, Option<f64>, Kwargs) = from_args(args)?;
    let mut total = days.unwrap_or_default() * 86_400.0 + seconds.unwrap_or_default();
    for (unit, length) in [
        ("weeks", 604_800.0),
        ("days", 86_400.0),
        ("hours", 3_600.0),
        ("minutes", 60.0),
        ("seconds", 1.0),
        ("milliseconds", 0.001),
        ("microseconds", 0.000_001),
    ] {
        total += options.get::<Option<f64>>(unit)?.unwrap_or_default() * length;
    }
    options.assert_all_used()?;
    let duration = SignedDuration::try_from_secs_f64(total).map_err(|error| refused(error.to_string()))?;
    Ok(Delta(duration).into_value())
}

fn now(scope: &Scope, zone: Option<&Value>) -> Moment {
    let started = scope.shared.invocation.started_at;
    match zone.and_then(|zone| zone.downcast_object_ref::<Zone>()) {
        Some(Zone(zone)) => Moment { at: started.to_zoned(zone.clone()), kind: MomentKind::Aware },
        None => Moment { at: started.to_zoned(TimeZone::UTC), kind: MomentKind::Naive },
    }
}

fn moments(scope: &Arc<Scope>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "now" | "utcnow" | "today" => {
            let (zone, options): (Option<Value>, Kwargs) = from_args(args)?;
            let zone = zone.or(options.get::<Option<Value>>("tz")?);
            Ok(now(scope, zone.as_ref()).into_value())
        }
        "strptime" => {
            let (text, format): (String, String) = from_args(args)?;
            parsed(&text, &format).map(Moment::into_value)
        }
        "fromisoformat" => {
            let (text,): (String,) = from_args(args)?;
            let civil = text.parse::<DateTime>().map_err(|error| refused(error.to_string()))?;
            made(civil, MomentKind::Naive)
        }
        "combine" => {
            let (date, _time): (Value, Option<Value>) = from_args(args)?;
            datetime(scope, state, &[date])
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn dates(scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    match method {
        "today" => Ok(Moment { kind: MomentKind::Date, ..now(scope, None) }.into_value()),
        "fromisoformat" => {
            let (text,): (String,) = from_args(args)?;
            let date = text.parse::<Date>().map_err(|error| refused(error.to_string()))?;
            made(date.to_datetime(jiff::civil::Time::midnight()), MomentKind::Date)
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// Python's `strptime`: a date alone is midnight.
fn parsed(text: &str, format: &str) -> Result<Moment, Error> {
    let format = format.replace("%f", "%6f");
    let failed = |error: jiff::Error| refused(format!("\"{text}\" is no time of the form \"{format}\": {error}"));
    let time = jiff::fmt::strtime::parse(&format, text).map_err(failed)?;
    let civil =
        time.to_datetime().or_else(|_| time.to_date().map(|date| date.to_datetime(jiff::civil::Time::midnight())));
    let civil = civil.map_err(failed)?;
    Moment::of_civil(civil, MomentKind::Naive).ok_or_else(|| refused(format!("\"{text}\" is out of range")))
}

fn datetime(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    made(civil(args)?, MomentKind::Naive)
}

fn date(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, args: &[Value]) -> Given {
    made(civil(args)?, MomentKind::Date)
}

fn made(civil: DateTime, kind: MomentKind) -> Given {
    let moment = Moment::of_civil(civil, kind).ok_or_else(|| refused("the time is out of range"))?;
    Ok(moment.into_value())
}

/// `(year, month, day, hour, minute, second)`, by place or by name.
fn civil(args: &[Value]) -> Result<DateTime, Error> {
    let (positional, named) = match args.split_last() {
        Some((last, before)) if last.is_kwargs() => (before, Some(Kwargs::try_from(last.clone())?)),
        Some(_) | None => (args, None),
    };
    let mut parts = [1_i64, 1, 1, 0, 0, 0];
    for (at, name) in ["year", "month", "day", "hour", "minute", "second"].into_iter().enumerate() {
        let named = named.as_ref().map(|named| named.get::<Option<i64>>(name)).transpose()?.flatten();
        if let Some(given) = positional.get(at).and_then(Value::as_i64).or(named) {
            parts[at] = given;
        }
    }
    let [year, month, day, hour, minute, second] = parts;
    let small = |part: i64| i8::try_from(part).unwrap_or(-1);
    DateTime::new(
        i16::try_from(year).unwrap_or(-1),
        small(month),
        small(day),
        small(hour),
        small(minute),
        small(second),
        0,
    )
    .map_err(|error| refused(error.to_string()))
}

impl Moment {
    fn of_civil(civil: DateTime, kind: MomentKind) -> Option<Self> {
        Some(Self { at: civil.to_zoned(TimeZone::UTC).ok()?, kind })
    }

    fn into_value(self) -> Value {
        Value::from_object(self)
    }

    fn formatted(&self, format: &str) -> Result<String, Error> {
        let format = format.replace("%f", "%6f");
        jiff::fmt::strtime::format(&format, &self.at).map_err(|error| refused(error.to_string()))
    }

    /// Python's `isoformat`, with `separator` between date and time.
    fn iso(&self, separator: char) -> String {
        let date = self.at.date();
        if self.kind == MomentKind::Date {
            return date.to_string();
        }
        let micros = self.at.subsec_nanosecond() / 1000;
        let time = self.at.strftime("%H:%M:%S");
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        let offset = if self.kind == MomentKind::Aware { self.at.strftime("%:z").to_string() } else { String::new() };
        format!("{date}{separator}{time}{fraction}{offset}")
    }

    fn replaced(&self, options: &Kwargs) -> Result<Self, Error> {
        let mut with = self.at.datetime().with();
        if let Some(year) = options.get::<Option<i16>>("year")? {
            with = with.year(year);
        }
        for (name, set) in [
            ("month", jiff::civil::DateTimeWith::month as fn(_, i8) -> _),
            ("day", jiff::civil::DateTimeWith::day),
            ("hour", jiff::civil::DateTimeWith::hour),
            ("minute", jiff::civil::DateTimeWith::minute),
            ("second", jiff::civil::DateTimeWith::second),
        ] {
            if let Some(part) = options.get::<Option<i8>>(name)? {
                with = set(with, part);
            }
        }
        if let Some(micros) = options.get::<Option<i32>>("microsecond")? {
            with = with.subsec_nanosecond(micros * 1000);
        }
        let civil = with.build().map_err(|error| refused(error.to_string()))?;
        let zone = options.get::<Option<Value>>("tzinfo")?;
        let (zone, kind) = match zone.as_ref().and_then(|zone| zone.downcast_object_ref::<Zone>()) {
            Some(Zone(zone)) => (zone.clone(), MomentKind::Aware),
            None => (self.at.time_zone().clone(), self.kind),
        };
        Ok(Self { at: civil.to_zoned(zone).map_err(|error| refused(error.to_string()))?, kind })
    }
}

impl Delta {
    fn into_value(self) -> Value {
        Value::from_object(self)
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => self.at.year().into(),
            "month" => self.at.month().into(),
            "day" => self.at.day().into(),
            "hour" => self.at.hour().into(),
            "minute" => self.at.minute().into(),
            "second" => self.at.second().into(),
            "microsecond" => (self.at.subsec_nanosecond() / 1000).into(),
            _ => return None,
        })
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
        Ok(match method {
            "strftime" => {
                let (format,): (String,) = from_args(args)?;
                self.formatted(&format)?.into()
            }
            "isoformat" => self.iso('T').into(),
            "date" => Self { kind: MomentKind::Date, ..self.as_ref().clone() }.into_value(),
            "weekday" => (self.at.weekday().to_monday_zero_offset()).into(),
            "isoweekday" => (self.at.weekday().to_monday_one_offset()).into(),
            "timestamp" => Value::from(self.at.timestamp().as_microsecond() as f64 / 1e6),
            "astimezone" => {
                let (zone,): (Value,) = from_args(args)?;
                let Some(Zone(zone)) = zone.downcast_object_ref::<Zone>() else {
                    return Err(refused("astimezone takes a time zone"));
                };
                Self { at: self.at.with_time_zone(zone.clone()), kind: MomentKind::Aware }.into_value()
            }
            "replace" => {
                let (options,): (Kwargs,) = from_args(args)?;
                self.replaced(&options)?.into_value()
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.at.cmp(&other.downcast_ref::<Self>()?.at))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso(' '))
    }
}

impl Object for Delta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "days" => Some((self.0.as_secs().div_euclid(86_400)).into()),
            "seconds" => Some((self.0.as_secs().rem_euclid(86_400)).into()),
            _ => None,
        }
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, _args: &[Value]) -> Given {
        match method {
            "total_seconds" => Ok(self.0.as_secs_f64().into()),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        write!(f, "{}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
    }
}

impl Object for Zone {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}
