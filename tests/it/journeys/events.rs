//! Events from one process to another, and to the command line.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use plinto_tests::{
    process::{Bootstrapped, CommandLine, ControlPlane, until},
    world::{Engine, MASTER_KEY, TestDatabase},
};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use super::AUDIENCE;
use crate::setup::{apply, each_database_with_threads};

fn server_on(database: &TestDatabase) -> ControlPlane {
    ControlPlane::unstarted(&[
        ("PLINTO_DATABASE_URL", &database.url),
        ("PLINTO_MASTER_KEY", MASTER_KEY),
    ])
}

async fn make_role(server: &ControlPlane, tenant: &Bootstrapped, key: &str) {
    let body = json!({"key": key, "name": key});
    let request = reqwest::Client::new().post(format!("{}/v1/roles", server.url()));
    let request = request.bearer_auth(&tenant.api_key).json(&body);
    assert_eq!(request.send().await.unwrap().status(), 201);
}

async fn next(server: &ControlPlane, tenant: &Bootstrapped, after: &str, wait: u64) -> Value {
    let url = format!("{}/v1/events?wait={wait}&after={after}", server.url());
    let request = reqwest::Client::new().get(url).bearer_auth(&tenant.api_key);
    request.send().await.unwrap().json().await.unwrap()
}

/// Until whoever waits has heard of the role; others may come before it.
async fn heard(server: &ControlPlane, tenant: &Bootstrapped, position: &str, key: &str) {
    let mut position = position.to_owned();
    loop {
        let part = next(server, tenant, &position, 20).await;
        let events = part["data"].as_array().unwrap();
        assert!(!events.is_empty(), "nothing more happened");
        if events.iter().any(|event| event["data"]["key"] == key) {
            return;
        }
        part["position"].as_str().unwrap().clone_into(&mut position);
    }
}

#[apply(each_database_with_threads)]
async fn the_command_line_follows_what_happens(database: TestDatabase) {
    let mut server = server_on(&database);
    server.serve().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let plinto = CommandLine::new(&server.url(), &tenant.api_key);
    let arguments = ["events", "tail", "--type", "role.*", "--cursor", "reader"];
    let tail = || {
        let mut child = plinto
            .command(&arguments)
            .args(["--output", "json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        (BufReader::new(child.stdout.take().unwrap()).lines(), child)
    };
    let mut first = tail();
    make_role(&server, &tenant, "one").await;
    // A tenant begins with roles of its own.
    let line = tokio::task::spawn_blocking(move || {
        let read = |line: std::io::Result<String>| -> Value {
            serde_json::from_str(&line.unwrap()).unwrap()
        };
        let found = first
            .0
            .by_ref()
            .map(read)
            .find(|event| event["data"]["key"] == "one");
        (found.unwrap(), first)
    });
    let (event, mut first) = tokio::time::timeout(Duration::from_secs(30), line)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event["type"], "role.created");
    // Its place is kept when what it printed has been taken.
    let kept = async || plinto.json(&["events", "list", "--type", "role.*"])["position"].clone();
    let position = kept().await;
    until("the place is kept", Duration::from_secs(30), async || {
        let url = format!("{}/v1/event_cursors/reader", server.url());
        let request = reqwest::Client::new().get(url).bearer_auth(&tenant.api_key);
        let kept: Value = request.send().await.unwrap().json().await.unwrap();
        (kept["position"] == position).then_some(())
    })
    .await;
    first.1.kill().unwrap();
    first.1.wait().unwrap();

    make_role(&server, &tenant, "two").await;
    let mut second = tail();
    let line = tokio::task::spawn_blocking(move || (second.0.next().unwrap().unwrap(), second));
    let (line, mut second) = tokio::time::timeout(Duration::from_secs(30), line)
        .await
        .unwrap()
        .unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["data"]["key"], "two", "it goes on where it stood");
    second.1.kill().unwrap();
    second.1.wait().unwrap();

    let id = event["id"].as_str().unwrap();
    assert_eq!(plinto.json(&["events", "get", id])["id"], id);
    let wrong = plinto.run(&["events", "get", "../users"]);
    assert_eq!(wrong.status.code(), Some(2));
    let wrong = plinto.run(&["events", "list", "--type", "nothing"]);
    assert_eq!(wrong.status.code(), Some(4));
    server.stop().await;
}

/// Two processes on one database: what one writes, whoever waits at the other hears of.
#[apply(each_database_with_threads)]
async fn events_reach_those_who_wait_at_another_process(database: TestDatabase) {
    let (mut one, mut other) = (server_on(&database), server_on(&database));
    one.serve().await;
    let tenant = one.bootstrap("acme", AUDIENCE);
    other.serve().await;
    let place = next(&other, &tenant, "latest", 0).await;
    let position = place["position"].as_str().unwrap();
    let asked = make_role(&one, &tenant, "far");
    tokio::join!(heard(&other, &tenant, position, "far"), asked);
    one.stop().await;
    other.stop().await;
}

/// A process that stops in the middle of its turn keeps nobody waiting for longer than five seconds.
#[tokio::test(flavor = "multi_thread")]
async fn numbering_goes_on_when_whoever_does_it_stops_on_postgres() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let (mut one, mut other) = (server_on(&database), server_on(&database));
    other.serve().await;
    let tenant = other.bootstrap("acme", AUDIENCE);
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    until(
        "all of before is numbered",
        Duration::from_secs(30),
        async || {
            let left = sqlx::query_as("select count(*) from outbox");
            let (left,): (i64,) = left.fetch_one(&mut connection).await.unwrap();
            (left == 0).then_some(())
        },
    )
    .await;
    one.set("FAILPOINTS", "events_numbered=1*return(stop)");
    one.serve().await;
    let mut longest = Duration::ZERO;
    for number in 0..20 {
        let place = next(&other, &tenant, "latest", 0).await;
        let position = place["position"].as_str().unwrap();
        let key = format!("late{number}");
        // One that has stopped may not answer any more; what it wrote counts all the same.
        let asked = tokio::time::timeout(Duration::from_secs(1), make_role(&one, &tenant, &key));
        let began = Instant::now();
        let (_, ()) = tokio::join!(asked, heard(&other, &tenant, position, &key));
        longest = longest.max(began.elapsed());
        // The other one may have been quicker; then nobody has stopped yet.
        if longest > Duration::from_millis(1_500) {
            break;
        }
    }
    assert!(
        longest > Duration::from_millis(1_500),
        "nobody stopped: {longest:?}"
    );
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    one.kill();
    other.stop().await;
}
