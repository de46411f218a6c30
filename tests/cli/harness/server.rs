//! The one server of a test process, and the watchdog that ends it with the process, however that ends.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::LazyLock;

use unimig::postgres::server::{Binaries, PrivateServer, ServerStatus};

use crate::harness::session::Session;

const HINT: &str = "these tests need PostgreSQL 15 or later: install it, or name its bin folder in UNIMIG_PG_BIN";

/// Waits for the end of its input, which is the end of the test process; then the server goes, and its folders.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
pid=$(head -1 "$1/data/postmaster.pid" 2> /dev/null) && kill -QUIT "$pid" 2> /dev/null
while test -n "$pid" && kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
rm -rf "$1" "$2" "$3"
"#;

/// Durability is what these tests do not ask for; a role with a password is what one of them does.
const SETTINGS: [&str; 5] = [
    "alter system set fsync = off",
    "alter system set full_page_writes = off",
    "alter system set password_encryption = 'scram-sha-256'",
    "create role guarded login superuser password 'right-password'",
    "create role reader login",
];

static SERVER: LazyLock<TestServer> = LazyLock::new(TestServer::start);

struct TestServer {
    socket_dir: PathBuf,
    /// Nobody else has this end: the kernel closes it with the process.
    _alive: ChildStdin,
}

/// Where the server listens, as libpq's `host`.
pub fn socket_folder() -> String {
    SERVER.socket_dir.display().to_string()
}

impl TestServer {
    fn start() -> Self {
        let state_dir = PathBuf::from(format!("/var/tmp/unimig-cli-{}", std::process::id()));
        std::fs::create_dir_all(&state_dir).expect("a folder for the server can be made");
        let server = PrivateServer::at(&state_dir, Binaries::find(&|name| std::env::var(name).ok()).expect(HINT));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let ServerStatus::Running { socket_dir, .. } = runtime.block_on(server.start()).expect(HINT) else {
            panic!("start gives a running server");
        };
        let home = server.home();
        let alive = watch(&home, &state_dir, &socket_dir);
        settle(&home.join("data"), &socket_dir);
        Self { socket_dir, _alive: alive }
    }
}

fn settle(data: &Path, socket_dir: &Path) {
    let session = Session::at(socket_dir, "postgres");
    for statement in SETTINGS {
        session.execute(statement);
    }
    let path = data.join("pg_hba.conf");
    let rules = std::fs::read_to_string(&path).expect("the server's rules can be read");
    std::fs::write(&path, format!("local all guarded scram-sha-256\n{rules}")).expect("and written");
    session.execute("select pg_reload_conf()");
}

#[expect(clippy::zombie_processes, reason = "the watchdog outlives this process, which is its purpose")]
fn watch(home: &Path, state_dir: &Path, socket_dir: &Path) -> ChildStdin {
    let mut command = Command::new("sh");
    command.args(["-c", WATCHDOG, "watchdog"]).args([home, state_dir, socket_dir]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().expect("sh starts");
    child.stdin.take().expect("its input is a pipe")
}
