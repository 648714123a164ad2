//! Whose authority ends while their request is under way: it writes nothing. Statements S4, Z6.

use std::{collections::BTreeSet, convert::Infallible};

use axum::{body::Body, http::Method};
use futures_util::{
    future::{Either, select},
    stream,
};
use plinto_platform::{args, clock::Clock as _, db::Held};
use plinto_tests::world::{Answer, Client, Engine, World};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tokio::sync::oneshot;

use crate::setup::{
    BY_ROLE, CLOSED, OTHER_PASSWORD, PASSWORD, Person, activate, admin, apply, bundle_of,
    each_database, each_database_with_threads, manage, publish, sign_in, sign_up, text,
    try_sign_in,
};

const LESSEN_ROLE: &str =
    "update roles set management_permissions = '[]', updated_at = $2 where id = $1";
const REVOKE_KEY: &str = "update api_keys set revoked_at = $2 where id = $1";
const EXPIRE_KEY: &str = "update api_keys set expires_at = $2 where id = $1";
const LESSEN_KEY: &str =
    "update api_keys set permissions = '[\"roles:read\"]', created_at = $2 where id = $1";
const DISABLE: &str = "update users set status = 'disabled', disabled_at = $2 where id = $1";
const END_SESSIONS: &str =
    "update users set session_epoch = session_epoch + 1, sessions_ended_at = $2 where id = $1";
const OUTDATE: &str =
    "update users set token_epoch = token_epoch + 1, tokens_outdated_at = $2 where id = $1";
const REVOKE_SESSION: &str =
    "update sessions set revoked_at = $2, revoked_reason = 'by_user' where id = $1";
const END_ALL_SESSIONS: &str =
    "update tenants set session_epoch = session_epoch + 1, sessions_ended_at = $2 where id = $1";

/// Withdraws something after `request` was let in, while it waits for its turn to write.
/// `whose`: the id in `withdrawal`; `held`: what whoever withdraws it holds alone.
async fn withdrawn_midway(
    world: &World,
    (withdrawal, whose, held): (&'static str, &str, &str),
    request: impl Future<Output = Answer>,
) -> Answer {
    let mut tx = world.app.db.begin().await.unwrap();
    tx.hold_alone(held).await.unwrap();
    let at = world.clock.now();
    assert_eq!(tx.execute(withdrawal, args![whose, at]).await.unwrap(), 1);
    match select(Box::pin(request), Box::pin(somebody_waits(world))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), request)) => {
            let (committed, answer) = tokio::join!(tx.commit(), request);
            committed.unwrap();
            answer
        }
    }
}

/// Until a transaction waits behind the one that is under way.
async fn somebody_waits(world: &World) {
    if world.app.db.engine() == "sqlite" {
        while world.app.db.waiting_writers() == 0 {
            tokio::task::yield_now().await;
        }
        return;
    }
    let mut connection = PgConnection::connect(&world.database().url).await.unwrap();
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    loop {
        let (count,): (i64,) = sqlx::query_as(waiting)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if count > 0 {
            return;
        }
    }
}

/// Every row of every table, but for what `withdrawn_midway` changes itself.
async fn content(world: &World) -> Vec<String> {
    let url = &world.database().url;
    let mut content = Vec::new();
    if world.app.db.engine() == "sqlite" {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let columns = "select m.name, group_concat('quote(' || c.name || ')', '||')
            from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table'
            group by m.name order by m.name";
        let tables: Vec<(String, String)> = sqlx::query_as(columns)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for (table, row) in tables {
            let sql = format!("select '{table} ' || {row} from {table} order by 1");
            let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            content.extend(rows.into_iter().map(|(row,)| row));
        }
        return content;
    }
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "select tablename::text from pg_tables where schemaname = 'public' order by 1";
    let tables: Vec<(String,)> = sqlx::query_as(tables)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    for (table,) in tables {
        let sql = format!("select '{table} ' || t::text from {table} t order by 1");
        let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        content.extend(rows.into_iter().map(|(row,)| row));
    }
    content
}

/// How many rows differ. Whether an event raises the end of its log at once is the engine's affair, and that
/// somebody was refused is recorded.
fn changes(before: Vec<String>, after: Vec<String>) -> usize {
    let is_told =
        |row: &String| !row.starts_with("event_streams ") && !row.contains("access.denied");
    let (before, after) = (
        before.into_iter().filter(is_told),
        after.into_iter().filter(is_told),
    );
    let before: BTreeSet<String> = before.collect();
    let after: BTreeSet<String> = after.collect();
    after.difference(&before).count()
}

