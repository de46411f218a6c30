//! Merging into tables that belong to an application: its rules, its rows, its triggers, its sequences.

mod bad_rows;
mod edits;
mod references;
mod sequences;
mod triggers;
