//! An edge that tests have started doesn't outlive them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use plinto_tests::edge::Edge;
use plinto_tests::process::until;

/// Set where this test runs a second time, as the process that is killed.
const ROLE: &str = "PLINTO_TEST_HOLDS_AN_EDGE";

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_ends_with_the_tests_that_started_it() {
    if std::env::var_os(ROLE).is_some() {
        let edge = Edge::start(&[]).await;
        println!("\nedge at {}", edge.url());
        std::future::pending::<()>().await;
    }
    plinto_tests::edge::build();
    // what the killed one leaves behind goes away with this folder
    let folder = tempfile::tempdir().unwrap();
    let mut tests = Command::new(std::env::current_exe().unwrap())
        .args(["an_edge_ends_with_the_tests_that_started_it", "--nocapture"])
        .env(ROLE, "1")
        .env("PLINTO_EDGE_BUILT", "1")
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = BufReader::new(tests.stdout.take().unwrap())
        .lines()
        .find_map(|line| Some(line.unwrap().strip_prefix("edge at ")?.to_owned()))
        .expect("the edge of the other process started");
    assert!(reqwest::get(&url).await.is_ok());

    tests.kill().unwrap();
    tests.wait().unwrap();
    until("the edge is gone", Duration::from_secs(30), async || {
        reqwest::get(&url).await.is_err().then_some(())
    })
    .await;
}
