//! The binary against real servers: each file attacks one promise, each test is a paragraph.
//!
//! One private PostgreSQL serves all tests; every test has databases and a folder of its own. `UNIMIG_PG_BIN` runs the
//! suite on another major version.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod harness;

mod application;
mod artifacts;
mod bucket;
mod build;
mod check;
mod checksums;
mod codes;
mod commands;
mod contracts;
mod crosswalks;
mod damaged_layer;
mod data_tests;
mod dbt_features;
mod dbt_project;
mod defended;
mod drift;
mod earlier_run;
mod empty;
mod equal_rows;
mod failing_source;
mod freshness;
mod generate;
mod healing;
mod hooks;
mod idempotent;
mod incremental;
mod indexes;
mod introspect;
mod isolated;
mod keyless;
mod kill;
mod layer;
mod log;
mod materializations;
mod merge;
mod never_destructive;
mod operation;
mod packages;
mod pages;
mod parallel;
mod plan;
mod quarantine;
mod read_only;
mod removals;
mod retries;
mod second_looks;
mod secrets;
mod selection;
mod server_mistakes;
mod show;
mod snapshots;
mod stateless;
mod storm;
mod strategies;
mod throttle;
mod twice;
mod types;
mod unit_tests;
mod unreachable;
mod upkeep;
mod wrong_input;
