//! Templates of models, tests and extraction overrides: found names, macros, and one render with its mistakes.
//!
//! [`scan`] reads a template's code for the places of calls; [`Engine`] renders. Both passes over the project (resolve
//! and compile) use them and differ in what `ref` and its companions answer, which is a [`Names`].

mod engine;
mod mistake;
mod scan;
mod scope;

pub use engine::{Engine, Plan, Rendered};
pub use scan::{Call, Scan, scan};
pub use scope::{Names, RelationValue, SourceCall};
