//! What several of these tests start from.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use plinto_contract::{bundle::Manifest, problem::Problem};
use plinto_jose::JwkSet;
use plinto_policy::bundle::Source;
use plinto_tests::world::{Answer, Client, Engine, World};
use serde_json::json;
use tower::ServiceExt;

/// A world on each engine there is.
pub(super) async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        worlds.extend(World::on(engine).await);
    }
    worlds
}

/// The administrator of the first tenant.
pub(super) fn admin(world: &World) -> Client {
    world.bearer(world.acme.api_key.expose())
}

/// A client whose key has these permissions.
pub(super) async fn client_with(world: &World, permissions: &[&str]) -> Client {
    let body = json!({"name": "test", "permissions": permissions});
    let made = admin(world).post("/v1/api_keys", body).await.expect(201);
    world.bearer(made.json()["secret"].as_str().unwrap())
}

/// The values that a refusal points at.
pub(super) fn pointers(answer: &Answer) -> Vec<String> {
    let problem: Problem = serde_json::from_slice(&answer.bytes).unwrap();
    problem
        .errors
        .into_iter()
        .map(|error| error.pointer)
        .collect()
}

/// Somebody who has signed up.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) user: String,
    pub(super) session: String,
    pub(super) token: String,
}

/// Signs somebody up with a tenant.
pub(super) async fn sign_up(world: &World, tenant: &str, name: &str) -> Person {
    let body = json!({
        "email": format!("{name}@example.com"),
        "password": "four quiet otters under a bridge",
    });
    let path = format!("/t/{tenant}/v1/sign_up");
    let made = world.anon().post(&path, body).await.expect(201).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    Person {
        user: text(&made["user"]["id"]),
        session: text(&made["session_id"]),
        token: text(&made["access_token"]),
    }
}

/// A policy in which a role's permissions decide.
pub(super) const BY_ROLE: &str = r#"package app.authz

default allow := false

allow if {
	some role in input.subject.properties.roles
	data.plinto.roles[role][input.action.name]
}

decision := {"allow": allow, "reasons": [], "obligations": {}}
"#;

/// A policy that refuses everything.
pub(super) const CLOSED: &str = r#"package app.authz

decision := {"allow": false, "reasons": ["closed"], "obligations": {}}
"#;

/// The manifest of a bundle whose rule is `data.app.authz.decision`.
pub(super) fn manifest() -> Manifest {
    let text = r#"{"roots": ["app", "plinto"], "rego_version": 1,
        "metadata": {"plinto": {"entrypoint": "app/authz/decision"}}}"#;
    serde_json::from_str(text).unwrap()
}

/// Files of a bundle.
pub(super) fn source(files: &[(&str, &str)]) -> Source {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    Source {
        files: files.collect(),
    }
}

/// A bundle, ready to be published.
pub(super) fn bundle(files: &[(&str, &str)]) -> Vec<u8> {
    plinto_policy::bundle::build(&source(files), &manifest()).unwrap()
}

/// A bundle with one policy.
pub(super) fn bundle_of(policy: &str) -> Vec<u8> {
    bundle(&[("app/authz/decision.rego", policy)])
}

/// Publishes a bundle and says its revision.
pub(super) async fn publish(client: &Client, packed: Vec<u8>) -> String {
    let path = "/v1/policies/bundles";
    let made = client
        .post_bytes(path, "application/gzip", packed)
        .await
        .expect(201)
        .json();
    made["revision"].as_str().unwrap().to_owned()
}

/// Activates a revision and gives the activation.
pub(super) async fn activate(client: &Client, revision: &str) -> serde_json::Value {
    let path = format!("/v1/policies/bundles/{revision}/activate");
    client.post_empty(&path).await.expect(200).json()
}

/// The keys that verify what a tenant gives to edges.
pub(super) async fn edge_keys(world: &World, tenant: &str) -> JwkSet {
    let answer = world
        .anon()
        .get(&format!("/t/{tenant}/edge/keys"))
        .await
        .expect(200);
    JwkSet::parse(&answer.bytes).unwrap()
}

/// Asks another router over the same database: what a process remembers, this one does not.
pub(super) async fn ask_another_instance(world: &World, path: &str) -> Answer {
    let router = control_plane::router::router(&world.app);
    ask(&router, path).await
}

/// Asks a router without credentials.
pub(super) async fn ask(router: &Router, path: &str) -> Answer {
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