/// A write: how `OpenAPI` names it, and a request that would succeed.
struct Write {
    operation: &'static str,
    path: String,
    media_type: &'static str,
    body: Vec<u8>,
}

impl Write {
    fn new(operation: &'static str, ids: &[(&str, &str)], body: &Value) -> Self {
        let (_, path) = operation.split_once(' ').unwrap();
        let mut path = path.replace("{tenant}", "acme");
        for (name, id) in ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        Self {
            operation,
            path,
            media_type: "application/json",
            body,
        }
    }

    async fn send(&self, client: &Client) -> Answer {
        let (method, _) = self.operation.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let media_type = (!self.body.is_empty()).then_some(self.media_type);
        let body = Body::from(self.body.clone());
        client.send(method, &self.path, media_type, body).await
    }
}

/// What a machine may write, with a body that is fine and ids that exist.
#[expect(clippy::too_many_lines, reason = "a table")]
async fn of_machines(world: &World) -> Vec<Write> {
    let admin = admin(world);
    let bob = sign_up(world, "bob").await;
    let user = bob.id.to_string();
    let session = bob.session.to_string();
    let made = async |path: &str, body: Value| {
        let made = admin.post(path, body).await.expect(201).json();
        text(&made["id"])
    };
    let key = made(
        "/v1/api_keys",
        json!({"name": "victim", "permissions": ["roles:read"]}),
    )
    .await;
    let role = made(
        "/v1/roles",
        json!({"key": "auditor", "name": "Auditor", "permissions": []}),
    )
    .await;
    let organization = made("/v1/organizations", json!({"slug": "o", "name": "O"})).await;
    let carol = sign_up(world, "carol").await.id.to_string();
    for member in [&carol, &user] {
        let body = json!({"user_id": member, "roles": ["owner"]});
        let path = format!("/v1/organizations/{organization}/members");
        admin.post(&path, body).await.expect(201);
    }
    let body = json!({"user_id": user, "roles": ["owner"]});
    admin.post("/v1/administrators", body).await.expect(201);
    let dave = sign_up(world, "dave").await.id.to_string();
    let revision = publish(&admin, bundle_of(BY_ROLE)).await;
    activate(&admin, &revision).await;
    let second = publish(&admin, bundle_of(CLOSED)).await;
    activate(&admin, &second).await;
    let signing_keys = admin.get("/v1/signing_keys").await.expect(200).json();
    let signing_key = text(&signing_keys["data"][0]["id"]);
    let part = admin
        .get("/v1/events?after=latest")
        .await
        .expect(200)
        .json();
    let position = json!({"position": part["position"]});
    admin
        .put("/v1/event_cursors/kept", position.clone())
        .await
        .expect(200);
    let ids = [
        ("event_cursor", "kept"),
        ("api_key_id", key.as_str()),
        ("role_id", &role),
        ("organization_id", &organization),
        ("user_id", &user),
        ("session_id", &session),
        ("revision", &revision),
        ("signing_key_id", &signing_key),
    ];
    let none = Value::Null;
    let write = |operation, body: &Value| Write::new(operation, &ids, body);
    let bundle = Write {
        media_type: "application/gzip",
        body: bundle_of(&format!("{BY_ROLE}\n# another\n")),
        ..write("POST /v1/policies/bundles", &none)
    };
    vec![
        bundle,
        write(
            "POST /v1/api_keys",
            &json!({"name": "fresh", "permissions": ["roles:read"]}),
        ),
        write("POST /v1/api_keys/{api_key_id}/revoke", &none),
        write(
            "POST /v1/organizations",
            &json!({"slug": "new", "name": "New"}),
        ),
        write(
            "PATCH /v1/organizations/{organization_id}",
            &json!({"name": "Other"}),
        ),
        write("DELETE /v1/organizations/{organization_id}", &none),
        write(
            "POST /v1/organizations/{organization_id}/members",
            &json!({"user_id": dave, "roles": ["owner"]}),
        ),
        write(
            "PATCH /v1/organizations/{organization_id}/members/{user_id}",
            &json!({"roles": ["auditor"]}),
        ),
        write(
            "DELETE /v1/organizations/{organization_id}/members/{user_id}",
            &none,
        ),
        write(
            "POST /v1/administrators",
            &json!({"user_id": dave, "roles": ["auditor"]}),
        ),
        write(
            "PATCH /v1/administrators/{user_id}",
            &json!({"roles": ["member"]}),
        ),
        write("DELETE /v1/administrators/{user_id}", &none),
        write("PUT /v1/event_cursors/{event_cursor}", &position),
        write("DELETE /v1/event_cursors/{event_cursor}", &none),
        write("POST /v1/policies/bundles/{revision}/activate", &none),
        write("POST /v1/policies/rollback", &none),
        write(
            "POST /v1/roles",
            &json!({"key": "new", "name": "New", "permissions": []}),
        ),
        write("PATCH /v1/roles/{role_id}", &json!({"name": "Other"})),
        write("DELETE /v1/roles/{role_id}", &none),
        write("POST /v1/sessions/{session_id}/revoke", &none),
        write("POST /v1/signing_keys/rotate", &json!({"purpose": "token"})),
        write("POST /v1/signing_keys/{signing_key_id}/withdraw", &none),
        write("PATCH /v1/tenant", &json!({"name": "Other"})),
        write("POST /v1/tenant/revoke_sessions", &none),
        write("POST /v1/users/{user_id}/disable", &none),
        write("POST /v1/users/{user_id}/enable", &none),
        write("POST /v1/users/{user_id}/revoke_sessions", &none),
        write("POST /v1/users/{user_id}/unlock", &none),
    ]
}

