//! Templates of models, tests and extraction overrides: found names, macros, and one render with its mistakes.
//!
//! [`scan`] reads a template's code for the places of calls; [`Engine`] renders. Both passes over the project (resolve
//! and compile) use them and differ in what `ref` and its companions answer, which is a [`Names`].

mod blocks;
mod callable;
mod context;
mod engine;
mod library;
mod limits;
mod mistake;
mod native;
mod relation;
mod rewrite;
mod scan;
mod scope;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use blocks::{Block, BlockKind, Blocks, blocks};
pub use engine::{Engine, Plan, Render, Rendered};
pub use library::MacroFiles;
pub use relation::{EMPTY_ALIAS, EMPTY_END, EMPTY_START, RelationValue, Rows};
pub use scan::{Call, Scan, scan};
pub use scope::{Loudness, Names, Overridden, Said, SourceCall};
pub use server::{Answer, AnswerColumn, Server, ServerRefused, Session};
pub use values::from_json;
