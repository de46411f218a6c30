//! Text as a YAML scalar that reads back as the same text, wherever it stands.

/// Words that YAML 1.1 or 1.2 takes for something else than text.
const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Plain where every reader takes it for text, inside of braces too; else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quote(text) }
}

/// `[id, "Order No"]`
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn is_plain(text: &str) -> bool {
    let starts_well = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let is_of_text = |letter: char| letter.is_ascii_alphanumeric() || "_ ()/.-".contains(letter);
    starts_well
        && !text.ends_with(' ')
        && text.chars().all(is_of_text)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            // Line ends and marks of order that a reader of YAML may fold or drop.
            '\u{2028}' | '\u{2029}' | '\u{feff}' => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            _ if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::yaml_value;

    #[test]
    fn every_text_reads_back_as_itself() {
        let texts = [
            "id",
            "Order No",
            "numeric(4,2)",
            "text[]",
            "no",
            "NULL",
            "~",
            "1",
            "-",
            "- a",
            "a: b",
            "a #b",
            "#",
            " x",
            "x ",
            "it's",
            "say \"hi\"",
            "back\\slash",
            "two\nlines",
            "tab\t",
            "\u{85}",
            "\u{2028}",
            "الاسم",
            "{{ x }}",
            "[a]",
            "{a: b}",
            "a, b",
            "!tag",
            "&a",
            "*a",
            "%x",
            "@x",
            "`x`",
            "1e3",
            "0x10",
            ".inf",
            "2001-01-01",
            "_",
            "?",
            "=",
            "<<",
            "12:30",
            "",
        ];
        for text in texts {
            assert_eq!(yaml_value(&scalar(text)), Some(text.into()), "{text:?}");
            let inside = yaml_value(&format!("{{name: {}, b: [{}]}}", scalar(text), scalar(text)));
            assert_eq!(inside, Some(serde_json::json!({ "name": text, "b": [text] })), "{text:?}");
        }
    }
}
