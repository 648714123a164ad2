//! What the edge says itself: its own pages, its log, and nothing that a stranger put in its mouth.

use std::time::Duration;

use plinto_jose::Algorithm;
use plinto_tests::{
    authority::Activated,
    edge::Edge,
    process::{root, until},
};
use tokio::net::TcpStream;

use super::{
    published::{Answer, POLICY, Stage},
    wire,
};

/// What a stranger says of its host goes into no answer that others could be given.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_host_is_reflected_nowhere() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.bare().await;
    for path in [
        "/.well-known/oauth-protected-resource",
        "/documents/7",
        "/.plinto/health",
        "/.plinto/nothing",
        "/documents//7",
    ] {
        let url = format!("{}{path}", edge.url());
        let asked = stage.http.get(url).header("host", "evil.example.com");
        let answer = asked.send().await.unwrap();
        let said = format!("{:?}", answer.headers());
        let said = said + &answer.text().await.unwrap();
        assert!(!said.contains("evil.example.com"), "{path}: {said}");
    }
}

/// Invariant N14: what is the edge's own is so in every spelling, and is only read.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_s_own_pages_never_reach_the_application() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let metadata = "/.well-known/oauth-protected-resource";
    for (method, path, expected) in [
        ("GET", "/.plinto/health", 200),
        ("HEAD", "/.plinto/health", 200),
        ("GET", "/.plinto/health?x=/../y", 200),
        ("GET", "/%2eplinto/health", 200),
        ("POST", "/.plinto/health", 405),
        ("OPTIONS", "/%2eplinto/health", 405),
        ("GET", metadata, 200),
        ("HEAD", metadata, 200),
        ("DELETE", metadata, 405),
        ("GET", "/.plinto", 404),
        ("GET", "/.PLINTO/health", 404),
        ("GET", "/.plinto./health", 404),
        ("GET", "//.plinto/health", 400),
        ("GET", "/.plinto%2fhealth", 400),
        ("GET", "/.plinto;a/health", 400),
    ] {
        let (head, _) = ask(&edge, method, path).await;
        let is_expected = head.starts_with(&format!("HTTP/1.1 {expected} "));
        assert!(is_expected, "{method} {path}: {head}");
        let names_methods = head.to_ascii_lowercase().contains("\r\nallow: get, head");
        assert_eq!(names_methods, expected == 405, "{method} {path}: {head}");
    }
    assert_eq!(*stage.seen.lock().unwrap(), [] as [String; 0]);
}

/// A request line as it stands, which client libraries would tidy up.
async fn ask(edge: &Edge, method: &str, path: &str) -> (String, TcpStream) {
    let host = edge.authority();
    let text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    wire::ask(edge, &text).await
}

/// N17: the log says why, and holds nothing of who asked.
#[tokio::test(flavor = "multi_thread")]
async fn the_edge_s_log_says_why_it_refused_and_tells_no_secret() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let mut claims = stage.authority.claims();
    let good = stage.authority.token(&claims);
    claims.iss.push_str("/old");
    let foreign = stage.authority.token(&claims);
    let mut ids = Vec::new();
    for (path, token) in [
        ("/documents/stop?canary=query", good.as_str()),
        ("/canary-path", &good),
        ("/documents/7", &foreign),
        ("/documents/7", "canary.token.x"),
    ] {
        let url = format!("{}{path}", edge.url());
        let asked = stage.http.get(url).bearer_auth(token);
        let asked = asked.header("cf-connecting-ip", "203.0.113.77");
        let answer = asked.send().await.unwrap();
        ids.push(
            answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .to_owned(),
        );
    }
    let last = ids.last().unwrap().clone();
    until("the log is written", Duration::from_secs(15), async || {
        edge.log().contains(&last).then_some(())
    })
    .await;
    let log = edge.log();
    let issuer = &stage.authority.issuer;
    let lines = [
        "403 policy_denied: the policy does not let this request read document; stopped for everybody".to_owned(),
        "403 no_route: no route of the active policy covers this method and path".to_owned(),
        format!("401 token_invalid: the token comes from another issuer: `{issuer}` is expected, `{issuer}/old` found"),
        "401 token_invalid: not canonical base64url".to_owned(),
    ];
    for (id, line) in ids.iter().zip(lines) {
        let line = format!("edge: refused {id} {line}");
        assert!(log.contains(&line), "{line} is not in {log}");
    }
    let subject = claims.sub.to_string();
    for secret in ["canary", "203.0.113.77", &subject, &good, &foreign] {
        // wrangler's own line for a request holds its path
        let mut lines = log.lines().filter(|line| line.contains("edge: "));
        let found = lines.find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}

/// Z8: a result of 3,000 levels once broke the gate, and 23 of 27 bystanders got 503.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_s_result_that_nests_too_deep_harms_no_other_request() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    // each function calls the one before ten times over
    let policy = r#"package app.authz

import rego.v1

ten(x) := [[[[[[[[[[x]]]]]]]]]]

hundred(x) := ten(ten(ten(ten(ten(ten(ten(ten(ten(ten(x))))))))))

thousand(x) := hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(x))))))))))

default obligations := {}

obligations := {"deep": thousand(thousand(thousand(1)))} if input.resource.id == "deep"

decision := {"allow": true, "obligations": obligations}
"#;
    let activated = Activated {
        policy: policy.to_owned(),
        ..stage.authority.activated()
    };
    let bundle = stage.authority.bundle(&activated);
    stage.published.set(POLICY, Answer::Bytes(bundle));
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let ask = async |id: &str| {
        let url = format!("{}/documents/{id}", edge.url());
        let answer = stage
            .http
            .get(url)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    };
    for _ in 0..5 {
        let requests = ["deep", "1", "2", "deep", "3", "4", "5", "deep", "6"].map(&ask);
        let statuses = futures_util::future::join_all(requests).await;
        assert_eq!(statuses, [403, 200, 200, 403, 200, 200, 200, 403, 200]);
    }
    assert!(!edge.log().contains("the gate broke"), "{}", edge.log());
}

/// A Worker that others reach, and that looks for its control plane on its own machine, says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_with_addresses_of_this_machine_warns() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.bare().await;
    let ask = async |host: &str| {
        let url = format!("{}/documents/7", edge.url());
        let asked = stage.http.get(url).header("host", host);
        assert_eq!(asked.send().await.unwrap().status(), 401);
    };
    let warned = || edge.log().matches("is an address of this machine").count();
    ask("127.0.0.1").await;
    ask("localhost:8787").await;
    assert_eq!(warned(), 0);
    ask("app.example.com").await;
    ask("app.example.com").await;
    until(
        "the warning is written",
        Duration::from_secs(15),
        async || (warned() >= 3).then_some(()),
    )
    .await;
    assert_eq!(warned(), 3, "{}", edge.log());
    // and whoever deploys is told before that
    let build = |command: &str| {
        let script = root().join("edge-worker/build.sh");
        let run = std::process::Command::new(script)
            .env("WRANGLER_COMMAND", command)
            .env("PLINTO_EDGE_BUILT", "1")
            .output()
            .unwrap();
        assert!(run.status.success());
        String::from_utf8(run.stderr).unwrap()
    };
    let said = build("deploy");
    for name in ["ISSUER", "UPSTREAM"] {
        let line = format!("warning: {name} in wrangler.toml is an address of this machine");
        assert!(said.contains(&line), "{said}");
    }
    assert!(!build("dev").contains("warning"));
}
