//! The binary against real servers: each file attacks one promise, each test is a paragraph.
//!
//! One private PostgreSQL serves all tests; every test has databases and a folder of its own. `UNIMIG_PG_BIN` runs the
//! suite on another major version.

mod harness;

mod equal_rows;
mod healing;
mod idempotent;
mod isolated;
mod never_destructive;
mod read_only;
mod secrets;
mod stateless;
mod twice;
