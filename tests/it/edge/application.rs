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
      cache_ttl: request.cf?.cacheTtl,
      body: await request.text(),
    };
    const headers = new Headers({ "x-plinto-subject": "nobody" });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    return new Response(JSON.stringify(saw), { status: 201, statusText: "Made", headers });
  },
};
"#;

/// The edge's and the application's configuration. `binding`: under which name the application is bound;
/// `variables`: lines of the edge's.
fn write(folder: &Path, stage: &Stage, binding: &str, variables: &str) -> [std::path::PathBuf; 2] {
    let path = |name: &str| folder.join(name);
    std::fs::write(path("application.mjs"), APPLICATION).unwrap();
    let application =
        "name = \"application\"\nmain = \"application.mjs\"\ncompatibility_date = \"2026-04-01\"\n";
    std::fs::write(path("application.toml"), application).unwrap();
    let edge = format!(
        "name = \"gate\"\nmain = {main:?}\ncompatibility_date = \"2026-04-01\"\n\
         [[services]]\nbinding = {binding:?}\nservice = \"application\"\n\
         [vars]\nISSUER = {issuer:?}\nAUDIENCE = {AUDIENCE:?}\nTENANT = \"{tenant}\"\n{variables}",
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
    let secret = "an-edge's-secret-of-32-characters";
    let configs = write(
        folder.path(),
        &stage,
        "UPSTREAM",
        "STRIP_HEADERS = \"authorization, x-acme-*\"\n",
    );
    // where wrangler looks for what it does not show
    let secrets = format!("UPSTREAM_SECRET={secret}\n");
    std::fs::write(folder.path().join(".dev.vars"), secrets).unwrap();
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
        .header("x-plinto-upstream-secret", "guessed")
        .header("x-acme-level", "9")
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
    assert_eq!(seen["headers"]["x-plinto-upstream-secret"], secret);
    assert_eq!(seen["headers"]["x-acme-level"], Value::Null);
    assert_eq!(seen["headers"]["authorization"], Value::Null);
    assert!(!edge.log().contains(secret), "{}", edge.log());
    // what one person may see is kept for nobody else: for the platform's cache, and for those of others
    assert_eq!(seen["cache_ttl"], -1, "{seen}");
    assert_eq!(seen["headers"]["cache-control"], "no-cache");

    let moved = ask(reqwest::Method::GET, "/documents/moved").send().await;
    let moved = moved.unwrap();
    assert_eq!(moved.status(), 302);
    assert_eq!(moved.headers()["location"], "/documents/7");
}

/// A binding can be the way to an address too: one that holds a client certificate, or a private network.
#[tokio::test(flavor = "multi_thread")]
async fn a_bound_way_leads_to_the_application_s_address() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let folder = tempfile::tempdir().unwrap();
    let address = "UPSTREAM = \"https://app.internal/base\"\n";
    let configs = write(folder.path(), &stage, "UPSTREAM_VIA", address);
    let edge = Edge::of(&[&configs[0], &configs[1]]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let url = format!("{}/documents/7?x=1", edge.url());
    let answer = stage.http.get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.status(), 201, "{}", edge.log());
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["url"], "https://app.internal/base/documents/7?x=1");
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