/// What a person may write.
fn of_people(person: &Person) -> Vec<Write> {
    let session = person.session.to_string();
    let ids = [("session_id", session.as_str())];
    let write = |operation, body: &Value| Write::new(operation, &ids, body);
    vec![
        write(
            "POST /t/{tenant}/v1/me/password",
            &json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD}),
        ),
        write(
            "POST /t/{tenant}/v1/me/organization",
            &json!({"organization_id": null, "refresh_token": person.refresh_token}),
        ),
        write(
            "POST /t/{tenant}/v1/me/sessions/{session_id}/revoke",
            &Value::Null,
        ),
        write("POST /t/{tenant}/v1/sign_out", &Value::Null),
    ]
}

/// Open to everybody: what is presented decides, in the statement that spends it.
const OPEN: [&str; 5] = [
    "POST /t/{tenant}/oauth/introspect",
    "POST /t/{tenant}/oauth/revoke",
    "POST /t/{tenant}/oauth/token",
    "POST /t/{tenant}/v1/sign_in",
    "POST /t/{tenant}/v1/sign_up",
];

/// Every write that `OpenAPI` names.
fn documented() -> BTreeSet<String> {
    let api = json!(control_plane::router::openapi());
    let mut writes = BTreeSet::new();
    for (path, operations) in api["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"] {
            if operations.get(method).is_some() {
                writes.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    writes
}

async fn all_permissions(world: &World) -> (Client, String) {
    let permissions: Vec<_> = plinto_platform::actor::Permission::ALL
        .iter()
        .map(|permission| permission.as_str())
        .collect();
    let body = json!({"name": "acting", "permissions": permissions});
    let made = admin(world).post("/v1/api_keys", body).await.expect(201);
    let made = made.json();
    let client = world
        .bearer(&text(&made["secret"]))
        .with("if-match", "\"1\"");
    // Used once, so that its next use is not noted as the first.
    client.get("/v1/roles").await.expect(200);
    (client, text(&made["id"]))
}

#[apply(each_database)]
async fn no_write_of_a_machine_outlives_its_key(world: World) {
    let writes = of_machines(&world).await;
    world.clock.advance_seconds(3_600);
    for write in &writes {
        let (client, key) = all_permissions(&world).await;
        let before = content(&world).await;
        let request = write.send(&client);
        let answer = withdrawn_midway(&world, (REVOKE_KEY, &key, &key), request).await;
        let told = format!("{}: {}", write.operation, answer.text());
        assert_eq!(answer.status, 401, "{told}");
        assert_eq!(answer.json()["code"], "api_key_invalid", "{told}");
        assert_eq!(changes(before, content(&world).await), 1, "{told}");
    }
}

#[apply(each_database)]
async fn no_write_of_a_person_outlives_their_session(world: World) {
    let alice = sign_up(&world, "alice").await;
    for at in 0..of_people(&alice).len() {
        let alice = sign_in(&world, &alice).await;
        let write = of_people(&alice).remove(at);
        let before = content(&world).await;
        let client = alice.client(&world);
        let session = alice.session.to_string();
        let request = write.send(&client);
        let answer = withdrawn_midway(&world, (REVOKE_SESSION, &session, &session), request).await;
        let told = format!("{}: {}", write.operation, answer.text());
        assert_eq!(answer.status, 401, "{told}");
        assert_eq!(answer.json()["code"], "token_revoked", "{told}");
        assert_eq!(changes(before, content(&world).await), 1, "{told}");
    }
}

/// Whatever an administrator writes: with a right that ends midway it changes nothing.
#[apply(each_database)]
async fn no_write_of_an_administrator_outlives_their_role(world: World) {
    let writes = of_machines(&world).await;
    let alice = sign_up(&world, "alice").await;
    world.clock.advance_seconds(3_600);
    for (at, write) in writes.iter().enumerate() {
        let key = format!("acting{at}");
        let all: Vec<_> = plinto_platform::actor::Permission::ALL
            .iter()
            .map(|permission| permission.as_str())
            .collect();
        let body = json!({"key": key, "name": key, "management_permissions": all});
        let made = admin(&world).post("/v1/roles", body).await.expect(201);
        let role = text(&made.json()["id"]);
        let path = format!("/v1/administrators/{}", alice.id);
        let body = json!({"user_id": alice.id, "roles": [key]});
        admin(&world).delete(&path).await;
        let made = admin(&world).post("/v1/administrators", body).await;
        made.expect(201);
        let client = manage(&world, &alice).await.client(&world);
        let client = client.with("if-match", "\"1\"");
        let before = content(&world).await;
        let held = format!("rights in {}", world.acme.tenant);
        let request = write.send(&client);
        let answer = withdrawn_midway(&world, (LESSEN_ROLE, &role, &held), request).await;
        let told = format!("{}: {}", write.operation, answer.text());
        assert_eq!(answer.status, 403, "{told}");
        assert_eq!(answer.json()["code"], "permission_denied", "{told}");
        assert_eq!(changes(before, content(&world).await), 1, "{told}");
    }
}

/// A write that is added is added here too, or open to everybody.
#[tokio::test]
async fn every_write_is_tried_while_its_authority_ends() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let mut tried: BTreeSet<String> = OPEN.iter().map(|write| (*write).to_owned()).collect();
    for write in of_machines(&world).await.iter().chain(&of_people(&alice)) {
        tried.insert(write.operation.to_owned());
    }
    assert_eq!(documented(), tried);
}

#[apply(each_database)]
async fn however_a_keys_authority_ends_the_write_knows(world: World) {
    let ends = [
        (REVOKE_KEY, 401, "api_key_invalid"),
        (EXPIRE_KEY, 401, "api_key_invalid"),
        (LESSEN_KEY, 403, "permission_denied"),
    ];
    for (end, status, code) in ends {
        let (client, key) = all_permissions(&world).await;
        let body = json!({"name": "fresh", "permissions": ["users:write"]});
        let request = client.post("/v1/api_keys", body);
        withdrawn_midway(&world, (end, &key, &key), request)
            .await
            .expect_problem(status, code);
    }
}

#[apply(each_database)]
async fn however_a_persons_authority_ends_the_write_knows(world: World) {
    let alice = sign_up(&world, "alice").await;
    let tenant = world.acme.tenant.to_string();
    for end in [
        END_SESSIONS,
        OUTDATE,
        REVOKE_SESSION,
        END_ALL_SESSIONS,
        DISABLE,
    ] {
        let alice = sign_in(&world, &alice).await;
        let (user, session) = (alice.id.to_string(), alice.session.to_string());
        let whose = match end {
            REVOKE_SESSION => &session,
            END_ALL_SESSIONS => &tenant,
            _ => &user,
        };
        let client = alice.client(&world);
        let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
        let request = client.post("/t/acme/v1/me/password", body);
        let answer = withdrawn_midway(&world, (end, whose, whose), request).await;
        let is_outdated = end == OUTDATE;
        let code = if is_outdated {
            "token_outdated"
        } else {
            "token_revoked"
        };
        answer.expect_problem(401, code);
        // Tokens that are made from now on are good again.
        world.clock.advance_seconds(601);
    }
}

/// A body whose first part is there and whose rest comes when somebody says so. Also: a signal that
/// the server waits for it.
fn dawdling(body: &Value) -> (Body, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let (asked, is_asked) = oneshot::channel();
    let (go_on, may_go_on) = oneshot::channel();
    let mut text = body.to_string();
    let rest = text.split_off(1);
    let first = stream::iter([Ok::<_, Infallible>(text)]);
    let rest = stream::once(async move {
        let _ = asked.send(());
        may_go_on.await.unwrap();
        Ok(rest)
    });
    let both = futures_util::StreamExt::chain(first, rest);
    (Body::from_stream(both), is_asked, go_on)
}

#[apply(each_database)]
async fn a_key_revoked_while_its_own_request_is_being_sent_makes_no_key(world: World) {
    for idempotent in [false, true] {
        let (mut client, key) = all_permissions(&world).await;
        if idempotent {
            client = client.with("idempotency-key", "\"once\"");
        }
        let before = content(&world).await;
        let wanted = json!({"name": "fresh", "permissions": ["api_keys:write"]});
        let (body, is_asked, go_on) = dawdling(&wanted);
        let request = client.send(Method::POST, "/v1/api_keys", Some("application/json"), body);
        let revocation = async {
            is_asked.await.unwrap();
            let path = format!("/v1/api_keys/{key}/revoke");
            admin(&world).post_empty(&path).await.expect(200);
            go_on.send(()).unwrap();
        };
        let (answer, ()) = tokio::join!(request, revocation);
        answer.expect_problem(401, "api_key_invalid");
        // The key, and the event that says so.
        assert_eq!(changes(before, content(&world).await), 2);
    }
}

/// What was answered once may hold a secret: it is not told again to a key that is revoked by now.
#[apply(each_database)]
async fn a_kept_answer_is_not_told_to_a_key_revoked_while_it_asked_again(world: World) {
    let (client, key) = all_permissions(&world).await;
    let client = client.with("idempotency-key", "\"once\"");
    let wanted = json!({"name": "fresh", "permissions": ["roles:read"]});
    client
        .post("/v1/api_keys", wanted.clone())
        .await
        .expect(201);
    let again = client.post("/v1/api_keys", wanted);
    let answer = withdrawn_midway(&world, (REVOKE_KEY, &key, &key), again).await;
    answer.expect_problem(401, "api_key_invalid");
}

/// Sends a new password of `person` so that its last part is there only after `meanwhile`.
async fn change_password_during(
    world: &World,
    person: &Person,
    meanwhile: impl Future<Output = ()>,
) -> Answer {
    let (body, is_asked, go_on) =
        dawdling(&json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD}));
    let client = person.client(world);
    let path = "/t/acme/v1/me/password";
    let request = client.send(Method::POST, path, Some("application/json"), body);
    let change = async {
        is_asked.await.unwrap();
        meanwhile.await;
        go_on.send(()).unwrap();
    };
    tokio::join!(request, change).0
}

