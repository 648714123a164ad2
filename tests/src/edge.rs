//! A real edge: the Worker in workerd, under `wrangler dev`, on a free port.

use std::{
    fmt::Write as _,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::process::{free_port, root};

/// How long workerd may take to answer, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running edge with a cache of its own. It ends when it is dropped, or with this process.
#[derive(Debug)]
pub struct Edge {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Edge {
    /// Starts one with these variables, and waits until it answers. It has asked the control
    /// plane for nothing by then.
    pub async fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::launch(folder, &[&root().join("wrangler.toml")], variables).await
    }

    /// Starts another Worker, the one of the first configuration file, with those of the others
    /// beside it for its service bindings.
    pub async fn of(configs: &[&Path]) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), configs, &[]).await
    }

    /// Starts one in workerd alone: without wrangler's proxies, through which no client's going
    /// away is seen, and without a Cache API.
    pub async fn bare(variables: &[(&str, &str)]) -> Self {
        build();
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut modules = String::new();
        for name in shim() {
            let is_wasm = Path::new(&name)
                .extension()
                .is_some_and(|end| end == "wasm");
            let kind = if is_wasm { "wasm" } else { "esModule" };
            let copy = folder.path().join(&name);
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::copy(root().join("edge-worker").join(&name), copy).unwrap();
            let _ = write!(modules, "(name = {name:?}, {kind} = embed {name:?}), ");
        }
        let mut bindings = String::new();
        for (name, value) in variables {
            let _ = write!(bindings, "(name = {name:?}, text = {value:?}), ");
        }
        let config = format!(
            r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "edge", worker = (
      modules = [{modules}], bindings = [{bindings}],
      compatibilityDate = "2026-04-01", globalOutbound = "network")),
    (name = "network", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "edge")],
);
"#
        );
        let file = folder.path().join("edge.capnp");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(root().join("node_modules/.bin/workerd"));
        command.arg("serve").arg(file);
        Self::spawn(&command, folder, port).await
    }

    /// Starts the Worker again, as another isolate of the same data centre: its memory is gone,
    /// the Cache API is as it was.
    pub async fn again(mut self, variables: &[(&str, &str)]) -> Self {
        self.end();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        Self::launch(folder, &[&root().join("wrangler.toml")], variables).await
    }

    async fn launch(folder: TempDir, configs: &[&Path], variables: &[(&str, &str)]) -> Self {
        build();
        let port = free_port();
        let wrangler = root().join("node_modules/.bin/wrangler");
        assert!(wrangler.exists(), "wrangler is not installed: run `npm ci`");
        let mut command = Command::new(wrangler);
        command
            .current_dir(root())
            .args(["dev", "--local", "--ip", "127.0.0.1"])
            .args(
                configs
                    .iter()
                    .flat_map(|config| ["--config".into(), config.as_os_str().to_owned()]),
            )
            .args(["--port", &port.to_string(), "--inspector-port", "0"])
            .arg("--show-interactive-dev-session=false")
            .args([
                "--persist-to",
                &folder.path().join("state").to_string_lossy(),
            ])
            .args(
                variables
                    .iter()
                    .flat_map(|(name, value)| ["--var".to_owned(), format!("{name}:{value}")]),
            )
            .env("PLINTO_EDGE_BUILT", "1")
            .env("WRANGLER_SEND_METRICS", "false")
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
            .env("WRANGLER_LOG_PATH", folder.path().join("wrangler"))
            // Workers of the same name that other tests run are not to be found
            .env("WRANGLER_REGISTRY_PATH", folder.path().join("registry"))
            .env("CI", "true")
            .env("NO_COLOR", "1");
        Self::spawn(&command, folder, port).await
    }

    async fn spawn(command: &Command, folder: TempDir, port: u16) -> Self {
        let log = File::create(folder.path().join("edge.log")).unwrap();
        let child = guarded(command)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut edge = Self {
            child,
            port,
            folder,
        };
        edge.wait().await;
        edge
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it listens: host and port.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything it has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("edge.log")).unwrap_or_default()
    }

    fn end(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }

    async fn wait(&mut self) {
        let began = Instant::now();
        // one of the gate's own paths, and one that makes it fetch nothing
        let url = format!("{}/.plinto/", self.url());
        while reqwest::get(&url).await.is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the edge ended: {}", self.log());
            assert!(began.elapsed() < PATIENCE, "no edge: {}", self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // the last lines are still on their way through wrangler
            #[expect(
                clippy::disallowed_methods,
                reason = "this thread has nothing else to do"
            )]
            std::thread::sleep(Duration::from_millis(500));
            eprintln!("the edge wrote:\n{}", self.log());
        }
        self.end();
    }
}

/// The same command in a process group of its own, which ends as a whole (wrangler starts esbuild
/// and workerd) when the command ends, or when nobody holds its standard input any more: when the
/// edge is dropped, and also when the tests are interrupted or killed.
fn guarded(command: &Command) -> Command {
    const GUARD: &str = r#"{ "$@" </dev/null; kill -KILL 0; } & cat >/dev/null; kill -KILL 0"#;
    let mut guarded = Command::new("sh");
    guarded
        .args(["-c", GUARD, "edge"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::piped())
        .process_group(0);
    if let Some(folder) = command.get_current_dir() {
        guarded.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => guarded.env(name, value),
            None => guarded.env_remove(name),
        };
    }
    guarded
}

/// The Worker's modules, the one that workerd begins with first.
fn shim() -> Vec<String> {
    let first = "shim/worker.mjs".to_owned();
    let folder = std::fs::read_dir(root().join("edge-worker/shim")).unwrap();
    let files = folder.map(|file| file.unwrap().path());
    let others = files
        .filter(|file| file.extension().is_some_and(|end| end == "mjs"))
        .map(|file| format!("shim/{}", file.file_name().unwrap().to_string_lossy()))
        .filter(|name| *name != first);
    let built = ["build/glue.mjs", "build/edge_worker.wasm"].map(str::to_owned);
    std::iter::once(first.clone())
        .chain(others)
        .chain(built)
        .collect()
}

/// Builds the Worker, unless `make test` has just done that.
pub fn build() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = root().join("edge-worker");
        let status = Command::new(folder.join("build.sh")).status().unwrap();
        assert!(status.success(), "the Worker doesn't build");
        folder.join("build")
    })
}
