//! The shipped binaries as real processes: the control plane and the command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a process may take to answer, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A control plane in its own process, on its own database. Killed when dropped.
#[derive(Debug)]
pub struct ControlPlane {
    child: Option<Child>,
    folder: tempfile::TempDir,
    database: String,
    port: u16,
    settings: Vec<(String, String)>,
}

/// What `bootstrap` answers.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Bootstrapped {
    /// The tenant's id.
    pub tenant: String,
    pub issuer: String,
    /// May do everything in the tenant.
    pub api_key: String,
}

impl ControlPlane {
    /// Starts one on a new SQLite file.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one on a new SQLite file, with further settings (`PLINTO_…`).
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let mut server = Self::unstarted(settings);
        server.serve().await;
        server
    }

    /// One that does not run yet, with further settings (`PLINTO_…`).
    pub fn unstarted(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("plinto.sqlite").display());
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            child: None,
            folder,
            database,
            port: free_port(),
            settings,
        }
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Sets a variable for the processes that start from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("plinto.sqlite")
    }

    /// Starts the process on the same file and port, and waits until it is ready.
    pub async fn serve(&mut self) {
        self.serve_as(&["serve"]).await;
    }

    /// The same with this command line.
    pub async fn serve_as(&mut self, arguments: &[&str]) {
        let is_ready = self.may_serve_as(arguments).await;
        assert!(is_ready, "the control plane ended: {}", self.log());
    }

    /// The same where it may end before it is ready: whether it is.
    pub async fn may_serve_as(&mut self, arguments: &[&str]) -> bool {
        assert!(self.child.is_none(), "it runs already");
        self.child = Some(self.spawn(arguments));
        let ready = format!("{}/readyz", self.url());
        let began = Instant::now();
        while !answers(&ready).await {
            if !self.runs() {
                return false;
            }
            assert!(began.elapsed() < PATIENCE, "not ready: {}", self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        true
    }

    /// Ends the process as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ended = child.kill();
            child.wait().unwrap();
        }
    }

    /// Asks the process to end (SIGTERM) and gives back its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        let mut child = Ended(self.child.take().expect("it runs"));
        self.stopped(&mut child.0).await
    }

    /// Runs another process on the same database, beside this one, while `during` lasts; then asks
    /// it to end (SIGTERM) and gives back its exit code.
    pub async fn beside(
        &self,
        arguments: &[&str],
        during: impl Future<Output = ()>,
    ) -> Option<i32> {
        let mut other = Ended(self.spawn(arguments));
        during.await;
        let child = other.0.try_wait().unwrap();
        assert!(child.is_none(), "it ended by itself: {}", self.log());
        self.stopped(&mut other.0).await
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        self.command()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    async fn stopped(&self, child: &mut Child) -> Option<i32> {
        let id = child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it did not stop: {}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// How much memory the running process has, in KiB: `VmRSS` now, `VmHWM` at its height.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let id = self.child.as_ref().expect("it runs").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Makes a tenant with its keys and an API key that may do everything.
    pub fn bootstrap(&self, slug: &str, audience: &str) -> Bootstrapped {
        let output = self.run(&["bootstrap", "--tenant", slug, "--audience", audience]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs another command of the binary on the same database.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command()
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs another command of the binary, which writes its answer there.
    pub fn run_into(&self, arguments: &[&str], stdout: impl Into<Stdio>) -> Output {
        self.command()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(stdout)
            .output()
            .unwrap()
    }

    /// Everything it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Begins a new log.
    pub fn forget_log(&self) {
        let _gone = std::fs::remove_file(self.log_file());
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("control-plane.log")
    }

    fn command(&self) -> Command {
        let mut command = alone("plinto-control-plane");
        command
            .current_dir(self.folder.path())
            .env("PLINTO_DATABASE_URL", &self.database)
            .env("PLINTO_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("PLINTO_PUBLIC_URL", self.url())
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut() {
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

/// The command line, with a home of its own.
#[derive(Debug)]
pub struct CommandLine {
    home: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
}

impl CommandLine {
    /// One that speaks to the server at `url` with `api_key`.
    pub fn new(url: &str, api_key: &str) -> Self {
        Self {
            settings: vec![
                ("PLINTO_URL", url.to_owned()),
                ("PLINTO_API_KEY", api_key.to_owned()),
            ],
            ..Self::unset()
        }
    }

    /// One that knows no server yet.
    pub fn unset() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    /// Runs it and gives back what it wrote and how it ended.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.feed(arguments, "")
    }

    /// One that does not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = alone("plinto");
        command
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("NO_COLOR", "1");
        command
    }

    /// Runs it with this text to read.
    pub fn feed(&self, arguments: &[&str], text: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // it may have ended without reading
        let _closed = child.stdin.take().unwrap().write_all(text.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs it with `--output json` and gives back the answer; it must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "plinto {arguments:?}: {errors}");
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A binary that sees none of the settings around the tests.
fn alone(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    let names = std::env::vars().map(|(name, _)| name);
    for name in names.filter(|name| name.starts_with("PLINTO_") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}

/// A port nobody listens on now.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Asks again and again until `done` gives a value; after `within` it fails with `what`.
pub async fn until<T>(what: &str, within: Duration, mut done: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(value) = done().await {
            return value;
        }
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

async fn answers(url: &str) -> bool {
    reqwest::get(url)
        .await
        .is_ok_and(|answer| answer.status().is_success())
}

/// A binary of this workspace, built first unless `make test` has just done that.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        // …/target/debug/deps/it-0123 → …/target/debug
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
        if std::env::var_os("PLINTO_BINARIES_ARE_BUILT").is_none() {
            let status = Command::new(env!("CARGO"))
                // With the places where a test ends them, which only the whole workspace asks for.
                .args(["build", "--quiet", "--workspace", "--bins"])
                .current_dir(root())
                .status()
                .unwrap();
            assert!(status.success(), "the binaries don't build");
        }
        folder
    });
    folder.join(name)
}
