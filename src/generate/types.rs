//! Names of types: the server's spelling of what people write shorter.

/// Short forms and the server's own.
const ALIASES: &[(&str, &str)] = &[
    ("bool", "boolean"),
    ("bpchar", "character"),
    ("char", "character"),
    ("decimal", "numeric"),
    ("float", "double precision"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int", "integer"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("time", "time without time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("timetz", "time with time zone"),
    ("varbit", "bit varying"),
    ("varchar", "character varying"),
];

/// One spelling for each type: `varchar(20)` is `character varying(20)`. Quoted names keep their case.
pub(super) fn canonical(written: &str) -> String {
    let words = written.split_whitespace().collect::<Vec<_>>().join(" ");
    let folded = if words.contains('"') { words } else { words.to_lowercase() };
    let end = folded.find(['(', '[']).unwrap_or(folded.len());
    let (name, rest) = folded.split_at(end);
    let name = name.trim();
    let full = ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full);
    format!("{full}{}", rest.replace(' ', ""))
}

/// Whether the type is text of one of the kinds that convert into each other by themselves.
pub(super) fn is_text(canonical: &str) -> bool {
    canonical == "text" || ["character varying", "character"].contains(&canonical.split('(').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_one_spelling() {
        let pairs = [
            ("varchar(20)", "character varying(20)"),
            ("INT8", "bigint"),
            ("timestamptz", "timestamp with time zone"),
            ("numeric(10, 2)", "numeric(10,2)"),
            ("int[]", "integer[]"),
            ("\"Odd Type\"", "\"Odd Type\""),
        ];
        for (written, spelt) in pairs {
            assert_eq!(canonical(written), spelt);
        }
        assert!(is_text("character varying(20)") && is_text("text") && !is_text("text[]"));
    }
}
