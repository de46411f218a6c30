//! Templates of models, tests and extraction overrides: found names, macros, and one render with its mistakes.
//!
//! [`scan`] reads a template's code for the places of calls; [`Engine`] renders. Both passes over the project (resolve
//! and compile) use them and differ in what `ref` and its companions answer, which is a [`Names`].

mod blocks;
mod callable;
mod engine;
mod library;
mod mistake;
mod rewrite;
mod scan;
mod scope;
#[cfg(test)]
mod tests;
mod values;

pub use blocks::{Block, BlockKind, Blocks, blocks};
pub use engine::{Engine, Plan, Rendered};
pub use library::MacroFiles;
pub use scan::{Call, Scan, scan};
pub use scope::{Names, RelationValue, SourceCall};
