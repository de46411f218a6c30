//! On clusters of their own, as these tests make, start, stop and crash them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{Binaries, PrivateServer, ServerControlError, ServerStatus};
use crate::postgres::fixture::binaries;
use crate::postgres::{Role, SessionOptions, connect};

/// A project folder that the server's user may enter; the server is stopped when this goes.
struct Project {
    folder: TempDir,
    server: PrivateServer,
}

impl Project {
    fn new(mode: u32) -> Self {
        Self::below(mode, ".unimig")
    }

    fn below(mode: u32, state_dir: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).expect("a mode");
        let server = PrivateServer::at(&folder.path().join(state_dir), binaries());
        Self { folder, server }
    }

    fn marker(&self) -> PathBuf {
        self.folder.path().join(".unimig/server.borrowed")
    }

    fn is_running(&self) -> bool {
        matches!(self.server.status().expect("a status"), ServerStatus::Running { .. })
    }

    async fn answer(&self) -> i32 {
        let endpoint = self.server.endpoint("postgres");
        let session = connect("t", &endpoint, Role::Target, &SessionOptions::default()).await.expect("a session");
        session.query_one("select 42", &[]).await.expect("an answer").get(0)
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Ok(cluster) = self.server.cluster() {
            let _ = cluster.stop_if_running();
        }
        let layout = self.server.layout();
        for folder in [layout.home, layout.socket_dir] {
            if !folder.starts_with(self.folder.path()) {
                let _ = std::fs::remove_dir_all(folder);
            }
        }
    }
}

#[tokio::test]
async fn a_borrowed_server_is_made_started_and_stopped_again() {
    let project = Project::new(0o755);
    assert_eq!(project.server.status().expect("a status"), ServerStatus::Absent);

    let borrowed = project.server.borrow().await.expect("a borrow");
    assert_eq!(project.answer().await, 42);
    borrowed.give_back().await.expect("given back");

    assert_eq!(project.server.status().expect("a status"), ServerStatus::Stopped);
}

#[tokio::test]
async fn a_started_server_stays_after_a_borrow_and_until_it_is_stopped() {
    let project = Project::new(0o755);
    project.server.start().await.expect("started");

    let borrowed = project.server.borrow().await.expect("a borrow");
    borrowed.give_back().await.expect("given back");
    assert!(project.is_running());

    assert!(project.server.stop().await.expect("stopped"));
    assert!(!project.is_running());
    assert!(!project.server.stop().await.expect("nothing to stop"));
}

#[tokio::test]
async fn commands_that_borrow_at_once_make_one_cluster_and_the_last_to_leave_stops_it() {
    let project = Project::new(0o755);
    let (first, second, third) =
        tokio::join!(project.server.borrow(), project.server.borrow(), project.server.borrow());
    let (first, second, third) = (first.expect("first"), second.expect("second"), third.expect("third"));

    first.give_back().await.expect("given back");
    assert!(project.is_running());
    let (second, third) = tokio::join!(second.give_back(), third.give_back());
    second.expect("given back");
    third.expect("given back");
    assert!(!project.is_running());
}

#[tokio::test]
async fn what_a_killed_command_had_borrowed_is_stopped_by_the_next() {
    let project = Project::new(0o755);
    drop(project.server.borrow().await.expect("a borrow"));
    assert!(project.is_running() && project.marker().exists());

    project.server.borrow().await.expect("a borrow").give_back().await.expect("given back");

    assert!(!project.is_running() && !project.marker().exists());
}

#[tokio::test]
async fn start_keeps_a_server_that_somebody_only_borrowed() {
    let project = Project::new(0o755);
    let borrowed = project.server.borrow().await.expect("a borrow");
    project.server.start().await.expect("started");
    borrowed.give_back().await.expect("given back");
    assert!(project.is_running());
}

