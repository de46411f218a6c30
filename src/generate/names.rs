//! Names held against patterns and against each other.

/// Whether a name is one of the patterns, in which `*` stands for anything; no pattern at all takes every name.
pub fn matches(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches_one(pattern, name))
}

fn matches_one(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    let mut starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    starts.any(|at| matches_one(rest, &name[at..]))
}

/// English nouns whose plural has another root.
const IRREGULAR: &[(&str, &str)] =
    &[("people", "person"), ("men", "man"), ("women", "woman"), ("children", "child"), ("statuses", "status")];

/// Whether two names are the same noun, one of them perhaps in the plural; case does not count.
pub fn same_noun(one: &str, other: &str) -> bool {
    singular(one) == singular(other)
}

/// The last word decides: `verification_requests` is many of `verification_request`.
fn singular(name: &str) -> String {
    let name = name.to_lowercase();
    let (before, last) = match name.rfind('_') {
        Some(at) => name.split_at(at + 1),
        None => ("", name.as_str()),
    };
    let one = match IRREGULAR.iter().find(|(many, _)| *many == last) {
        Some((_, one)) => (*one).to_owned(),
        None => singular_word(last),
    };
    format!("{before}{one}")
}

fn singular_word(word: &str) -> String {
    if let Some(root) = word.strip_suffix("ies").filter(|root| root.len() > 1) {
        return format!("{root}y");
    }
    let doubled = ["sses", "xes", "ches", "shes", "zes"];
    if doubled.iter().any(|end| word.ends_with(end)) {
        return word[..word.len() - 2].to_owned();
    }
    let keeps_its_s = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    match word.strip_suffix('s') {
        Some(root) if !keeps_its_s && !root.is_empty() => root.to_owned(),
        Some(_) | None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let is = |pattern: &str, name: &str| matches(&[pattern.to_owned()], name);
        assert!(matches(&[], "anything"));
        assert!(is("orders", "orders") && !is("orders", "order"));
        assert!(is("ord*", "orders") && is("*ers", "orders") && is("o*d*s", "orders") && is("*", ""));
        assert!(!is("o*x", "orders"));
        assert!(is("*الاسم", "xالاسم"));
    }

    #[test]
    fn a_plural_is_the_same_noun() {
        let pairs = [
            ("customers", "customer"),
            ("People", "person"),
            ("verification_requests", "verification_request"),
            ("countries", "country"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("statuses", "status"),
            ("invoices", "invoice"),
        ];
        for (many, one) in pairs {
            assert!(same_noun(many, one), "{many} {one}");
        }
        assert!(!same_noun("status", "statu") && !same_noun("orders", "order_lines"));
    }
}