async fn has_kept_their_password(world: &World, person: &Person) {
    let answer = try_sign_in(&world.anon(), &person.email, PASSWORD).await;
    answer.expect(200);
}

#[apply(each_database)]
async fn a_user_disabled_while_their_request_is_being_sent_keeps_their_password(world: World) {
    let alice = sign_up(&world, "alice").await;
    let user = format!("/v1/users/{}", alice.id);
    let answer = change_password_during(&world, &alice, async {
        let path = format!("{user}/disable");
        admin(&world).post_empty(&path).await.expect(200);
    })
    .await;
    answer.expect_problem(401, "token_revoked");
    let path = format!("{user}/enable");
    admin(&world).post_empty(&path).await.expect(200);
    has_kept_their_password(&world, &alice).await;
}

#[apply(each_database)]
async fn a_token_whose_key_is_withdrawn_while_its_request_is_being_sent_changes_nothing(
    world: World,
) {
    let alice = sign_up(&world, "alice").await;
    let answer = change_password_during(&world, &alice, async {
        let keys = admin(&world).get("/v1/signing_keys").await.expect(200);
        let keys = keys.json();
        let mut keys = keys["data"].as_array().unwrap().iter();
        let signs = |key: &&Value| key["purpose"] == "token" && key["state"] == "active";
        let signer = keys.find(signs).unwrap();
        let path = format!("/v1/signing_keys/{}/withdraw", text(&signer["id"]));
        admin(&world).post_empty(&path).await.expect(200);
    })
    .await;
    // Its body is waited for first: the key is not known any more when the token is looked at.
    answer.expect_problem(401, "token_invalid");
    has_kept_their_password(&world, &alice).await;
}

