//! `/v1/audit`.

use plinto_contract::events::canonical;
use plinto_history::audit;
use plinto_platform::{args, events::sequencer};
use plinto_tests::world::{Client, World};
use plinto_tlog::{Checkpoint, Hash, LogProof, VerifierKey, hash, proof};
use serde_json::{Map, Value, json};

use crate::setup::{admin, apply, client_with, each_database, pointers};

async fn make_roles(client: &Client, from: usize, to: usize) {
    for number in from..to {
        let body = json!({"key": format!("r{number}"), "name": "R"});
        client.post("/v1/roles", body).await.expect(201);
    }
}

async fn seal(world: &World) {
    sequencer::run_due_work(&world.app).await.unwrap();
    audit::seal_due(&world.app).await.unwrap();
}

async fn get(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()
}

/// What is signed, as whoever knows only the key reads it.
fn opened(checkpoint: &Value) -> (Checkpoint, VerifierKey) {
    let key: VerifierKey = checkpoint["verifier_key"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let note = checkpoint["note"].as_str().unwrap().as_bytes();
    let origin = checkpoint["origin"].as_str().unwrap();
    let opened = Checkpoint::open(note, origin, std::slice::from_ref(&key)).unwrap();
    assert_eq!(opened.size(), checkpoint["size"].as_u64().unwrap());
    (opened, key)
}

/// As the description of the records says that a leaf is made.
fn leaf_of(record: &Value) -> Hash {
    let mut leaf: Map<String, Value> = record.as_object().unwrap().clone();
    for beside in ["context", "salt", "leaf_hash"] {
        leaf.remove(beside);
    }
    hash::leaf(canonical(&Value::Object(leaf)).unwrap().as_bytes())
}

fn hashes(body: &Value) -> Vec<Hash> {
    let texts = body["hashes"].as_array().unwrap().iter();
    texts
        .map(|text| text.as_str().unwrap().parse().unwrap())
        .collect()
}

/// W9.
#[apply(each_database)]
async fn every_event_is_proven_by_what_was_signed(world: World) {
    let admin = admin(&world)
        .with("user-agent", "nightly/1")
        .from("203.0.113.7");
    make_roles(&admin, 0, 5).await;
    admin
        .get("/v1/audit/checkpoint")
        .await
        .expect_problem(409, "event_not_sealed");
    seal(&world).await;
    let checkpoint = get(&admin, "/v1/audit/checkpoint").await;
    let (signed, key) = opened(&checkpoint);
    let listed = get(&admin, "/v1/audit/records?limit=1000").await;
    let records = listed["data"].as_array().unwrap();
    assert_eq!(records.len() as u64, signed.size());
    for (index, record) in (0..).zip(records) {
        let leaf = leaf_of(record);
        assert_eq!(record["leaf_hash"], leaf.to_string());
        let id = record["id"].as_str().unwrap();
        let path = format!("/v1/audit/inclusion_proof?event_id={id}");
        let proven = get(&admin, &path).await;
        assert_eq!(proven["record"], *record);
        let hashes = hashes(&proven);
        proof::verify_inclusion(index, signed.size(), &leaf, signed.root(), &hashes).unwrap();
        let file: LogProof = proven["proof"].as_str().unwrap().parse().unwrap();
        file.verify(&leaf, key.name(), std::slice::from_ref(&key))
            .unwrap();
    }
    let with_context = records.last().unwrap();
    assert_eq!(with_context["context"]["ip"], "203.0.113.7");
    assert!(with_context["context_digest"].is_string());
}

#[apply(each_database)]
async fn a_log_that_grew_is_proven_to_begin_as_before(world: World) {
    let admin = admin(&world);
    seal(&world).await;
    let (before, _) = opened(&get(&admin, "/v1/audit/checkpoint").await);
    make_roles(&admin, 0, 3).await;
    seal(&world).await;
    let (after, _) = opened(&get(&admin, "/v1/audit/checkpoint").await);
    assert_eq!(after.size(), before.size() + 3);
    let path = format!("/v1/audit/consistency_proof?from={}", before.size());
    let proven = get(&admin, &path).await;
    proof::verify_consistency(
        before.size(),
        after.size(),
        before.root(),
        after.root(),
        &hashes(&proven),
    )
    .unwrap();
}

#[apply(each_database)]
async fn what_was_recorded_a_moment_ago_is_not_proven_yet(world: World) {
    let admin = admin(&world);
    seal(&world).await;
    make_roles(&admin, 0, 1).await;
    sequencer::run_due_work(&world.app).await.unwrap();
    let latest = get(&admin, "/v1/events?limit=1000").await;
    let id = latest["data"].as_array().unwrap().last().unwrap()["id"].clone();
    let path = format!(
        "/v1/audit/inclusion_proof?event_id={}",
        id.as_str().unwrap()
    );
    let answer = admin
        .get(&path)
        .await
        .expect_problem(409, "event_not_sealed");
    assert_eq!(answer.header("retry-after"), "10");
    seal(&world).await;
    admin.get(&path).await.expect(200);
}

#[apply(each_database)]
async fn what_makes_no_sense_is_pointed_at(world: World) {
    let admin = admin(&world);
    seal(&world).await;
    for (path, pointer) in [
        ("inclusion_proof?event_id=1", "?event_id"),
        ("inclusion_proof", "?event_id"),
        ("consistency_proof?from=0", "?from"),
        ("consistency_proof?from=x", "?from"),
        ("consistency_proof?from=1&to=100000", "?to"),
        ("consistency_proof?from=2&to=1", "?from"),
        ("records?after=-1", "?after"),
        ("records?after=100000", "?after"),
        ("records?limit=1001", "?limit"),
    ] {
        let answer = admin.get(&format!("/v1/audit/{path}")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{path}");
    }
    let weak = client_with(&world, &["roles:read"]).await;
    for path in ["checkpoint", "records", "consistency_proof?from=1"] {
        weak.get(&format!("/v1/audit/{path}"))
            .await
            .expect_problem(403, "permission_denied");
    }
}

/// Whoever tries again and again is told of once.
#[apply(each_database)]
async fn refusals_are_recorded(world: World) {
    let weak = client_with(&world, &["users:read"]).await;
    for _ in 0..3 {
        weak.get("/v1/roles")
            .await
            .expect_problem(403, "permission_denied");
    }
    let body = json!({"key": "r", "name": "R"});
    weak.post("/v1/roles", body)
        .await
        .expect_problem(403, "permission_denied");
    weak.form("/t/acme/oauth/introspect", &[("token", "x")])
        .await
        .expect(403);
    sequencer::run_due_work(&world.app).await.unwrap();
    let found = get(&admin(&world), "/v1/audit/events?result=denied").await;
    let operations: Vec<_> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["data"]["operation"].as_str().unwrap())
        .collect();
    assert_eq!(
        operations,
        [
            "POST /t/{tenant}/oauth/introspect",
            "POST /v1/roles",
            "GET /v1/roles"
        ]
    );
    assert_eq!(found["data"][0]["actor"]["id"], found["data"][0]["target"]);
    assert_eq!(found["data"][0]["actor"]["type"], "api_key");
}

#[apply(each_database)]
async fn events_are_found_by_what_one_knows_of_them(world: World) {
    let admin = admin(&world)
        .with("user-agent", "nightly/1")
        .from("203.0.113.7");
    make_roles(&admin, 0, 3).await;
    let wrong = json!({"email": "nobody@example.com", "password": "not the password"});
    world
        .anon()
        .from("198.51.100.9")
        .post("/t/acme/v1/sign_in", wrong)
        .await
        .expect(401);
    sequencer::run_due_work(&world.app).await.unwrap();
    let found = async |query: &str| -> Vec<String> {
        let list = get(&admin, &format!("/v1/audit/events?{query}")).await;
        let events = list["data"].as_array().unwrap().iter();
        events
            .map(|event| {
                event["data"]["key"]
                    .as_str()
                    .or(event["type"].as_str())
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(found("ip=203.0.113.7").await, ["r2", "r1", "r0"]);
    assert_eq!(found("ip=::ffff:203.0.113.7&limit=1").await, ["r2"]);
    assert_eq!(found("result=failure").await, ["sign_in.failed"]);
    assert_eq!(
        found("actor=anonymous&type=sign_in.*").await,
        ["sign_in.failed"]
    );
    assert_eq!(
        found("q=NIGHTLY&type=role.created").await,
        ["r2", "r1", "r0"]
    );
    assert_eq!(found("q=Wrong_Pass").await, Vec::<String>::new());
    assert_eq!(found("q=unknown_user").await, ["sign_in.failed"]);
    assert_eq!(found("to=2020-01-01T00:00:00Z").await, Vec::<String>::new());
    assert_eq!(
        found("from=2030-01-01T00:00:00Z").await,
        Vec::<String>::new()
    );
    let all = get(&admin, "/v1/audit/events?type=role.created&limit=1").await;
    let role = &all["data"][0];
    let target = role["target"].as_str().unwrap();
    assert_eq!(found(&format!("target={target}")).await, ["r2"]);
    let key = role["actor"]["id"].as_str().unwrap();
    assert_eq!(found(&format!("actor={key}")).await, ["r2", "r1", "r0"]);
    // Page after page, none twice and none left out.
    let (mut told, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&admin, &format!("/v1/audit/events?limit=3{cursor}")).await;
        let events = page["data"].as_array().unwrap().iter();
        told.extend(events.map(|event| event["seq"].as_i64().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    let count = i64::try_from(told.len()).unwrap();
    assert_eq!(told, (1..=count).rev().collect::<Vec<_>>());
    let answer = admin.get("/v1/audit/events?ip=x&result=y&from=z").await;
    let answer = answer.expect_problem(422, "validation_failed");
    assert_eq!(pointers(&answer), ["?ip", "?result", "?from"]);
    let weak = client_with(&world, &["roles:read"]).await;
    weak.get("/v1/audit/events")
        .await
        .expect_problem(403, "permission_denied");
}

/// The tree goes over tiles of 256, and over several steps of the sealer.
#[apply(each_database)]
async fn a_long_log_is_sealed_whole_and_every_change_in_it_is_found(world: World) {
    let tenant = world.acme.tenant.to_string();
    let many = "insert into event_log (stream, seq, id, type, version, created_at, result, actor_type,
        actor_id, target, data)
        with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2600)
        select (select number from event_streams where tenant_id = $1),
            (select head from event_streams where tenant_id = $1) + n,
            'evt_01jd00000000000000000' || cast(10000 + n as text), 'user.created', 1, 1, 'success', 'system', '', 't',
            '{}' from numbers";
    sequencer::run_due_work(&world.app).await.unwrap();
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(many, args![&tenant]).await.unwrap();
    let head = "update event_streams set head = head + 2600 where tenant_id = $1";
    tx.execute(head, args![&tenant]).await.unwrap();
    tx.commit().await.unwrap();
    seal(&world).await;
    assert_eq!(broken(&world).await, Vec::<String>::new());
    for (change, back, found) in [
        (
            "update event_log set result = 'failure' where seq = 700",
            "update event_log set result = 'success' where seq = 700",
            "event 700 was changed",
        ),
        (
            "update event_log set seq = 100000 where seq = 1500",
            "update event_log set seq = 1500 where seq = 100000",
            "event 1500 is missing",
        ),
        (
            "update event_log set seq = seq + 100000 where seq > 2590",
            "update event_log set seq = seq - 100000 where seq > 100000",
            "are missing",
        ),
        (
            "update event_tiles set hashes = (select hashes from event_tiles as other
                where other.level = 0 and other.number = 1 limit 1) where level = 0 and number = 2",
            "delete from event_tiles where false",
            "event 513 was changed",
        ),
    ] {
        let mut tx = world.app.db.begin().await.unwrap();
        tx.execute(change, args![]).await.unwrap();
        tx.commit().await.unwrap();
        let told = broken(&world).await;
        assert!(
            told.iter().any(|told| told.contains(found)),
            "{change}: {told:?}"
        );
        let mut tx = world.app.db.begin().await.unwrap();
        tx.execute(back, args![]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn broken(world: &World) -> Vec<String> {
    let mut told = Vec::new();
    let tenants = [world.acme.tenant];
    audit::broken_invariants(&world.app, &tenants, |broken| told.push(broken.what))
        .await
        .unwrap();
    told
}
