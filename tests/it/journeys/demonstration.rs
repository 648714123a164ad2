//! `make run`: the walk itself, and the one clear line where it can't be walked.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};

use plinto_tests::edge;
use plinto_tests::process::{ControlPlane, binary, free_port, root};
use serde_json::json;
use tempfile::TempDir;

use super::AUDIENCE;
use super::database_of_another_version::pretend_a_newer_version_was_here;

const EDGE_PORT: &str = "PLINTO_RUN_EDGE_PORT";
const CONTROL_PLANE_PORT: &str = "PLINTO_RUN_CONTROL_PLANE_PORT";
const APP_PORT: &str = "PLINTO_RUN_APP_PORT";

/// A demonstration with a folder and ports of its own.
struct Demonstration {
    folder: TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Demonstration {
    fn new() -> Self {
        // built here first, one after the other: what follows finds nothing left to build
        binary("plinto");
        edge::build();
        let folder = TempDir::new().unwrap();
        let mut settings: Vec<_> = [EDGE_PORT, CONTROL_PLANE_PORT, APP_PORT]
            .into_iter()
            .map(|name| (name, free_port().to_string()))
            .collect();
        let path = folder.path().to_str().unwrap();
        settings.push(("PLINTO_RUN_FOLDER", path.to_owned()));
        Self { folder, settings }
    }

    fn port(&self, name: &str) -> &str {
        let found = self.settings.iter().find(|(known, _)| *known == name);
        &found.unwrap().1
    }

    fn run(&self, settings: &[(&str, &str)]) -> Output {
        Command::new("node")
            .arg("scripts/run.mjs")
            .current_dir(root())
            .env("ONCE", "1")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(settings.iter().copied())
            .output()
            .unwrap()
    }
}

/// It stopped before the walk with this one line.
fn assert_told(output: &Output, words: &[&str]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let last = errors.trim_end().lines().last().unwrap_or_default();
    let told: Vec<&str> = errors
        .lines()
        .filter(|line| line.starts_with("error: ") || line.trim_start().starts_with("at "))
        .collect();
    assert_eq!(told, [last], "{errors}");
    for word in words {
        assert!(last.contains(word), "{word}: {last}");
    }
}

#[test]
fn the_walk_comes_out_right_on_a_new_folder_and_on_the_same_again() {
    let demonstration = Demonstration::new();
    for people in ["201 Ada signed up", "409 email_taken"] {
        let output = demonstration.run(&[]);
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        for line in [
            people,
            "200 Ada has an access token",
            "403 but not write",
            "403 round the edge",
            "401 token_revoked",
            "every step came out right",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        // nothing is left running
        for (name, port) in &demonstration.settings[..3] {
            let address = format!("127.0.0.1:{port}");
            TcpListener::bind(address).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    assert!(demonstration.folder.path().join("env").exists());
}

#[test]
fn a_busy_port_and_a_wrong_one_are_named() {
    let demonstration = Demonstration::new();
    let port = demonstration.port(EDGE_PORT);
    let held = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    let output = demonstration.run(&[]);
    assert_told(&output, &[port, "in use", EDGE_PORT]);
    drop(held);
    for wrong in ["eighty", "0", "70000", "80.5"] {
        let output = demonstration.run(&[(APP_PORT, wrong)]);
        assert_told(&output, &[APP_PORT, wrong, "not a port"]);
    }
}

/// The way out is the demonstration's own, not the one for a server's database.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_database_is_told_with_the_way_out() {
    let demonstration = Demonstration::new();
    let mut server = ControlPlane::start().await;
    let made = server.bootstrap("demo", AUDIENCE);
    assert_eq!(server.stop().await, Some(0));
    let database = demonstration.folder.path().join("plinto.sqlite");
    std::fs::copy(server.file(), &database).unwrap();
    // `make clean` would not touch a folder that the caller chose
    let folder = demonstration.folder.path().to_str().unwrap();
    let way_out = format!("empty {folder}, and `make run` makes a new one");
    let stranger = demonstration.run(&[]);
    assert_told(&stranger, &["not this demonstration's", &way_out]);

    let kept = demonstration.folder.path().join("demo.json");
    std::fs::write(&kept, "{ damaged").unwrap();
    let damaged = demonstration.run(&[]);
    assert_told(&damaged, &["demo.json", "damaged", &way_out]);

    let port = demonstration.port(CONTROL_PLANE_PORT);
    let issuer = format!("http://127.0.0.1:{port}/t/demo");
    let answer = json!({ "tenant": made.tenant, "issuer": issuer, "api_key": made.api_key });
    std::fs::write(&kept, answer.to_string()).unwrap();
    pretend_a_newer_version_was_here(&database).await;
    let before = std::fs::read(&database).unwrap();
    let newer = demonstration.run(&[]);
    assert_told(&newer, &["newer", &way_out]);
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn a_missing_tool_is_named_with_what_brings_it() {
    let tools = TempDir::new().unwrap();
    let link = |name: &str, to: &str| symlink(tool(to), tools.path().join(name)).unwrap();
    for name in ["dirname", "mkdir"] {
        link(name, name);
    }
    for (missing, told) in [
        ("cargo", "cargo is missing: install Rust"),
        ("node", "node is missing: install Node.js"),
        ("npm", "npm is missing: install it"),
        ("cc", "no C compiler: apt-get install build-essential"),
    ] {
        let output = Command::new(tool("bash"))
            .arg("scripts/setup.sh")
            .current_dir(root())
            .env_clear()
            .env("PATH", tools.path())
            .env("HOME", tools.path())
            .output()
            .unwrap();
        assert_told(&output, &[told]);
        link(missing, "true");
    }
}

/// Where a program is.
fn tool(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("there is no `{name}`"))
}
