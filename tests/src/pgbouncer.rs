//! `PgBouncer` in transaction mode, in front of a test's database.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::world::TestDatabase;

/// How long it may take to listen, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A pooler that goes away with the test.
#[derive(Debug)]
pub struct PgBouncer {
    child: Child,
    _folder: TempDir,
    /// What the settings name to reach the database through it.
    pub url: String,
}

impl PgBouncer {
    /// `None` where it isn't installed; says so.
    pub fn before(database: &TestDatabase) -> Option<Self> {
        let places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"];
        let Some(program) = places.into_iter().find(|place| Path::new(place).exists()) else {
            // Past the capture of output: what has not run must not look as if it had passed.
            let not_run = "not run: tests through PgBouncer (it is not installed)";
            let mut stderr = std::io::stderr();
            writeln!(stderr, "{not_run}").unwrap();
            return None;
        };
        let server: reqwest::Url = database.url.parse().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let folder = TempDir::new().unwrap();
        // It refuses to run as root, and as somebody else it has to read these.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let users = folder.path().join("users");
        fs::write(&users, format!("\"{}\" \"\"\n", server.username())).unwrap();
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 3\n",
            server.host_str().unwrap(),
            server.port().unwrap_or(5432),
            users.display(),
        );
        fs::write(&settings, text).unwrap();
        let mut command = Command::new(program);
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.args(["-u", "postgres"]);
        }
        let child = command
            .arg(&settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = server;
        url.set_port(Some(port)).unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "PgBouncer does not listen");
            std::thread::yield_now();
        }
        Some(Self {
            child,
            _folder: folder,
            url: url.to_string(),
        })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
