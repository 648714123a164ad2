//! Requests in one process, background work in another, on one database.

use std::time::Duration;

use plinto_tests::{
    process::{Bootstrapped, CommandLine, ControlPlane, until},
    world::{MASTER_KEY, TestDatabase},
};
use serde_json::{Value, json};

use super::{AUDIENCE, stage::publish};
use crate::setup::{BY_ROLE, apply, each_database_with_threads};

/// Enough on a busy machine for what is due within a second or two.
const SOON: Duration = Duration::from_secs(30);

struct Asking {
    http: reqwest::Client,
    url: String,
    tenant: Bootstrapped,
}

impl Asking {
    async fn make_role(&self, key: &str) {
        let body = json!({ "key": key, "name": key, "permissions": ["document:read"] });
        let request = self.http.post(format!("{}/v1/roles", self.url)).json(&body);
        let answer = request.bearer_auth(&self.tenant.api_key).send().await;
        assert_eq!(answer.unwrap().status(), 201);
    }

    /// How often a bundle has become the active one.
    async fn sequence(&self) -> i64 {
        let url = format!("{}/v1/policies/status", self.url);
        let request = self.http.get(url).bearer_auth(&self.tenant.api_key);
        let status: Value = request.send().await.unwrap().json().await.unwrap();
        status["active"]["sequence"].as_i64().unwrap()
    }

    /// The rounds of each task that the serving process has done.
    async fn rounds(&self) -> Vec<(String, u64)> {
        let figures = self.http.get(format!("{}/metrics", self.url));
        let figures = figures.send().await.unwrap().text().await.unwrap();
        let lines = figures.lines().filter_map(|line| {
            let line = line.strip_prefix("plinto_background_duration_seconds_count{task=\"")?;
            let (task, count) = line.split_once("\"} ")?;
            Some((task.to_owned(), count.parse().unwrap()))
        });
        lines.collect()
    }
}

/// A role that changed is due within a second: for somebody who does background work.
#[apply(each_database_with_threads)]
async fn background_work_is_done_by_another_process(database: TestDatabase) {
    let settings = [
        ("PLINTO_DATABASE_URL", database.url.as_str()),
        ("PLINTO_MASTER_KEY", MASTER_KEY),
    ];
    let mut server = ControlPlane::unstarted(&settings);
    server.serve_as(&["serve", "--without-work"]).await;
    let asking = Asking {
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        url: server.url(),
        tenant: server.bootstrap("acme", AUDIENCE),
    };
    let command_line = CommandLine::new(&server.url(), &asking.tenant.api_key);
    publish(&command_line, BY_ROLE);
    asking.make_role("editor").await;
    // What looks after the process goes on in it, and shows how long we have looked.
    let rounds = until("a few rounds", SOON, async || {
        let rounds = asking.rounds().await;
        let figures = rounds.iter().find(|(task, _)| task == "figures");
        figures
            .is_some_and(|(_, count)| *count >= 4)
            .then_some(rounds)
    })
    .await;
    let tasks: Vec<&str> = rounds.iter().map(|(task, _)| task.as_str()).collect();
    let own = ["figures", "rate_limits", "hashing_memory"];
    assert!(tasks.iter().all(|task| own.contains(task)), "{tasks:?}");
    assert_eq!(asking.sequence().await, 1);
    let done = server.beside(&["work"], async {
        until("the bundle has the role", SOON, async || {
            (asking.sequence().await == 2).then_some(())
        })
        .await;
    });
    assert_eq!(done.await, Some(0), "{}", server.log());
    assert_eq!(server.stop().await, Some(0));
}
