//! Python's `re`.

use std::sync::Arc;

use fancy_regex::{Captures, Regex};
use minijinja::value::{Kwargs, Object, ObjectRepr, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use crate::manifest::jinja::native::{Kind, refused};
use crate::manifest::jinja::scope::Scope;
use crate::manifest::jinja::values::{Dict, List};

pub const RE: Kind = Kind { name: "re", member: flag, method: call, ..Kind::PLAIN };

/// `re.compile(…)`.
#[derive(Debug)]
struct Pattern {
    regex: Regex,
    text: String,
}

/// What `match` and `search` give.
#[derive(Debug)]
struct Match {
    groups: Vec<Option<String>>,
    names: Vec<(String, usize)>,
    start: usize,
    end: usize,
}

type Given = Result<Value, Error>;

/// Flags add up as numbers, with Python's values.
fn flag(_scope: &Arc<Scope>, name: &str) -> Option<Value> {
    Some(match name {
        "IGNORECASE" | "I" => 2.into(),
        "MULTILINE" | "M" => 8.into(),
        "DOTALL" | "S" => 16.into(),
        "VERBOSE" | "X" => 64.into(),
        _ => return None,
    })
}

fn call(_scope: &Arc<Scope>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
    if method == "escape" {
        let (text,): (String,) = from_args(args)?;
        return Ok(fancy_regex::escape(&text).into_owned().into());
    }
    let (positional, options) = match args.split_last() {
        Some((last, before)) if last.is_kwargs() => (before, Some(Kwargs::try_from(last.clone())?)),
        Some(_) | None => (args, None),
    };
    let named = |name: &str| options.as_ref().map(|options| options.get::<Option<Value>>(name)).transpose();
    let Some((pattern, rest)) = positional.split_first() else {
        return Err(Error::from(ErrorKind::MissingArgument));
    };
    // How many arguments stand before the flags.
    let before_flags = match method {
        "compile" => 0,
        "sub" => 3,
        "split" => 2,
        _ => 1,
    };
    let flags = named("flags")?.flatten().or(rest.get(before_flags).cloned()).and_then(|flags| flags.as_i64());
    let pattern = match pattern.downcast_object_ref::<Pattern>() {
        Some(pattern) => Pattern { regex: pattern.regex.clone(), text: pattern.text.clone() },
        None => compiled(&pattern.to_string(), flags.unwrap_or_default())?,
    };
    if method == "compile" {
        return Ok(Value::from_object(pattern));
    }
    let count = named("count")?.flatten().or(named("maxsplit")?.flatten());
    let mut rest: Vec<Value> = rest.iter().take(before_flags).cloned().collect();
    rest.extend(count);
    pattern.apply(method, &rest)
}

fn compiled(text: &str, flags: i64) -> Result<Pattern, Error> {
    let letters: String = [(2, 'i'), (8, 'm'), (16, 's'), (64, 'x')]
        .into_iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, letter)| letter)
        .collect();
    let full = if letters.is_empty() { text.to_owned() } else { format!("(?{letters}){text}") };
    let regex = Regex::new(&full).map_err(|error| refused(format!("\"{text}\" is no regular expression: {error}")))?;
    Ok(Pattern { regex, text: text.to_owned() })
}

