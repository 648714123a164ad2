//! A backup is taken while the server works, and gone on from.

use std::{fs, path::Path};

use plinto_tests::{
    process::{Bootstrapped, ControlPlane},
    world::{Engine, MASTER_KEY, TestDatabase},
};
use serde_json::{Value, json};

use super::AUDIENCE;
use crate::setup::PASSWORD;

async fn call(request: reqwest::RequestBuilder, tenant: &Bootstrapped) -> (u16, Value) {
    let answer = request.bearer_auth(&tenant.api_key).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn make_role(server: &ControlPlane, tenant: &Bootstrapped, key: &str) {
    let body = json!({"key": key, "name": key});
    let request = reqwest::Client::new().post(format!("{}/v1/roles", server.url()));
    assert_eq!(call(request.json(&body), tenant).await.0, 201);
}

async fn get(server: &ControlPlane, tenant: &Bootstrapped, path: &str) -> (u16, Value) {
    let request = reqwest::Client::new().get(format!("{}{path}", server.url()));
    call(request, tenant).await
}

async fn sign(tenant: &Bootstrapped, how: &str) -> (u16, Value) {
    let body = json!({"email": "alice@example.com", "password": PASSWORD});
    let request = reqwest::Client::new().post(format!("{}/v1/{how}", tenant.issuer));
    call(request.json(&body), tenant).await
}

async fn keys(server: &ControlPlane, tenant: &Bootstrapped) -> Vec<String> {
    let roles = get(server, tenant, "/v1/roles?limit=100").await.1;
    let roles = roles["data"].as_array().unwrap().iter();
    roles
        .map(|role| role["key"].as_str().unwrap().to_owned())
        .collect()
}

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_from_a_backup_and_says_that_the_past_is_another() {
    let mut server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let (status, alice) = sign(&tenant, "sign_up").await;
    assert_eq!(status, 201, "{alice}");
    make_role(&server, &tenant, "before").await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.sqlite");
    let copy = copy.to_str().unwrap();

    // While it works.
    let (backed_up, ()) = tokio::join!(
        async { tokio::task::block_in_place(|| server.run(&["backup", copy])) },
        async {
            for number in 0..10 {
                make_role(&server, &tenant, &format!("during{number}")).await;
            }
        }
    );
    assert!(backed_up.status.success(), "{}", told(&backed_up));
    let again = server.run(&["backup", copy]);
    assert_eq!(again.status.code(), Some(1));
    assert!(told(&again).contains("exists"), "{}", told(&again));
    make_role(&server, &tenant, "after").await;
    let (_, part) = get(&server, &tenant, "/v1/events?after=latest").await;
    let position = part["position"].as_str().unwrap().to_owned();

    // What is there is not replaced.
    server.stop().await;
    let whole = fs::read(server.file()).unwrap();
    let refused = server.run(&["restore", copy]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("exists"), "{}", told(&refused));
    assert_eq!(fs::read(server.file()).unwrap(), whole);
    fs::remove_file(server.file()).unwrap();

    // Nor is anything put there that is no backup.
    let junk = folder.path().join("junk.sqlite");
    let damaged = folder.path().join("damaged.sqlite");
    fs::write(&junk, "no database").unwrap();
    let mut bytes = fs::read(copy).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xa5);
    fs::write(&damaged, bytes).unwrap();
    for bad in [&junk, &damaged] {
        let refused = server.run(&["restore", bad.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
        assert_eq!(left_beside(&server.file()), Vec::<String>::new());
    }

    let restored = server.run(&["restore", copy]);
    assert!(restored.status.success(), "{}", told(&restored));
    assert!(server.run(&["verify"]).status.success());
    server.serve().await;
    let keys = keys(&server, &tenant).await;
    assert!(keys.contains(&"before".to_owned()) && !keys.contains(&"after".to_owned()));
    let (status, problem) = get(&server, &tenant, &format!("/v1/events?after={position}")).await;
    assert_eq!(
        (status, &problem["code"]),
        (410, &json!("event_log_restored"))
    );
    // Nobody is signed in any more, and everybody can sign in.
    let me = reqwest::Client::new().get(format!("{}/v1/me", tenant.issuer));
    let me = me.bearer_auth(alice["access_token"].as_str().unwrap());
    assert_eq!(me.send().await.unwrap().status(), 401);
    assert_eq!(sign(&tenant, "sign_in").await.0, 200);
    server.stop().await;
}

/// A server's own tools put its database back; then it is readied.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_a_server_put_back_is_readied_on_postgres() {
    let database = TestDatabase::on(Engine::Postgres).await;
    let mut server = ControlPlane::unstarted(&[
        ("PLINTO_DATABASE_URL", &database.url),
        ("PLINTO_MASTER_KEY", MASTER_KEY),
    ]);
    server.serve().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let (status, alice) = sign(&tenant, "sign_up").await;
    assert_eq!(status, 201, "{alice}");
    let (_, part) = get(&server, &tenant, "/v1/events?wait=10").await;
    let position = part["position"].as_str().unwrap().to_owned();
    server.stop().await;
    let refused = server.run(&["restore", "copy.sqlite"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("own tools"), "{}", told(&refused));
    let refused = server.run(&["backup", "copy.sqlite"]);
    assert!(told(&refused).contains("pg_dump"), "{}", told(&refused));

    let restored = server.run(&["restore", "--keep-sessions"]);
    assert!(restored.status.success(), "{}", told(&restored));
    server.serve().await;
    let (status, problem) = get(&server, &tenant, &format!("/v1/events?after={position}")).await;
    assert_eq!(
        (status, &problem["code"]),
        (410, &json!("event_log_restored"))
    );
    let me = reqwest::Client::new().get(format!("{}/v1/me", tenant.issuer));
    let me = me.bearer_auth(alice["access_token"].as_str().unwrap());
    assert_eq!(me.send().await.unwrap().status(), 200);
    server.stop().await;
}

/// Files of a database that is not there, or not whole.
fn left_beside(file: &Path) -> Vec<String> {
    let name = file.file_name().unwrap().to_str().unwrap();
    let files = fs::read_dir(file.parent().unwrap()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let key = format!("{name}.key");
    names
        .filter(|found| found.starts_with(name) && *found != key)
        .collect()
}
