//! Shell wildcards as Python's `fnmatch` reads them: `*`, `?`, `[abc]`, `[a-c]`, `[!a-c]`.

/// A pattern, read once and tried on many texts.
#[derive(Debug, Clone)]
pub(super) struct Wildcard {
    tokens: Vec<Token>,
    /// The text itself, where the pattern has no wildcards.
    plain: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Letter(char),
    One,
    Run,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Wildcard {
    pub fn new(pattern: &str) -> Self {
        if !has_wildcard(pattern) {
            return Self { tokens: Vec::new(), plain: Some(pattern.to_owned()) };
        }
        let letters: Vec<char> = pattern.chars().collect();
        let mut tokens = Vec::with_capacity(letters.len());
        let mut at = 0;
        while at < letters.len() {
            let (token, next) = match letters[at] {
                '*' => (Token::Run, at + 1),
                '?' => (Token::One, at + 1),
                '[' => set(&letters, at).unwrap_or((Token::Letter('['), at + 1)),
                letter => (Token::Letter(letter), at + 1),
            };
            if token != Token::Run || tokens.last() != Some(&Token::Run) {
                tokens.push(token);
            }
            at = next;
        }
        Self { tokens, plain: None }
    }

    /// Whether the whole text fits; tried again only from the last `*`, so in time that grows with both lengths.
    pub fn matches(&self, text: &str) -> bool {
        if let Some(plain) = &self.plain {
            return plain == text;
        }
        let letters: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        let mut resume: Option<(usize, usize)> = None;
        while at < letters.len() {
            match self.tokens.get(token) {
                Some(Token::Run) => {
                    resume = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                Some(wanted) if wanted.fits(letters[at]) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                Some(_) | None => {}
            }
            let Some((after_run, began)) = resume else { return false };
            resume = Some((after_run, began + 1));
            token = after_run;
            at = began + 1;
        }
        self.tokens[token..].iter().all(|left| *left == Token::Run)
    }
}

impl Token {
    fn fits(&self, letter: char) -> bool {
        match self {
            Self::Letter(wanted) => *wanted == letter,
            Self::One => true,
            Self::Run => false,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter)) != *negated
            }
        }
    }
}

/// The set that begins at `[`, and where it ends; [`None`] when nothing closes it.
fn set(letters: &[char], open: usize) -> Option<(Token, usize)> {
    let negated = letters.get(open + 1) == Some(&'!');
    let start = open + 1 + usize::from(negated);
    // A bracket right behind the opening one stands for itself.
    let close = (start + 1..letters.len()).find(|at| letters[*at] == ']')?;
    let mut ranges = Vec::new();
    let mut at = start;
    while at < close {
        if letters.get(at + 1) == Some(&'-') && at + 2 < close {
            ranges.push((letters[at], letters[at + 2]));
            at += 3;
        } else {
            ranges.push((letters[at], letters[at]));
            at += 1;
        }
    }
    Some((Token::Set { negated, ranges }, close + 1))
}

pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_read_as_python_reads_them() {
        let yes = [
            ("a*c", "abc"),
            ("a*c", "ac"),
            ("*.sql", ".sql"),
            ("a?c", "aüc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]x", "]x"),
            ("[a", "[a"),
            ("[^a]", "^"),
            ("[a-]", "-"),
            ("a**b", "ab"),
            ("*a*b*", "xaxbx"),
            ("", ""),
        ];
        let no = [("a*c", "ab"), ("a?c", "ac"), ("[a-c]x", "dx"), ("[!a]", "a"), ("[^a]", "b"), ("", "a"), ("a", "ab")];
        for (pattern, text) in yes {
            assert!(Wildcard::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in no {
            assert!(!Wildcard::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(30);
        assert!(!Wildcard::new(&pattern).matches(&"ab".repeat(2_000)));
    }
}
