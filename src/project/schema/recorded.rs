//! The keys that readers asked for in this thread, by what they read: what a schema has to have.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

thread_local! {
    static KEYS: RefCell<BTreeMap<String, BTreeSet<String>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Called by every reader of a map whose keys are known.
pub(crate) fn note(what: &str, known: &[&str]) {
    KEYS.with_borrow_mut(|keys| {
        keys.entry(what.to_owned()).or_default().extend(known.iter().map(|key| (*key).to_owned()));
    });
}

/// What was noted since the last call.
pub(super) fn take() -> BTreeMap<String, BTreeSet<String>> {
    KEYS.take()
}
