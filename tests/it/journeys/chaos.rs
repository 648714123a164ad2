//! The control plane ends at each step of an event's way into the log: whatever it made has its event
//! afterwards, once, and the numbers have no gap. `make chaos` does it many times more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plinto_tests::{
    process::{Bootstrapped, ControlPlane, until},
    world::{MASTER_KEY, TestDatabase},
};
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::setup::{apply, each_database_with_threads};

/// Where it ends: while it writes, flushes or numbers what was written, and seals it.
const ON_SQLITE: [&str; 7] = [
    "event_written",
    "work_done",
    "work_committed",
    "group_done",
    "group_committed",
    "tree_grown",
    "tree_committed",
];
const ON_POSTGRES: [&str; 7] = [
    "event_written",
    "work_done",
    "work_committed",
    "events_numbered",
    "numbers_committed",
    "tree_grown",
    "tree_committed",
];
/// How often it ends on each engine where nobody asks for more: twice in each place.
const KILLS: usize = 14;
/// It seals every five seconds, and works off what it is asked for at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// W9: also under kill -9.
#[apply(each_database_with_threads)]
async fn every_change_has_its_event_wherever_the_process_ends(database: TestDatabase) {
    let mut server = ControlPlane::unstarted(&[
        ("PLINTO_DATABASE_URL", &database.url),
        ("PLINTO_MASTER_KEY", MASTER_KEY),
        ("PLINTO_HTTP_REQUESTS_PER_MINUTE", "1000000"),
    ]);
    server.serve().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    server.kill();
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    let is_file = database.url.starts_with("sqlite:");
    let places = if is_file { ON_SQLITE } else { ON_POSTGRES };
    for round in 0..kills() {
        let place = places[round % places.len()];
        // Not always at the first time that it comes there; a tree grows too seldom for that.
        let passes = if place.starts_with("tree") {
            0
        } else {
            round % 3
        };
        server.set("FAILPOINTS", &format!("{place}={passes}*off->return"));
        if server.may_serve_as(&["serve"]).await {
            work(&server, &tenant, round, &answered).await;
            until(place, PATIENCE, async || (!server.runs()).then_some(())).await;
        }
        server.kill();
    }
    server.set("FAILPOINTS", "");
    server.serve().await;
    let answered = answered.lock().unwrap().clone();
    assert_events_tell_all(&server, &tenant, &answered).await;
    server.stop().await;
    let verified = server.run(&["verify"]);
    let told = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{told}");
}

fn kills() -> usize {
    std::env::var("PLINTO_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap())
}

/// Makes organizations, each by one transaction with one event, four at a time.
async fn work(
    server: &ControlPlane,
    tenant: &Bootstrapped,
    round: usize,
    answered: &Arc<Mutex<BTreeSet<String>>>,
) {
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (url, key) = (server.url(), tenant.api_key.clone());
            let answered = Arc::clone(answered);
            tokio::spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                for number in 0..8 {
                    let slug = format!("r{round}w{worker}n{number}");
                    let body = json!({"slug": slug, "name": slug});
                    let request = http.post(format!("{url}/v1/organizations")).json(&body);
                    let Ok(answer) = request.bearer_auth(&key).send().await else {
                        return;
                    };
                    if answer.status() == 201 {
                        answered.lock().unwrap().insert(slug);
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn assert_events_tell_all(
    server: &ControlPlane,
    tenant: &Bootstrapped,
    answered: &BTreeSet<String>,
) {
    let get = async |path: String| -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", server.url()));
        let answer = request.bearer_auth(&tenant.api_key).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    };
    let mut made = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let page = get(format!("/v1/organizations?limit=100{cursor}")).await;
        for organization in page["data"].as_array().unwrap() {
            made.insert(organization["slug"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert!(answered.is_subset(&made), "what was answered is there");
    let told = until("all is numbered", Duration::from_mins(1), async || {
        let mut told: Vec<Value> = Vec::new();
        let mut after = String::new();
        loop {
            let part = get(format!("/v1/events?limit=1000{after}")).await;
            told.extend(part["data"].as_array().unwrap().iter().cloned());
            if part["has_more"] == false {
                break;
            }
            after = format!("&after={}", part["position"].as_str().unwrap());
        }
        let organizations = told
            .iter()
            .filter(|event| event["type"] == "organization.created");
        (organizations.count() >= made.len()).then_some(told)
    })
    .await;
    for (index, event) in told.iter().enumerate() {
        assert_eq!(event["seq"], index + 1, "no gap, and in order");
    }
    let ids: BTreeSet<_> = told.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), told.len(), "no event twice");
    let slugs: Vec<_> = told
        .iter()
        .filter(|event| event["type"] == "organization.created")
        .map(|event| event["data"]["slug"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(slugs.len(), made.len(), "no event without its change");
    assert_eq!(slugs.into_iter().collect::<BTreeSet<_>>(), made);
}
