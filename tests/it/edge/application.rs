//! The application behind the edge: as a bound service, another Worker without an address of its
//! own; and one that is not there.

use std::path::Path;

use plinto_jose::Algorithm;
use plinto_tests::{
    authority::AUDIENCE,
    edge::Edge,
    process::{free_port, root},
};
use serde_json::Value;

use super::published::Stage;

/// Tells what it saw, under a status, a phrase and headers of its own.
const APPLICATION: &str = r#"
export default {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/documents/moved") {
      return new Response(null, { status: 302, headers: { location: "/documents/7" } });
    }
    const saw = {
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    const headers = new Headers({ "x-plinto-subject": "nobody" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response(JSON.stringify(saw), { status: 201, statusText: "Made", headers });
  },
};
"#;

fn write(folder: &Path, stage: &Stage) -> [std::path::PathBuf; 2] {
    let path = |name: &str| folder.join(name);
    std::fs::write(path("application.mjs"), APPLICATION).unwrap();
    let application =
        "name = \"application\"\nmain = \"application.mjs\"\ncompatibility_date = \"2026-04-01\"\n";
    std::fs::write(path("application.toml"), application).unwrap();
    let edge = format!(
        "name = \"gate\"\nmain = {main:?}\ncompatibility_date = \"2026-04-01\"\n\
         [[services]]\nbinding = \"UPSTREAM\"\nservice = \"application\"\n\
         [vars]\nISSUER = {issuer:?}\nAUDIENCE = {AUDIENCE:?}\nTENANT = \"{tenant}\"\n",
        main = root().join("edge-worker/shim/worker.mjs").to_string_lossy(),
        issuer = stage.authority.issuer,
        tenant = stage.authority.tenant,
    );
    std::fs::write(path("gate.toml"), edge).unwrap();
    [path("gate.toml"), path("application.toml")]
}

/// What holds for an application at an address holds for a bound one: our headers and never the
/// client's, and its status, phrase, cookies and redirects as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_bound_service_gets_what_may_pass_and_its_answer_is_kept() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let folder = tempfile::tempdir().unwrap();
    let configs = write(folder.path(), &stage);
    let edge = Edge::of(&[&configs[0], &configs[1]]).await;
    let claims = stage.authority.claims();
    let token = stage.authority.token(&claims);
    let ask = |method: reqwest::Method, path: &str| {
        let url = format!("{}{path}", edge.url());
        stage.http.request(method, url).bearer_auth(&token)
    };

    let refused = stage.http.get(format!("{}/documents/7", edge.url()));
    assert_eq!(refused.send().await.unwrap().status(), 401);

    let answer = ask(reqwest::Method::PUT, "/%64ocuments/a%20b?x=1")
        .header("x-plinto-subject", "user_root")
        .header("X_Plinto_Roles", "owner")
        .body("streamed")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201, "{}", edge.log());
    assert_eq!(answer.headers()["x-plinto-sequence"], "1");
    assert!(answer.headers().get("x-plinto-subject").is_none());
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["url"], format!("{}/documents/a%20b?x=1", edge.url()));
    assert_eq!(seen["body"], "streamed");
    assert_eq!(seen["headers"]["x-plinto-subject"], claims.sub.to_string());
    assert_eq!(seen["headers"]["x_plinto_roles"], Value::Null);

    let moved = ask(reqwest::Method::GET, "/documents/moved").send().await;
    let moved = moved.unwrap();
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "/documents/7");
}

/// RFC 9110 §15.6.3: an application that can't be reached is a problem of the gate's own.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_is_not_there_is_a_bad_gateway() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let edge = stage.edge(&[("UPSTREAM", &nobody)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let url = format!("{}/documents/7", edge.url());
    let answer = stage.http.get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let name = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "upstream_unreachable");
    assert_eq!(problem["request_id"], name);
}
