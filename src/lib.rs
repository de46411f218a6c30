//! unimig merges live PostgreSQL applications into a new one.
//!
//! The modules stand on floors, listed here from the ground up; each imports lower floors only
//! (`tests/layering.rs` checks it). ARCHITECTURE.md walks one `unimig run` through them.

// 0: words
pub mod diagnostic;
pub mod ident;
// 1: edges
pub mod postgres;
pub mod project;
pub mod sql;
pub mod store;
// 2: names and memory
pub mod manifest;
pub mod state;
// 3: order, and drafts of files
pub mod generate;
pub mod graph;
// 4: templates become SQL
pub mod compile;
// 5: statements
pub mod data_test;
pub mod materialize;
// 6: what will be done
pub mod plan;
// 7: what a run says
pub mod event;
// 8: hands
pub mod extract;
pub mod load;
pub mod transform;
pub mod verify;
// 9: run and tell
pub mod execute;
pub mod report;
// 10: verbs
pub mod ops;
// 11: doors
pub mod cli;
