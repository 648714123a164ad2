//! `/v1/events` and `/v1/event_cursors`.

use std::time::Duration;

use control_plane::worker;
use plinto_platform::{args, events::sequencer};
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

use crate::setup::{admin, apply, client_with, each_database, pointers};

async fn make_role(client: &Client, key: &str) {
    let body = json!({"key": key, "name": key, "permissions": ["document:read"]});
    client.post("/v1/roles", body).await.expect(201);
}

/// What is written becomes readable by itself where a server runs; here somebody has to ask for it.
async fn read(world: &World, client: &Client, query: &str) -> Value {
    sequencer::run_due_work(&world.app).await.unwrap();
    client
        .get(&format!("/v1/events{query}"))
        .await
        .expect(200)
        .json()
}

fn types(part: &Value) -> Vec<&str> {
    let events = part["data"].as_array().unwrap().iter();
    events
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

fn numbers(part: &Value) -> Vec<i64> {
    let events = part["data"].as_array().unwrap().iter();
    events.map(|event| event["seq"].as_i64().unwrap()).collect()
}

#[apply(each_database)]
async fn events_are_numbered_without_a_gap_and_read_on_from_where_one_stood(world: World) {
    let admin = admin(&world);
    let before = read(&world, &admin, "?after=latest").await;
    assert_eq!(
        (types(&before), &before["has_more"]),
        (vec![], &json!(false))
    );
    for key in ["a", "b", "c"] {
        make_role(&admin, key).await;
    }
    let position = before["position"].as_str().unwrap();
    let first = read(&world, &admin, &format!("?limit=2&after={position}")).await;
    assert_eq!(types(&first), ["role.created", "role.created"]);
    assert_eq!(first["has_more"], true);
    let position = first["position"].as_str().unwrap();
    let second = read(&world, &admin, &format!("?after={position}")).await;
    assert_eq!(
        (types(&second), &second["has_more"]),
        (vec!["role.created"], &json!(false))
    );

    let all = read(&world, &admin, "?limit=1000").await;
    let count = i64::try_from(numbers(&all).len()).unwrap();
    assert_eq!(numbers(&all), (1..=count).collect::<Vec<_>>());
    assert_eq!(types(&all)[0], "tenant.created");
    let last = all["data"].as_array().unwrap().last().unwrap();
    assert_eq!(last["data"]["key"], "c");
    assert_eq!(last["actor"]["type"], "api_key");
    assert_eq!(last["version"], 1);
    assert_eq!(last["result"], "success");
    let same = admin
        .get(&format!("/v1/events/{}", last["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(same, *last);
}

#[apply(each_database)]
async fn a_filter_leaves_out_what_it_leaves_out_for_good(world: World) {
    let admin = admin(&world);
    make_role(&admin, "a").await;
    let some = read(&world, &admin, "?type=role.*,tenant.created&limit=3").await;
    assert_eq!(types(&some)[0], "tenant.created");
    assert!(
        types(&some)[1..]
            .iter()
            .all(|kind| kind.starts_with("role.")),
        "{some}"
    );
    assert_eq!(types(&some).len(), 3);
    let none = read(&world, &admin, "?type=organization.deleted").await;
    assert_eq!(types(&none), Vec::<&str>::new());
    // Nothing of the kind has happened up to here: whoever goes on does not look there again.
    let all = read(&world, &admin, "?limit=1000").await;
    assert_eq!(none["position"], all["position"]);
}

#[apply(each_database)]
async fn where_an_event_came_from_is_said(world: World) {
    let admin = admin(&world)
        .with("user-agent", "nightly/1")
        .from("203.0.113.7");
    make_role(&admin, "a").await;
    let all = read(&world, &admin, "?limit=1000").await;
    let last = all["data"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["context"],
        json!({"ip": "203.0.113.7", "user_agent": "nightly/1"})
    );
    assert!(last["request_id"].as_str().unwrap().starts_with("req_"));
    let first = &all["data"][0];
    assert_eq!(first["context"], json!({"ip": null, "user_agent": null}));
}

#[apply(each_database)]
async fn whoever_waits_is_answered_when_something_happens(world: World) {
    let admin = admin(&world);
    let position = read(&world, &admin, "?after=latest").await["position"].clone();
    let path = format!("/v1/events?wait=30&after={}", position.as_str().unwrap());
    let waiting = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.get(&path).await })
    };
    // Those that wait do not keep others from working.
    make_role(&admin, "a").await;
    sequencer::run_due_work(&world.app).await.unwrap();
    let answer: Answer = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(types(&answer.expect(200).json()), ["role.created"]);
    // And who waits in vain gets a place to go on from.
    let nothing = read(&world, &admin, "?wait=1&after=latest").await;
    assert_eq!(types(&nothing), Vec::<&str>::new());
    assert!(nothing["position"].is_string());
}

/// S4: a key that was revoked while its request waited gets nothing more.
#[apply(each_database)]
async fn whoever_waits_loses_the_right_with_the_key(world: World) {
    let admin = admin(&world);
    let made = json!({"name": "reader", "permissions": ["events:read"]});
    let made = admin.post("/v1/api_keys", made).await.expect(201).json();
    let reader = world.bearer(made["secret"].as_str().unwrap());
    sequencer::run_due_work(&world.app).await.unwrap();
    let path = "/v1/events?wait=30&after=latest";
    let waiting = tokio::spawn(async move { reader.get(path).await });
    // Until it waits: the tenant's events have a listener then.
    tokio::task::yield_now().await;
    let revoke = format!("/v1/api_keys/{}/revoke", made["id"].as_str().unwrap());
    admin.post_empty(&revoke).await.expect(200);
    sequencer::run_due_work(&world.app).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(10), waiting)
        .await
        .unwrap()
        .unwrap();
    answer.expect_problem(401, "api_key_invalid");
}

