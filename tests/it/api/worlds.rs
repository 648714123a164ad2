//! What several of these tests start from.

use plinto_contract::problem::Problem;
use plinto_tests::world::{Answer, Client, Engine, World};
use serde_json::json;

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
    problem.errors.into_iter().map(|error| error.pointer).collect()
}
