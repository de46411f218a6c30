//! What each method looks at: a method becomes a test of one node.

use serde_json::Value;

use super::criterion::{Layer, Method, VersionCheck};
use super::evaluate::Selectable;
use super::wildcard::{Wildcard, has_wildcard};
use super::{method, moment, place};
use crate::manifest::{NodeFacts, ResourceType};

/// Says of a node, by its index and facts, whether it is meant.
pub(super) type Test<'t> = Box<dyn Fn(usize, &NodeFacts<'_>) -> bool + 't>;

pub(super) fn test<'t>(all: &'t Selectable<'_>, method: &'t Method) -> Test<'t> {
    let same = |text: &str| Wildcard::new(text);
    match method {
        Method::Name(name) => {
            let name = same(name);
            Box::new(move |_, node| name.matches(node.name.as_str()))
        }
        Method::Bare(name) => bare(name),
        Method::Fqn(name) => fqn(name),
        Method::Tag(tag) => {
            let tag = same(tag);
            Box::new(move |_, node| node.tags.iter().any(|own| tag.matches(own)))
        }
        Method::Group(group) => {
            let group = same(group);
            Box::new(move |_, node| {
                let own = all.manifest.config(node.name).get("group").and_then(Value::as_str).map(str::to_owned);
                own.is_some_and(|own| !own.is_empty() && group.matches(&own))
            })
        }
        Method::Access(access) => Box::new(move |_, node| {
            node.resource_type == ResourceType::Model
                && all.manifest.models.get(node.name).is_some_and(|model| model.access() == access)
        }),
        Method::Source(name) => named(name, |node| {
            let source = node.source?;
            Some((node.package.to_owned(), vec![source.to_owned(), node.short_name.to_owned()]))
        }),
        Method::Exposure(name) => of_kind(name, ResourceType::Exposure),
        Method::UnitTest(name) => of_kind(name, ResourceType::UnitTest),
        Method::Path(pattern) => place::path(all, pattern),
        Method::File(pattern) => {
            let pattern = same(pattern);
            Box::new(move |_, node| {
                let name =
                    |part: Option<&std::ffi::OsStr>| part.is_some_and(|name| pattern.matches(&name.to_string_lossy()));
                name(node.path.file_name()) || name(node.path.file_stem())
            })
        }
        Method::Package(package) => {
            let package = same(if package == "this" { &all.manifest.project_name } else { package });
            Box::new(move |_, node| package.matches(node.package))
        }
        Method::Config(keys, value) => Box::new(move |_, node| has_setting(all, node, (keys, value))),
        Method::TestName(_) | Method::TestType(_) => tests(method),
        Method::ResourceType(wanted) => Box::new(move |_, node| node.resource_type == *wanted),
        Method::Version(VersionCheck::None) => Box::new(|_, node| node.resource_type == ResourceType::Model),
        Method::Version(VersionCheck::Latest | VersionCheck::Prerelease | VersionCheck::Old) => Box::new(|_, _| false),
        Method::Layer(layer) => {
            let prefix = match layer {
                Layer::Stg => "stg.",
                Layer::Bl => "bl.",
                Layer::Files => "files.",
            };
            Box::new(move |_, node| node.name.as_str().starts_with(prefix))
        }
        Method::State(_) | Method::Result(_) | Method::SourceStatus | Method::Stale(_) => moment::test(all, method),
    }
}

/// A bare term: dbt's qualified name, or a name of ours when it begins with one of our kinds.
fn bare<'t>(name: &str) -> Test<'t> {
    let by_fqn = fqn(name);
    let is_ours = name.split_once('.').is_some_and(|(kind, _)| method::KINDS.contains(&kind));
    if !is_ours {
        return by_fqn;
    }
    let name = Wildcard::new(name);
    Box::new(move |index, node| name.matches(node.name.as_str()) || by_fqn(index, node))
}

