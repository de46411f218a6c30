//! Expected rows against actual ones, a line a row, as `diff` shows lines.

use similar::{Algorithm, ChangeTag, capture_diff_slices};

/// A row's values as text; `None` is NULL.
type Row = Vec<Option<String>>;

/// A heading, then every row once: `-` where it is only expected, `+` where it is only there, else nothing before it.
pub fn lines(columns: &[&str], mut expected: Vec<Row>, mut actual: Vec<Row>) -> Vec<String> {
    expected.sort();
    actual.sort();
    let width = |at: usize| {
        let cells = expected.iter().chain(&actual).map(|row| cell(&row[at]).chars().count());
        cells.chain([columns[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let row = |row: &Row| line(row.iter().map(cell).collect());
    let (expected, actual): (Vec<String>, Vec<String>) =
        (expected.iter().map(row).collect(), actual.iter().map(row).collect());
    let mut lines = vec![format!("  {}", line(columns.to_vec()))];
    for operation in capture_diff_slices(Algorithm::Myers, &expected, &actual) {
        for change in operation.iter_changes(&expected, &actual) {
            let mark = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{mark} {}", change.value()));
        }
    }
    lines
}

fn cell(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_those_that_differ_are_marked() {
        let row = |id: &str, name: Option<&str>| vec![Some(id.to_owned()), name.map(str::to_owned)];
        let expected = vec![row("2", Some("Badr")), row("1", Some("Amal"))];
        let actual = vec![row("1", Some("Amal")), row("2", None)];
        assert_eq!(lines(&["id", "name"], expected, actual), ["  id  name", "  1   Amal", "- 2   Badr", "+ 2   NULL"]);
    }
}