#[apply(each_database)]
async fn a_place_in_another_log_is_refused_by_name(world: World) {
    let admin = admin(&world);
    let other = world.tenant("globex").await;
    let other = world.bearer(other.api_key.expose());
    let position = |part: Value| part["position"].as_str().unwrap().to_owned();
    let mine = position(read(&world, &admin, "?after=latest").await);
    let theirs = position(read(&world, &other, "?after=latest").await);
    let refused = async |client: &Client, after: &str, status, code| {
        let answer = client.get(&format!("/v1/events?after={after}")).await;
        let problem = answer.expect_problem(status, code).json();
        problem["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    let named = refused(&admin, &theirs, 400, "invalid_cursor").await;
    assert_eq!(named, "other_tenant");
    let beyond = format!("{mine}0");
    assert_eq!(
        refused(&admin, &beyond, 400, "invalid_cursor").await,
        "beyond_end"
    );

    let mut tx = world.app.db.begin().await.unwrap();
    let restored = "update event_log_epochs set epoch = 'a0a0a0a0a0a0a0a0'";
    tx.execute(restored, args![]).await.unwrap();
    tx.commit().await.unwrap();
    let named = refused(&admin, &mine, 410, "event_log_restored").await;
    assert_eq!(named, "other_epoch");
}

#[apply(each_database)]
async fn what_makes_no_sense_is_pointed_at(world: World) {
    let admin = admin(&world);
    for (query, pointer) in [
        ("after=42", "?after"),
        ("after=", "?after"),
        ("type=nothing.*", "?type"),
        ("type=session", "?type"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("wait=31", "?wait"),
        ("wait=-1", "?wait"),
        ("cursor=x", "?cursor"),
    ] {
        let answer = admin.get(&format!("/v1/events?{query}")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{query}");
    }
    let answer = admin.get("/v1/events?after=1&type=x&wait=x").await;
    let answer = answer.expect_problem(422, "validation_failed");
    assert_eq!(pointers(&answer), ["?after", "?type", "?wait"]);
}

#[apply(each_database)]
async fn events_need_their_permission_and_stay_in_their_tenant(world: World) {
    let weak = client_with(&world, &["roles:read"]).await;
    for path in ["/v1/events", "/v1/events?wait=1", "/v1/event_cursors"] {
        weak.get(path)
            .await
            .expect_problem(403, "permission_denied");
    }
    let other = world.tenant("globex").await;
    let other = world.bearer(other.api_key.expose());
    let mine = read(&world, &admin(&world), "?limit=1").await;
    let id = mine["data"][0]["id"].as_str().unwrap();
    other
        .get(&format!("/v1/events/{id}"))
        .await
        .expect_problem(404, "not_found");
    let theirs = read(&world, &other, "?limit=1000").await;
    let tenants = theirs["data"].as_array().unwrap().iter();
    assert!(
        tenants
            .clone()
            .all(|event| event["tenant_id"] != world.acme.tenant.to_string())
    );
    assert_eq!(numbers(&theirs)[0], 1);
}

#[apply(each_database)]
async fn a_place_is_kept_under_a_name(world: World) {
    let admin = admin(&world);
    let path = "/v1/event_cursors/billing";
    admin.get(path).await.expect_problem(404, "not_found");
    let part = read(&world, &admin, "?limit=2").await;
    let body = json!({"position": part["position"]});
    let kept = admin.put(path, body.clone()).await.expect(200).json();
    assert_eq!(
        (&kept["name"], &kept["position"]),
        (&json!("billing"), &part["position"])
    );
    assert_eq!(admin.get(path).await.expect(200).json(), kept);
    let listed = admin.get("/v1/event_cursors").await.expect(200).json();
    assert_eq!(listed["data"], json!([kept]));

    let answer = admin.put(path, json!({"position": "latest"})).await;
    let answer = answer.expect_problem(422, "validation_failed");
    assert_eq!(pointers(&answer), ["/position"]);
    let beyond = format!("{}0", part["position"].as_str().unwrap());
    let answer = admin.put(path, json!({"position": beyond})).await;
    let answer = answer.expect_problem(400, "invalid_cursor");
    assert_eq!(pointers(&answer), ["/position"]);
    // Names of which a path can't be made.
    for name in ["..a", "%2e%2e"] {
        admin
            .put(&format!("/v1/event_cursors/{name}"), body.clone())
            .await
            .expect_problem(422, "validation_failed");
    }
    assert_eq!(admin.get(path).await.expect(200).json(), kept);
    admin
        .put("/v1/event_cursors/no%20name", body)
        .await
        .expect_problem(422, "validation_failed");
    admin.delete(path).await.expect(204);
    admin.delete(path).await.expect_problem(404, "not_found");
}

#[apply(each_database)]
async fn background_work_leaves_nothing_in_the_outbox(world: World) {
    make_role(&admin(&world), "a").await;
    worker::run_due_work(&world.app).await;
    let mut tx = world.app.db.read().await.unwrap();
    let (left,): (i64,) = tx
        .one("select count(*) from outbox", args![])
        .await
        .unwrap();
    assert_eq!(left, 0);
}
