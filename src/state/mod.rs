//! Schema `unimig` of the target database: what the tool remembers between runs.
//!
//! Rows that speak of data are written in the transaction that writes the data. Nothing here is needed for
//! correctness: without it the next run reads everything again and finds little to change. The ids of crosswalks, which
//! are in the same schema and can't be made again, are written by `transform::crosswalk`.

pub mod batch;
pub mod crosswalk;
pub mod lock;
pub mod past;
pub mod quarantine;
pub mod run;
pub mod schema;
pub mod set_aside;
pub mod source;
