//! What a user can ask for, one file a verb.
//!
//! A verb takes settled options and gives data; it writes files and databases, and knows no terminal.

pub mod check;
pub mod clean;
pub mod compile;
pub mod connections;
pub mod crosswalk;
pub mod debug;
pub mod defer;
pub mod demo;
pub mod deps;
pub mod docs;
mod empty;
mod error;
pub mod freshness;
pub mod generate;
pub mod history;
mod indexes;
pub mod init;
pub mod introspect;
pub mod layer;
pub mod list;
mod makers;
pub mod operation;
pub mod plan;
pub mod psql;
pub mod quarantine;
pub mod record;
pub mod retry;
pub mod run;
mod run_hooks;
pub mod schema;
pub mod selection;
pub mod sequences;
pub mod server;
pub mod show;
mod sizes;
pub mod warnings;
pub mod why;
pub mod workspace;

pub use error::OpError;
