//! What many of these tests start from: a control plane, people, policies.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use plinto_contract::{
    bundle::Manifest,
    claims::AccessToken,
    ids::{SessionId, UserId},
    problem::Problem,
};
use plinto_jose::{JwkSet, Jws};
use plinto_platform::args;
use plinto_policy::bundle::Source;
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) use macro_rules_attribute::apply;

/// Makes two tests of one that takes a `world: World`, or an empty `database: TestDatabase`: on a `SQLite`
/// file, and on a `PostgreSQL` server.
macro_rules! each_database {
    ($($test:tt)*) => { $crate::setup::on_each_database! { #[tokio::test] $($test)* } };
}

/// The same on several threads: where what happens at once must also run at once.
macro_rules! each_database_with_threads {
    ($($test:tt)*) => {
        $crate::setup::on_each_database! { #[tokio::test(flavor = "multi_thread")] $($test)* }
    };
}

macro_rules! on_each_database {
    (
        #[$runtime:meta]
        $(#[$attribute:meta])*
        async fn $name:ident($given:ident: $Given:ty $(,)?) $body:block
    ) => {
        $(#[$attribute])*
        mod $name {
            use super::*;

            async fn test($given: $Given) $body

            #[$runtime]
            async fn on_sqlite() {
                test(<$Given>::on(plinto_tests::world::Engine::Sqlite).await).await;
            }

            #[$runtime]
            async fn on_postgres() {
                test(<$Given>::on(plinto_tests::world::Engine::Postgres).await).await;
            }
        }
    };
}

pub(crate) use {each_database, each_database_with_threads, on_each_database};

/// The administrator of the first tenant.
pub(crate) fn admin(world: &World) -> Client {
    world.bearer(world.acme.api_key.expose())
}

/// A client whose key has these permissions.
pub(crate) async fn client_with(world: &World, permissions: &[&str]) -> Client {
    let body = json!({"name": "test", "permissions": permissions});
    let made = admin(world).post("/v1/api_keys", body).await.expect(201);
    world.bearer(made.json()["secret"].as_str().unwrap())
}

/// The ids of a list, page by page; its path has a query.
pub(crate) async fn pages(client: &Client, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut next = path.to_owned();
    loop {
        let page = client.get(&next).await.expect(200).json();
        let data = page["data"].as_array().unwrap();
        pages.push(data.iter().map(|item| text(&item["id"])).collect());
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            return pages;
        };
        assert_eq!(page["has_more"], true);
        next = format!("{path}&cursor={cursor}");
    }
}

/// The values that a refusal points at.
pub(crate) fn pointers(answer: &Answer) -> Vec<String> {
    let problem: Problem = serde_json::from_slice(&answer.bytes).unwrap();
    problem
        .errors
        .into_iter()
        .map(|error| error.pointer)
        .collect()
}

/// A password that is acceptable.
pub(crate) const PASSWORD: &str = "gavotte brindle quokka tessellate";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "marzipan vellum 9 outrigger";

/// Somebody who has signed up or in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) session: SessionId,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

impl Person {
    /// Reads a sign-up's or sign-in's answer.
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        Self {
            id: read(&body["user"]["id"]),
            email: text(&body["user"]["email"]),
            session: read(&body["session_id"]),
            access_token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
        }
    }

    /// A client with the person's access token.
    pub(crate) fn client(&self, world: &World) -> Client {
        world.bearer(&self.access_token)
    }
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}

pub(crate) fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    text(value).parse().unwrap()
}

/// Signs somebody up in acme.
pub(crate) async fn sign_up(world: &World, name: &str) -> Person {
    sign_up_with(world, "acme", name).await
}

/// Signs somebody up with a tenant.
pub(crate) async fn sign_up_with(world: &World, tenant: &str, name: &str) -> Person {
    let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
    let path = format!("/t/{tenant}/v1/sign_up");
    Person::of(&world.anon().post(&path, body).await.expect(201))
}

/// Tries to sign in to acme.
pub(crate) async fn try_sign_in(client: &Client, email: &str, password: &str) -> Answer {
    client
        .post(
            "/t/acme/v1/sign_in",
            json!({"email": email, "password": password}),
        )
        .await
}

/// Signs somebody in to acme once more.
pub(crate) async fn sign_in(world: &World, person: &Person) -> Person {
    Person::of(
        &try_sign_in(&world.anon(), &person.email, PASSWORD)
            .await
            .expect(200),
    )
}

/// Signs somebody in to acme once more, in an organization of theirs.
pub(crate) async fn sign_in_to(world: &World, person: &Person, organization: &Value) -> Person {
    let body = json!({
        "email": person.email, "password": PASSWORD, "organization_id": organization,
    });
    let answer = world.anon().post("/t/acme/v1/sign_in", body).await;
    Person::of(&answer.expect(200))
}

/// The management API, as tokens name it.
pub(crate) const RESOURCE: &str = "http://127.0.0.1:7400/v1";

/// Tries to sign in for a resource.
pub(crate) async fn sign_in_for(
    world: &World,
    tenant: &str,
    email: &str,
    resource: &str,
) -> Answer {
    let body = json!({"email": email, "password": PASSWORD, "resource": resource});
    let path = format!("/t/{tenant}/v1/sign_in");
    world.anon().post(&path, body).await
}

/// Signs somebody in to acme for the management API.
pub(crate) async fn manage(world: &World, person: &Person) -> Person {
    let answer = sign_in_for(world, "acme", &person.email, RESOURCE).await;
    Person::of(&answer.expect(200))
}

/// Presents a refresh token as the first-party client.
pub(crate) async fn try_refresh(world: &World, refresh_token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    world.anon().form("/t/acme/oauth/token", &fields).await
}

/// Exchanges a refresh token; answers the access token and the next refresh token.
pub(crate) async fn refresh(world: &World, refresh_token: &str) -> (String, String) {
    let body = try_refresh(world, refresh_token).await.expect(200).json();
    (text(&body["access_token"]), text(&body["refresh_token"]))
}

/// What an access token says.
pub(crate) fn claims(token: &str) -> AccessToken {
    let jws = Jws::parse(token).unwrap();
    serde_json::from_slice(&jws.payload).unwrap()
}

/// Changes the database behind the control plane's back.
pub(crate) async fn execute(world: &World, sql: &'static str) {
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(sql, args![]).await.unwrap();
    tx.commit().await.unwrap();
}

/// Insists on an OAuth error.
#[track_caller]
pub(crate) fn expect_oauth(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Neither its access token nor its refresh token gives anything any more, and nobody lists it.
pub(crate) async fn expect_ended(world: &World, person: &Person) {
    let me = person.client(world).get("/t/acme/v1/me").await;
    me.expect_problem(401, "token_revoked");
    let refused = try_refresh(world, &person.refresh_token).await;
    expect_oauth(&refused, 400, "invalid_grant");
    for token in [&person.access_token, &person.refresh_token] {
        let fields = [("token", token.as_str())];
        let path = "/t/acme/oauth/introspect";
        let answer = admin(world).form(path, &fields).await.expect(200);
        assert_eq!(answer.json(), json!({"active": false}));
    }
    let path = format!("/v1/sessions/{}", person.session);
    let session = admin(world).get(&path).await.expect(200).json();
    assert_eq!(session["revoked_reason"], "all_ended");
    for path in [
        "/v1/sessions".to_owned(),
        format!("/v1/sessions?user_id={}", person.id),
    ] {
        let list = admin(world).get(&path).await.expect(200).text();
        assert!(
            !list.contains(&person.session.to_string()),
            "{path}: {list}"
        );
    }
}

/// Its tokens give access.
pub(crate) async fn expect_good(world: &World, person: &Person) {
    person.client(world).get("/t/acme/v1/me").await.expect(200);
    refresh(world, &person.refresh_token).await;
}

/// How many of acme's events are of a kind.
pub(crate) async fn count(world: &World, kind: &str) -> usize {
    world
        .event_kinds()
        .await
        .into_iter()
        .filter(|seen| *seen == kind)
        .count()
}

/// Roles decide: `data.plinto.roles[role][action]`.
pub(crate) const BY_ROLE: &str = r#"package app.authz

import rego.v1

default allow := false

allow if {
	some role in input.subject.properties.roles
	data.plinto.roles[role][input.action.name]
}

reasons contains sprintf("no role permits %s", [input.action.name]) if not allow

decision := {"allow": allow, "reasons": [reason | some reason in reasons], "obligations": {}}
"#;

/// Nobody may do anything.
pub(crate) const CLOSED: &str = r#"package app.authz

import rego.v1

decision := {"allow": false, "reasons": ["closed for maintenance"], "obligations": {}}
"#;

/// The manifest of a bundle whose rule is `data.app.authz.decision`.
pub(crate) fn manifest() -> Manifest {
    let text = r#"{"roots": ["app", "plinto"], "rego_version": 1,
        "metadata": {"plinto": {"entrypoint": "app/authz/decision"}}}"#;
    serde_json::from_str(text).unwrap()
}

/// Files of a bundle.
pub(crate) fn source(files: &[(&str, &str)]) -> Source {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Source {
        files: files.collect(),
    }
}

/// A bundle, ready to be published.
pub(crate) fn bundle(files: &[(&str, &str)]) -> Vec<u8> {
    plinto_policy::bundle::build(&source(files), &manifest()).unwrap()
}

/// A bundle with one policy.
pub(crate) fn bundle_of(policy: &str) -> Vec<u8> {
    bundle(&[("app/authz/decision.rego", policy)])
}

/// Publishes a bundle and says its revision.
pub(crate) async fn publish(client: &Client, packed: Vec<u8>) -> String {
    let path = "/v1/policies/bundles";
    let made = client
        .post_bytes(path, "application/gzip", packed)
        .await
        .expect(201)
        .json();
    made["revision"].as_str().unwrap().to_owned()
}

/// Activates a revision and gives the activation.
pub(crate) async fn activate(client: &Client, revision: &str) -> Value {
    let path = format!("/v1/policies/bundles/{revision}/activate");
    client.post_empty(&path).await.expect(200).json()
}

/// The keys that verify what a tenant gives to edges.
pub(crate) async fn edge_keys(world: &World, tenant: &str) -> JwkSet {
    let answer = world
        .anon()
        .get(&format!("/t/{tenant}/edge/keys"))
        .await
        .expect(200);
    JwkSet::parse(&answer.bytes).unwrap()
}

/// Asks another router over the same database: what a process remembers, this one does not.
pub(crate) async fn ask_another_instance(world: &World, path: &str) -> Answer {
    let router = control_plane::router::router(&world.app);
    ask(&router, path).await
}

/// Asks a router without credentials.
pub(crate) async fn ask(router: &Router, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes,
    }
}
