//! Names become key segments and back: `<source>/<table>/<batch id>/…`.
//!
//! The rule is ours and fixed: ASCII lower-case letters, digits, `_`, `-` and a `.` that is not first stay; every other
//! byte of the UTF-8 name becomes `%` and two lower-case hex digits. Upper-case letters are encoded too, so that
//! `Labors` and `labors` stay apart on a disk that ignores case.

/// One name as one segment of a key.
pub fn encode_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => segment.push(char::from(byte)),
            b'.' if index > 0 => segment.push('.'),
            other => segment.push_str(&format!("%{other:02x}")),
        }
    }
    segment
}

/// The name of a segment; nothing for a segment that [`encode_segment`] does not write.
pub fn decode_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|name| encode_segment(name) == segment)
}

/// The folder of one batch, without a slash at its end.
pub fn batch_prefix(source: &str, table: &str, batch_id: i64) -> String {
    format!("{}/{}/{batch_id}", encode_segment(source), encode_segment(table))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::{batch_prefix, decode_segment, encode_segment};

    #[test]
    fn a_batch_lies_below_its_source_and_table() {
        assert_eq!(batch_prefix("svp", "labors", 42), "svp/labors/42");
    }

    #[test]
    fn names_with_slashes_dots_and_letters_of_every_script_are_one_safe_segment() {
        assert_eq!(encode_segment("a/b"), "a%2fb");
        assert_eq!(encode_segment(".."), "%2e.");
        assert_eq!(encode_segment("Labors"), "%4cabors");
        assert_eq!(encode_segment("عمال"), "%d8%b9%d9%85%d8%a7%d9%84");
        assert_eq!(encode_segment("50%"), "50%25");
    }

    #[test]
    fn a_segment_that_was_not_written_by_us_has_no_name() {
        assert_eq!(decode_segment("%4C"), None);
        assert_eq!(decode_segment("%zz"), None);
        assert_eq!(decode_segment("%f"), None);
        assert_eq!(decode_segment("Labors"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn every_name_comes_back_from_its_segment(name in any::<String>()) {
            let segment = encode_segment(&name);
            prop_assert!(!segment.contains('/') && segment != "." && segment != "..");
            prop_assert_eq!(decode_segment(&segment), Some(name));
        }
    }
}
