//! Listeners of a run's events, and what they show or keep: progress, tables, failures, artifacts.
//!
//! Everything that people read goes through one [`Terminal`], which knows what it is attached to.

pub mod artifacts;
pub mod failures;
pub mod json_lines;
pub mod junit;
pub mod log;
pub mod plain;
pub mod progress;
pub mod summary;
mod terminal;
pub mod words;

pub use terminal::{Audience, Terminal};