#[apply(each_database)]
async fn an_access_token_that_runs_out_while_its_request_is_being_sent_changes_nothing(
    world: World,
) {
    let alice = sign_up(&world, "alice").await;
    let answer = change_password_during(&world, &alice, async {
        world.clock.advance_seconds(600 + 30);
    })
    .await;
    answer.expect_problem(401, "token_expired");
    has_kept_their_password(&world, &alice).await;
}

/// Another process keeps a key for a moment after it was revoked here: enough to read, not to write.
#[apply(each_database)]
async fn a_process_that_still_knows_a_revoked_key_lets_it_write_nothing(world: World) {
    let (_, key) = all_permissions(&world).await;
    let made = admin(&world)
        .post(
            "/v1/api_keys",
            json!({"name": "b", "permissions": ["roles:read", "roles:write"]}),
        )
        .await
        .expect(201)
        .json();
    let bearer = format!("Bearer {}", text(&made["secret"]));
    let there = world.elsewhere().await.with("authorization", &bearer);
    there.get("/v1/roles").await.expect(200);
    for id in [text(&made["id"]), key] {
        let path = format!("/v1/api_keys/{id}/revoke");
        admin(&world).post_empty(&path).await.expect(200);
    }
    there.get("/v1/roles").await.expect(200);
    let body = json!({"key": "new", "name": "New", "permissions": []});
    there
        .post("/v1/roles", body)
        .await
        .expect_problem(401, "api_key_invalid");
}

