//! Keeps lists and dicts from holding themselves, and from nesting so deep or so wide that to print or to compare one
//! never ends.

use minijinja::value::{Tuple, Value};
use minijinja::{Error, State};

use super::list::failed;
use super::{Dict, List};
use crate::manifest::jinja::limits::pay_for_items;

/// Lists in lists.
const MOST_LEVELS: usize = 100;

/// In a list with all that is in its lists; one that stands there twice counts twice.
const MOST_ITEMS: usize = 2_000_000;

/// A list or dict by its place in memory.
pub(super) type Identity = *const ();

/// Whether items may be put into a container; `None` is one that is being made.
pub fn check<'v>(
    state: &State<'_, '_>,
    container: Option<Identity>,
    items: impl IntoIterator<Item = &'v Value>,
) -> Result<(), Error> {
    let mut open: Vec<(Value, usize)> =
        items.into_iter().filter(|item| is_container(item)).map(|item| (item.clone(), 1)).collect();
    let mut seen = 0;
    while let Some((value, level)) = open.pop() {
        let (identity, items) = inside(&value);
        if container.is_some_and(|container| identity == Some(container)) {
            return Err(failed("a list or dict cannot hold itself: put a .copy() of it there"));
        }
        seen += 1 + items.len();
        if level > MOST_LEVELS || seen > MOST_ITEMS {
            let most = format!("lists and dicts nest {MOST_LEVELS} deep and hold {MOST_ITEMS} items at most");
            return Err(failed(most));
        }
        open.extend(items.into_iter().filter(is_container).map(|item| (item, level + 1)));
    }
    pay_for_items(state, seen)
}

fn is_container(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        object.is::<List>() || object.is::<Dict>() || object.is::<Tuple>() || object.is::<Vec<Value>>()
    })
}

fn inside(value: &Value) -> (Option<Identity>, Vec<Value>) {
    let Some(object) = value.as_object() else { return (None, Vec::new()) };
    if let Some(list) = object.downcast_ref::<List>() {
        return (Some(std::ptr::from_ref(list).cast()), list.snapshot());
    }
    if let Some(dict) = object.downcast_ref::<Dict>() {
        let values = dict.snapshot().into_iter().map(|(_, value)| value).collect();
        return (Some(std::ptr::from_ref(dict).cast()), values);
    }
    (None, value.try_iter().map(Iterator::collect).unwrap_or_default())
}