/// dbt's rule: the last part alone, or the parts from the left, with or without the package. A part with a wildcard is
/// matched against all that is left; without any dot also against the last part. Sources have no such name.
fn fqn<'t>(name: &str) -> Test<'t> {
    let name = name.to_owned();
    let plain: Vec<String> =
        name.split('.').take_while(|part| !has_wildcard(part) && !part.contains(']')).map(str::to_owned).collect();
    let rest: Vec<&str> = name.split('.').skip(plain.len()).collect();
    let rest = (!rest.is_empty()).then(|| Wildcard::new(&rest.join(".")));
    let parts = name.split('.').count();
    let fits = move |fqn: &[&str]| {
        if fqn.last().is_some_and(|last| *last == name) {
            return true;
        }
        let mut flat = fqn.iter().flat_map(|part| part.split('.'));
        if flat.clone().count() < parts || !plain.iter().all(|part| flat.next() == Some(part)) {
            return false;
        }
        let Some(rest) = &rest else { return true };
        rest.matches(&flat.collect::<Vec<&str>>().join("."))
            || parts == 1 && fqn.last().is_some_and(|last| rest.matches(last))
    };
    Box::new(move |_, node| {
        node.resource_type != ResourceType::Source && (fits(&node.fqn) || fits(node.fqn.get(1..).unwrap_or_default()))
    })
}

/// A name whose parts may be led by a package; parts that are missing at the end match anything.
fn named<'t>(name: &str, of: impl Fn(&NodeFacts<'_>) -> Option<(String, Vec<String>)> + 't) -> Test<'t> {
    let written: Vec<Wildcard> = name.split('.').map(Wildcard::new).collect();
    Box::new(move |_, node| {
        let Some((package, parts)) = of(node) else { return false };
        let (package_fits, written) = match written.split_first() {
            Some((first, rest)) if rest.len() >= parts.len() => (first.matches(&package), rest),
            Some(_) | None => (true, written.as_slice()),
        };
        package_fits && written.iter().zip(&parts).all(|(wanted, part)| wanted.matches(part))
    })
}

fn of_kind<'t>(name: &str, kind: ResourceType) -> Test<'t> {
    named(name, move |node| {
        (node.resource_type == kind).then(|| (node.package.to_owned(), vec![node.short_name.to_owned()]))
    })
}

fn tests(method: &Method) -> Test<'_> {
    match method {
        Method::TestName(name) => {
            let name = Wildcard::new(name);
            Box::new(move |_, node| {
                node.test.as_ref().and_then(|test| test.kind).is_some_and(|kind| name.matches(kind))
            })
        }
        Method::TestType(types) => {
            Box::new(move |_, node| node.test.as_ref().is_some_and(|test| types.contains(&test.test_type)))
        }
        _ => Box::new(|_, _| false),
    }
}

/// dbt's comparison: texts exactly (severity in any case), booleans in any case, a list by its members.
fn has_setting(all: &Selectable<'_>, node: &NodeFacts<'_>, (keys, wanted): (&[String], &Value)) -> bool {
    if matches!(node.resource_type, ResourceType::Exposure | ResourceType::UnitTest) {
        return false;
    }
    let config = all.manifest.config(node.name);
    let Some((first, rest)) = keys.split_first() else { return false };
    let Some(first) = config.get(first) else { return false };
    let Some(value) = rest.iter().try_fold(first, |value, key| value.get(key)) else { return false };
    let any_case = keys == ["severity"];
    match value {
        Value::Array(items) => items.iter().any(|item| equal(item, wanted, any_case)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            equal(value, wanted, any_case)
        }
    }
}

fn equal(value: &Value, wanted: &Value, any_case: bool) -> bool {
    match (value, wanted) {
        (Value::Bool(value), Value::String(wanted)) => wanted.eq_ignore_ascii_case(&value.to_string()),
        (Value::String(value), Value::String(wanted)) if any_case => value.eq_ignore_ascii_case(wanted),
        _ => value == wanted,
    }
}