impl Pattern {
    fn apply(&self, method: &str, args: &[Value]) -> Given {
        let failed = |error: fancy_regex::Error| refused(error.to_string());
        match method {
            "match" | "search" | "fullmatch" => {
                let (text,): (String,) = from_args(args)?;
                let found = self.regex.captures(&text).map_err(failed)?;
                let found = found.map(|captures| self.matched(&text, &captures)).filter(|found| match method {
                    "match" => found.start == 0,
                    "fullmatch" => found.start == 0 && found.end == text.chars().count(),
                    _ => true,
                });
                Ok(found.map_or(Value::from(()), Value::from_object))
            }
            "findall" => {
                let (text,): (String,) = from_args(args)?;
                let mut all = Vec::new();
                for captures in self.regex.captures_iter(&text) {
                    all.push(found_item(&captures.map_err(failed)?));
                }
                Ok(List::value(all))
            }
            "sub" => {
                let (with, text, count): (String, String, Option<usize>) = from_args(args)?;
                let with = replacement(&with);
                Ok(self.regex.replacen(&text, count.unwrap_or_default(), with.as_str()).into_owned().into())
            }
            "split" => {
                let (text, most): (String, Option<usize>) = from_args(args)?;
                let most = most.filter(|most| *most > 0).unwrap_or(usize::MAX - 1);
                let parts = self.regex.splitn(&text, most + 1);
                let parts = parts.map(|part| part.map(Value::from).map_err(failed));
                Ok(List::value(parts.collect::<Result<_, _>>()?))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn matched(&self, text: &str, captures: &Captures<'_>) -> Match {
        let whole = captures.get(0).map_or(0..0, |whole| whole.start()..whole.end());
        let place = |byte: usize| text[..byte].chars().count();
        let names = self.regex.capture_names().enumerate();
        Match {
            groups: captures.iter().map(|group| group.map(|group| group.as_str().to_owned())).collect(),
            names: names.filter_map(|(at, name)| Some((name?.to_owned(), at))).collect(),
            start: place(whole.start),
            end: place(whole.end),
        }
    }
}

/// The whole match, its one group, or a tuple of its groups.
fn found_item(captures: &Captures<'_>) -> Value {
    let group = |at: usize| Value::from(captures.get(at).map_or("", |group| group.as_str()));
    match captures.len() {
        1 => group(0),
        2 => group(1),
        groups => Value::from(Tuple::from((1..groups).map(group).collect::<Vec<_>>())),
    }
}

/// Python's `\1` and `\g<name>` as the engine writes them.
fn replacement(python: &str) -> String {
    let mut text = String::with_capacity(python.len());
    let mut letters = python.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek().copied()) {
            ('$', _) => text.push_str("$$"),
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                letters.next();
                text.push_str(&format!("${{{digit}}}"));
            }
            ('\\', Some('g')) => {
                letters.next();
                let name: String = letters.by_ref().skip(1).take_while(|letter| *letter != '>').collect();
                text.push_str(&format!("${{{name}}}"));
            }
            ('\\', Some('n')) => {
                letters.next();
                text.push('\n');
            }
            ('\\', Some('\\')) => {
                letters.next();
                text.push('\\');
            }
            (letter, _) => text.push(letter),
        }
    }
    text
}

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str()? == "pattern").then(|| Value::from(self.text.as_str()))
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
        self.apply(method, args)
    }
}

impl Match {
    fn group(&self, key: &Value) -> Given {
        let at = match key.as_str() {
            Some(name) => self.names.iter().find(|(known, _)| known == name).map(|(_, at)| *at),
            None => key.as_usize(),
        };
        match at.and_then(|at| self.groups.get(at)) {
            Some(Some(text)) => Ok(text.as_str().into()),
            Some(None) => Ok(Value::from(())),
            None => Err(refused(format!("the pattern has no group {key}"))),
        }
    }
}

impl Object for Match {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.group(key).ok()
    }

    fn call_method(self: &Arc<Self>, _state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Given {
        match method {
            "group" => match args {
                [] => self.group(&Value::from(0)),
                [key] => self.group(key),
                keys => {
                    let groups: Vec<Value> = keys.iter().map(|key| self.group(key)).collect::<Result<_, _>>()?;
                    Ok(Value::from(Tuple::from(groups)))
                }
            },
            "groups" => {
                let groups = (1..self.groups.len()).map(|at| self.group(&Value::from(at)));
                Ok(Value::from(Tuple::from(groups.collect::<Result<Vec<_>, _>>()?)))
            }
            "groupdict" => {
                let entries = self
                    .names
                    .iter()
                    .map(|(name, at)| Ok::<_, Error>((Value::from(name.as_str()), self.group(&Value::from(*at))?)));
                Ok(Dict::value(entries.collect::<Result<_, _>>()?))
            }
            "start" => Ok(self.start.into()),
            "end" => Ok(self.end.into()),
            "span" => Ok(Value::from(Tuple::from([Value::from(self.start), Value::from(self.end)]))),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
