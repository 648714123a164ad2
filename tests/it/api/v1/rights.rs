//! Ways round the rights of people who use the management API, and what closes each. Statements W7, Z6.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{
    StreamExt as _,
    future::{Either, select},
    stream,
};
use plinto_platform::http::Slots;
use plinto_tests::world::{Engine, World};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::timeout;

use crate::setup::{
    Person, admin, apply, client_with, each_database, execute, manage, refresh, sign_up, text,
};

async fn appoint(world: &World, person: &Person, roles: &[&str]) {
    let body = json!({"user_id": person.id, "roles": roles});
    admin(world)
        .post("/v1/administrators", body)
        .await
        .expect(201);
}

async fn role(world: &World, key: &str, permissions: &[&str], management: &[&str]) -> String {
    let body = json!({
        "key": key, "name": key, "permissions": permissions, "management_permissions": management,
    });
    let made = admin(world).post("/v1/roles", body).await.expect(201);
    text(&made.json()["id"])
}

/// An organization with an owner, and members with one role each.
async fn company(world: &World, slug: &str, members: &[(&Person, &str)]) -> String {
    let owner = sign_up(world, &format!("{slug}-owner")).await;
    let body = json!({"slug": slug, "name": slug, "owner_id": owner.id});
    let made = admin(world)
        .post("/v1/organizations", body)
        .await
        .expect(201);
    let id = text(&made.json()["id"]);
    for (person, role) in members {
        let body = json!({"user_id": person.id, "roles": [role]});
        let path = format!("/v1/organizations/{id}/members");
        admin(world).post(&path, body).await.expect(201);
    }
    id
}

fn dawdling(first: impl Into<Bytes>) -> Body {
    let first = stream::iter([Ok::<_, std::io::Error>(first.into())]);
    Body::from_stream(first.chain(stream::pending()))
}

/// W7: somebody without rights, who signed up a moment ago, has nothing large to send, and holds no slot
/// while they don't.
#[tokio::test]
async fn whoever_has_no_rights_dawdles_in_no_slot() {
    let world = World::with(|config| config.http.concurrency = 32).await;
    let mallory = sign_up(&world, "mallory").await;
    let client = manage(&world, &mallory).await.client(&world);
    let mut dawdlers = tokio::task::JoinSet::new();
    for number in 0..32 {
        let key = format!("k{number}");
        let client = client.clone().with("idempotency-key", &key);
        dawdlers.spawn(async move {
            let body = dawdling(vec![b'x'; 100_000]);
            client
                .post_bytes("/v1/roles", "application/json", body)
                .await
        });
    }
    let answers = timeout(Duration::from_mins(1), dawdlers.join_all()).await;
    for answer in answers.expect("they wait in their slots") {
        answer.expect_problem(413, "payload_too_large");
    }
    let free = world.app.state::<Slots>().work().available_permits();
    assert_eq!(free, 32);
}

/// Z5: a kept answer may hold a secret, and is told only to who may still do what was asked.
#[apply(each_database)]
async fn a_kept_answer_is_not_told_to_somebody_whose_rights_have_ended(world: World) {
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let client = manage(&world, &alice)
        .await
        .client(&world)
        .with("idempotency-key", "\"once\"");
    let wanted = json!({"name": "fresh", "permissions": ["roles:read"]});
    client
        .post("/v1/api_keys", wanted.clone())
        .await
        .expect(201);
    let path = format!("/v1/administrators/{}", alice.id);
    admin(&world).delete(&path).await.expect(204);
    let again = client.post("/v1/api_keys", wanted).await;
    again.expect_problem(403, "permission_denied");
}

/// Z6: tokens carry role keys, and policies read them: a role without permissions is not one without
/// meaning.
#[apply(each_database)]
async fn an_admin_gives_no_role_that_says_something_only_by_its_name(world: World) {
    let carol = sign_up(&world, "carol").await;
    role(&world, "plinto-staff", &[], &[]).await;
    let one = company(&world, "one", &[(&carol, "admin")]).await;
    let managing = manage(&world, &carol).await.client(&world);
    let path = format!("/v1/organizations/{one}/members/{}", carol.id);
    let body = json!({"roles": ["admin", "plinto-staff"]});
    let refused = managing.patch(&path, body).await;
    refused.expect_problem(403, "permission_denied");
}

/// Z6: nor is that of owners, in a tenant that gave it no more than others.
#[apply(each_database)]
async fn an_admin_makes_nobody_an_owner_whatever_owners_may(world: World) {
    let carol = sign_up(&world, "carol").await;
    let one = company(&world, "one", &[(&carol, "admin")]).await;
    let roles = admin(&world).get("/v1/roles").await.expect(200).json();
    let rows = roles["data"].as_array().unwrap();
    let owner = rows.iter().find(|role| role["key"] == "owner").unwrap();
    let path = format!("/v1/roles/{}", text(&owner["id"]));
    let seen = admin(&world).with("if-match", "\"1\"");
    seen.patch(&path, json!({"permissions": []}))
        .await
        .expect(200);
    let managing = manage(&world, &carol).await.client(&world);
    let path = format!("/v1/organizations/{one}/members/{}", carol.id);
    let refused = managing.patch(&path, json!({"roles": ["owner"]})).await;
    refused.expect_problem(403, "permission_denied");
}

