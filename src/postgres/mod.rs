//! The one door to PostgreSQL: resolved connection settings, pinned sessions, COPY, typed errors, the private server.
//!
//! Nothing here knows of projects or models. Every session leaves with the settings that make text output comparable,
//! and no error shows a row's value unless it is asked to by name.

mod connect;
mod copy;
mod error;
mod passfile;
mod pool;
mod redact;
mod server_error;
mod service_file;
mod session;
mod settings;
mod tls;

pub mod server;

#[cfg(test)]
pub(crate) mod fixture;

pub use connect::connect;
pub use copy::{CopyInError, CsvStream, RowBlock, RowBlocks, copy_in, copy_out, copy_out_csv};
pub use error::{PostgresError, TimeoutKind};
pub use pool::{Canceller, Lease, Pool};
pub use server_error::{ServerError, Unredacted};
pub use session::{Role, Session, SessionOptions, application_name};
pub use settings::{ConnectionSettings, Endpoint, Secret, SettingsError, resolve};
pub use tls::{RootCertificates, TlsMode, install_crypto_provider};