/// Whoever floods with a key does not keep out its revocation: it queues among the writes.
#[apply(each_database_with_threads)]
async fn a_key_that_writes_without_pause_can_be_revoked(world: World) {
    let (client, key) = all_permissions(&world).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6 {
        let client = client.clone();
        writers.spawn(async move {
            for round in 0..100_000 {
                let body = json!({"slug": format!("o{writer}-{round}"), "name": "O"});
                let answer = client.post("/v1/organizations", body).await;
                if answer.status == 401 {
                    return;
                }
            }
        });
    }
    let path = format!("/v1/api_keys/{key}/revoke");
    admin(&world).post_empty(&path).await.expect(200);
    writers.join_all().await;
}

mod on_postgres {
    use super::*;

    /// A write that has begun is finished before its authority ends: whoever ends it waits. On `SQLite`
    /// everybody does.
    #[tokio::test]
    async fn whoever_ends_an_authority_waits_for_the_writes_that_act_by_it() {
        let world = World::on(Engine::Postgres).await;
        let (_, key) = all_permissions(&world).await;
        let bob = sign_up(&world, "bob").await;
        let (user, session) = (bob.id.to_string(), bob.session.to_string());
        let tenant = world.acme.tenant.to_string();
        let keys = admin(&world).get("/v1/signing_keys").await.expect(200);
        let signing_key = text(&keys.json()["data"][0]["id"]);
        let ends = [
            (format!("/v1/api_keys/{key}/revoke"), &key),
            (format!("/v1/sessions/{session}/revoke"), &session),
            (format!("/v1/users/{user}/revoke_sessions"), &user),
            (format!("/v1/users/{user}/disable"), &user),
            (format!("/v1/signing_keys/{signing_key}/withdraw"), &tenant),
            ("/v1/tenant/revoke_sessions".to_owned(), &tenant),
        ];
        for (path, acted_by) in ends {
            let held = Held::default().shared(acted_by);
            let writing = world.app.db.begin_holding(&held).await.unwrap();
            let client = admin(&world);
            let ending = Box::pin(client.post_empty(&path));
            let Either::Right(((), ending)) =
                select(ending, Box::pin(somebody_waits(&world))).await
            else {
                panic!("{path} did not wait");
            };
            writing.commit().await.unwrap();
            let answer = ending.await;
            assert!(answer.status.is_success(), "{path}: {}", answer.text());
        }
    }
}
