//! By what two values of a type are told apart: by its own equality and hash as far as these tell every difference, else
//! by how the values are written.
//!
//! Numbers without a fixed scale, floating-point numbers, json, intervals, arrays and types of extensions have values that
//! are equal and written differently. Some types' hash leaves something out that their equality tells: the sign of a
//! number, half of eight bytes.

/// How a value of a column goes into the hash of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// By the type's own hash.
    Value,
    /// By the hash of its bytes on the wire, which this function gives.
    Sent(&'static str),
    /// A text, by the hash of its bytes, whatever its collation.
    Bytes,
    /// By its text, which a cast gives as COPY writes it.
    Text,
    /// By its text as COPY writes it, which a cast may not give: of `xml` it keeps the declaration that COPY drops, of
    /// `bpchar` it drops the blanks that COPY keeps.
    Written,
}

impl Image {
    /// Of a type of staging, as PostgreSQL spells it.
    pub(super) fn of(data_type: &str) -> Self {
        let with_zone = data_type.ends_with("with time zone");
        match first_word(data_type) {
            _ if data_type == "xml[]" => Self::Written,
            _ if data_type.ends_with("[]") => Self::Text,
            "integer" | "smallint" | "oid" | "boolean" | "date" | "uuid" | "bytea" | "macaddr" => Self::Value,
            "bigint" => Self::Sent("int8send"),
            "numeric" => Self::Sent("numeric_send"),
            "timestamp" if with_zone => Self::Sent("timestamptz_send"),
            "timestamp" => Self::Sent("timestamp_send"),
            "time" if with_zone => Self::Sent("timetz_send"),
            "time" => Self::Sent("time_send"),
            "text" | "character" => Self::Bytes,
            "json" | "jsonb" | "real" | "double" | "interval" | "bit" => Self::Text,
            _ => Self::Written,
        }
    }
}

/// Whether values of a type that are equal are the same in every respect. Texts are, compared by their bytes.
pub(super) fn equality_tells_all(data_type: &str) -> bool {
    match Image::of(data_type) {
        Image::Value | Image::Bytes => true,
        Image::Sent(_) => data_type != "numeric",
        Image::Text | Image::Written => false,
    }
}

fn first_word(data_type: &str) -> &str {
    data_type.split([' ', '(']).next().unwrap_or_default()
}