/// One row that can't be read costs who has that role, not everybody.
#[apply(each_database)]
async fn a_role_that_cannot_be_read_hurts_only_who_has_it(world: World) {
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    role(&world, "of-a-newer-process", &[], &[]).await;
    execute(
        &world,
        "update roles set management_permissions = '[\"audit:read\"]' where key = 'of-a-newer-process'",
    )
    .await;
    let managing = manage(&world, &alice).await.client(&world);
    managing.get("/v1/users").await.expect(200);
}

/// What ended a session is told as it was.
#[tokio::test]
async fn a_session_that_a_person_ended_was_not_ended_by_an_api_key() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    appoint(&world, &alice, &["administrator"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    let path = format!("/v1/sessions/{}/revoke", bob.session);
    let ended = managing.post_empty(&path).await.expect(200).json();
    assert_ne!(ended["revoked_reason"], "by_api_key");
}

/// Z6: who could not end somebody's being an administrator disables them.
#[tokio::test]
async fn nobody_disables_whoever_may_more() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    role(&world, "support", &[], &["users:read", "users:write"]).await;
    appoint(&world, &alice, &["support"]).await;
    appoint(&world, &bob, &["administrator"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    let path = format!("/v1/users/{}/disable", bob.id);
    let refused = managing.post_empty(&path).await;
    refused.expect_problem(403, "permission_denied");
}

/// "A management token opens no application."
#[tokio::test]
async fn no_applications_audience_is_one_that_management_tokens_have() {
    let world = World::new().await;
    let client = admin(&world).with("if-match", "\"1\"");
    for audience in ["http://127.0.0.1:7400/t/acme", "http://127.0.0.1:7400/v1"] {
        let refused = client
            .patch("/v1/tenant", json!({"audience": audience}))
            .await;
        refused.expect_problem(422, "validation_failed");
    }
}

/// An issuer may be as long as the public URL makes it.
#[tokio::test]
async fn a_long_public_url_does_not_keep_people_out() {
    let host = ["a23456789.b23456789"; 10].join(".");
    let url = format!("https://{host}.example");
    let world = World::with(|config| config.public_url = url.parse().unwrap()).await;
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let body = json!({
        "email": alice.email, "password": crate::setup::PASSWORD, "resource": format!("{url}/v1"),
    });
    let answer = world.anon().post("/t/acme/v1/sign_in", body).await;
    let managing = Person::of(&answer.expect(200)).client(&world);
    managing.get("/t/acme/v1/me").await.expect(200);
    managing.get("/v1/users").await.expect(200);
}

/// Z2: which tenant a request names is one of those that the person administers, in whatever form.
#[apply(each_database)]
async fn odd_names_of_tenants_open_nothing(world: World) {
    let globex = world.tenant("globex").await;
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    for (name, status) in [
        ("acme", 200),
        ("ACME", 403),
        ("", 403),
        (" acme", 200),
        ("acme,globex", 403),
        ("globex", 403),
        (&world.acme.tenant.to_string(), 403),
        (&globex.tenant.to_string(), 403),
    ] {
        let answer = managing
            .clone()
            .with("plinto-tenant", name)
            .get("/v1/users")
            .await;
        assert!(
            [status, 403].contains(&answer.status.as_u16()),
            "{name:?}: {}",
            answer.text()
        );
    }
    // Another process looks for itself.
    let token = format!("Bearer {}", manage(&world, &alice).await.access_token);
    let there = world.elsewhere().await.with("authorization", &token);
    there.get("/v1/users").await.expect(200);
    let path = format!("/v1/administrators/{}", alice.id);
    admin(&world).delete(&path).await.expect(204);
    there.get("/v1/users").await.expect(403);
}

/// T9: an application that asks by introspection takes none that is for the management API.
#[tokio::test]
async fn an_application_that_introspects_takes_no_management_token() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let managing = manage(&world, &alice).await;
    for token in [&managing.access_token, &managing.refresh_token] {
        let answer = client_with(&world, &["tokens:introspect"])
            .await
            .form("/t/acme/oauth/introspect", &[("token", token)])
            .await;
        let answer = answer.expect(200).json();
        assert_eq!(answer, json!({"active": false}));
    }
}

/// A database of an earlier version, whose tenant makes a role `administrator` of its own.
#[apply(each_database)]
async fn a_database_of_before_goes_on(world: World) {
    let alice = sign_up(&world, "alice").await;
    let one = company(&world, "one", &[(&alice, "admin")]).await;
    for sql in [
        "delete from roles where key = 'administrator'",
        "drop table administrator_roles",
        "drop table administrators",
        "drop index member_roles_tenant_id_user_id",
        "alter table roles drop column management_permissions",
        "alter table sessions drop column is_for_management",
        "delete from _sqlx_migrations where version = 22",
    ] {
        execute(&world, sql).await;
    }
    plinto_platform::db::Db::migrate(&world.database().config())
        .await
        .unwrap();
    let there = world.elsewhere().await;
    let key = format!("Bearer {}", world.acme.api_key.expose());
    let by_key = there.clone().with("authorization", &key);
    // A session of before is none for the management API, and goes on.
    let (token, _) = refresh(&world, &alice.refresh_token).await;
    let of_before = there
        .clone()
        .with("authorization", &format!("Bearer {token}"));
    of_before.get("/v1/users").await.expect(401);
    of_before.get("/t/acme/v1/me").await.expect(200);
    let body =
        json!({"key": "administrator", "name": "A", "management_permissions": ["users:read"]});
    by_key.post("/v1/roles", body).await.expect(201);
    let body = json!({"user_id": alice.id, "roles": ["administrator"]});
    by_key.post("/v1/administrators", body).await.expect(201);
    let token = manage(&world, &alice).await.access_token;
    let managing = there.with("authorization", &format!("Bearer {token}"));
    managing.get("/v1/users").await.expect(200);
    managing.get("/v1/sessions").await.expect(403);
    // Roles of before carry no rights here until somebody gives them some.
    let path = format!("/v1/organizations/{one}");
    managing.get(&path).await.expect(403);
}

mod on_postgres {
    use super::*;

    async fn waiting(connection: &mut PgConnection) -> i64 {
        let sql = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        let (count,): (i64,) = sqlx::query_as(sql).fetch_one(connection).await.unwrap();
        count
    }

    async fn until_waiting(connection: &mut PgConnection, number: i64) {
        while waiting(connection).await < number {
            tokio::task::yield_now().await;
        }
    }

    async fn connect(world: &World) -> PgConnection {
        PgConnection::connect(&world.database().url).await.unwrap()
    }

    /// Z6: what a role allows in the application is a member's to give on until the moment it is taken
    /// from the role, and not afterwards: the one waits for the other.
    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_gives_what_was_taken_from_their_role_meanwhile() {
        let world = World::on(Engine::Postgres).await;
        let carol = sign_up(&world, "carol").await;
        let dave = sign_up(&world, "dave").await;
        let both = ["organizations:read", "organizations:write"];
        let lead = role(&world, "lead", &["billing:admin", "member:read"], &both).await;
        role(&world, "billing", &["billing:admin"], &[]).await;
        let one = company(&world, "one", &[(&carol, "lead"), (&dave, "member")]).await;
        let managing = manage(&world, &carol).await.client(&world);
        let path = format!("/v1/organizations/{one}/members/{}", dave.id);

        let (mut raw, mut looking) = (connect(&world).await, connect(&world).await);
        let mut held = raw.begin().await.unwrap();
        let sql = format!("select 1 from organizations where id = '{one}' for update");
        sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *held)
            .await
            .unwrap();
        let giving = tokio::spawn(async move {
            let body = json!({"roles": ["member", "billing"]});
            managing.patch(&path, body).await
        });
        until_waiting(&mut looking, 1).await;
        let seen = admin(&world).with("if-match", "\"1\"");
        let taking = async move {
            let body = json!({"permissions": ["member:read"]});
            seen.patch(&format!("/v1/roles/{lead}"), body).await
        };
        let looked = select(Box::pin(taking), Box::pin(until_waiting(&mut looking, 2))).await;
        let Either::Right(((), taking)) = looked else {
            panic!("it was taken while it was given on");
        };
        held.commit().await.unwrap();
        let (given, taken) = tokio::join!(giving, taking);
        given.unwrap().expect(200);
        taken.expect(200);
    }

    /// Members of one organization who change each other at once wait for each other, and never so that
    /// the database has to end one: a deadlock is found after a second, in which others wait, too.
    #[tokio::test(flavor = "multi_thread")]
    async fn members_who_change_each_other_meet_no_deadlock() {
        let world = World::on(Engine::Postgres).await;
        let mut people = Vec::new();
        for number in 0..8 {
            let lead = sign_up(&world, &format!("lead{number}")).await;
            people.push((lead, sign_up(&world, &format!("other{number}")).await));
        }
        let leads = people.iter().map(|(lead, _)| (lead, "admin"));
        let others = people.iter().map(|(_, other)| (other, "member"));
        let members: Vec<_> = leads.chain(others).collect();
        let id = company(&world, "one", &members).await;
        let mut changing = tokio::task::JoinSet::new();
        for (lead, other) in &people {
            let client = manage(&world, lead).await.client(&world);
            let path = format!("/v1/organizations/{id}/members/{}", other.id);
            changing.spawn(async move {
                for role in ["admin", "member"].iter().cycle().take(8) {
                    client
                        .patch(&path, json!({"roles": [role]}))
                        .await
                        .expect(200);
                }
            });
        }
        changing.join_all().await;
        let sql = "select deadlocks from pg_stat_database where datname = current_database()";
        let (deadlocks,): (i64,) = sqlx::query_as(sql)
            .fetch_one(&mut connect(&world).await)
            .await
            .unwrap();
        assert_eq!(deadlocks, 0);
    }
}