#[tokio::test]
async fn a_server_in_use_is_not_stopped() {
    let project = Project::new(0o755);
    let borrowed = project.server.borrow().await.expect("a borrow");
    assert!(matches!(project.server.stop().await, Err(ServerControlError::InUse)));
    assert_eq!(project.answer().await, 42);
    borrowed.give_back().await.expect("given back");
}

#[tokio::test]
async fn a_crashed_server_starts_again_even_if_its_process_number_is_somebody_elses() {
    let project = Project::new(0o755);
    project.server.start().await.expect("started");
    project.server.stop().await.expect("stopped");
    let pid_file = project.server.layout().data().join("postmaster.pid");
    // This very process is alive and is no PostgreSQL.
    std::fs::write(&pid_file, format!("{}\n{}\n", std::process::id(), pid_file.display())).expect("a pid file");
    assert_eq!(project.server.status().expect("a status"), ServerStatus::Stopped);

    project.server.start().await.expect("started");
    assert_eq!(project.answer().await, 42);
}

#[tokio::test]
async fn a_cluster_that_was_half_made_is_made_anew() {
    let project = Project::new(0o755);
    let state_dir = project.folder.path().join(".unimig");
    std::fs::create_dir_all(&state_dir).expect("a folder");
    let cluster = project.server.cluster().expect("a cluster");
    let layout = project.server.layout();
    layout.make(&state_dir, super::account::Account::for_server().as_ref()).expect("folders");
    std::fs::create_dir(layout.home.join("data.unfinished")).expect("a folder");
    std::fs::write(layout.home.join("data.unfinished/PG_VERSION"), "15\n").expect("a file");
    drop(cluster);

    project.server.start().await.expect("started");
    assert_eq!(project.answer().await, 42);
}

#[tokio::test]
async fn a_project_that_the_servers_user_cannot_enter_keeps_its_cluster_elsewhere() {
    let project = Project::new(0o700);
    let borrowed = project.server.borrow().await.expect("a borrow");
    assert_eq!(project.answer().await, 42);
    let record = std::fs::read_to_string(project.folder.path().join(".unimig/server.json")).expect("a record");
    assert!(record.contains(&project.server.home().display().to_string()));
    borrowed.give_back().await.expect("given back");
    assert_eq!(project.server.status().expect("a status"), ServerStatus::Stopped);
}

#[tokio::test]
async fn a_deep_project_gets_a_short_socket_path() {
    let deep = format!("{}/.unimig", "quite-a-deep-folder/".repeat(6));
    let project = Project::below(0o755, &deep);
    let borrowed = project.server.borrow().await.expect("a borrow");
    assert!(project.server.endpoint("postgres").host.starts_with("/tmp/unimig-"));
    assert_eq!(project.answer().await, 42);
    borrowed.give_back().await.expect("given back");
}

#[tokio::test]
async fn a_database_is_made_once() {
    let project = Project::new(0o755);
    let borrowed = project.server.borrow().await.expect("a borrow");
    assert!(project.server.ensure_database("Uni PACC").await.expect("made"));
    assert!(!project.server.ensure_database("Uni PACC").await.expect("there already"));
    let endpoint = project.server.endpoint("Uni PACC");
    connect("t", &endpoint, Role::Target, &SessionOptions::default()).await.expect("a session");
    borrowed.give_back().await.expect("given back");
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_the_end_of_its_log() {
    let project = Project::new(0o755);
    project.server.start().await.expect("started");
    project.server.stop().await.expect("stopped");
    let conf = project.server.layout().data().join("postgresql.auto.conf");
    std::fs::write(conf, "shared_buffers = 'nonsense'\n").expect("a setting");

    let error = project.server.start().await.expect_err("no start");
    assert!(error.to_string().contains("shared_buffers"), "{error}");
}

#[test]
fn a_folder_without_programs_is_named_with_what_to_install() {
    let error = Binaries::find(&|name| (name == "UNIMIG_PG_BIN").then(|| "/nowhere".to_owned())).expect_err("none");
    let message = error.to_string();
    assert!(message.contains("/nowhere") && message.contains("install PostgreSQL 15 or later"), "{message}");
}
