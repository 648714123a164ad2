//! What goes wrong between the edge and the application, and what only looks as if it did.

use std::time::{Duration, Instant};

use plinto_jose::Algorithm;
use plinto_tests::{edge::Edge, process::until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::{
    published::Stage,
    wire::{Act, NEVER, Scripted, ask, header, read_head},
};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";

async fn get(stage: &Stage, edge: &Edge, token: &str, path: &str) -> (u16, String) {
    let url = format!("{}/documents/{path}", edge.url());
    let answer = stage.http.get(url).bearer_auth(token).send();
    let answer = timeout(NEVER, answer).await.unwrap().unwrap();
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

/// RFC 9110 §10.1.1: the expectation is the edge's to meet. An application on Node says "100 Continue" to
/// it, which once was taken for its answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_expects_100_continue_gets_the_application_s_answer() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let answer = "HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nmade";
    let app = Scripted::start(&[("/documents/7", Act::Write(vec![answer]))]).await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let request = format!(
        "POST /documents/7 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         expect: 100-continue\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: 3\r\n\r\na=1",
        edge.authority()
    );
    let (mut head, mut stream) = ask(&edge, &request).await;
    while head.starts_with("HTTP/1.1 100") {
        head = timeout(NEVER, read_head(&mut stream)).await.unwrap();
    }
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    let seen = app.heads.lock().unwrap().clone();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(header(&seen[0], "expect"), None, "{seen:?}");
    assert_eq!(header(&seen[0], "http2-settings"), None, "{seen:?}");
}

/// RFC 9110 §15.2: any number of interim answers may come before the answer.
#[tokio::test(flavor = "multi_thread")]
async fn early_hints_do_not_stand_in_for_the_answer() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Scripted::start(&[
        (
            "/documents/length",
            Act::Write(vec![
                HINTS,
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
                 x-plinto_subject: nobody\r\n\r\nhello",
            ]),
        ),
        (
            "/documents/chunks",
            Act::Write(vec![
                "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early ",
                "Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=",
                "b\r\nlo\r\n0\r\nx-plinto-roles: owner\r\n\r\n",
            ]),
        ),
        (
            "/documents/close",
            Act::WriteAndClose("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\nhello"),
        ),
        (
            "/documents/none",
            Act::Write(vec![HINTS, "HTTP/1.1 204 No Content\r\n\r\n"]),
        ),
        (
            "/documents/garbage",
            Act::Write(vec![HINTS, "SSH-2.0-OpenSSH_9.2\r\n\r\n"]),
        ),
        (
            "/documents/switched",
            Act::Write(vec![HINTS, "HTTP/1.1 101 Switching Protocols\r\n\r\n"]),
        ),
        (
            "/documents/both",
            Act::Write(vec![
                HINTS,
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
            ]),
        ),
        ("/documents/gone", Act::WriteAndClose(HINTS)),
    ])
    .await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    for (path, status) in [("length", 200), ("chunks", 404), ("close", 200)] {
        let answer = get(&stage, &edge, &token, path).await;
        assert_eq!(answer, (status, "hello".to_owned()), "{path}");
    }
    let url = format!("{}/documents/length", edge.url());
    let ask = |method| stage.http.request(method, &url).bearer_auth(&token).send();
    let answer = ask(Method::GET).await.unwrap();
    assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 2);
    assert!(answer.headers().get("link").is_none());
    assert!(answer.headers().get("x-plinto_subject").is_none());
    // workerd would take the answer behind an interim one to HEAD for the next one's
    for _ in 0..3 {
        let answer = ask(Method::HEAD).await.unwrap();
        assert_eq!(answer.headers()["content-length"], "5");
        assert_eq!(answer.status(), 200);
        let answer = get(&stage, &edge, &token, "chunks").await;
        assert_eq!(answer, (404, "hello".to_owned()));
    }
    assert_eq!(ask(Method::POST).await.unwrap().status(), 200);
    let asked = app.heads.lock().unwrap().last().cloned().unwrap();
    assert!(asked.starts_with("POST /documents/length "), "{asked}");
    assert_eq!(
        get(&stage, &edge, &token, "none").await,
        (204, String::new())
    );
    for path in ["garbage", "switched", "both", "gone"] {
        let (status, body) = get(&stage, &edge, &token, path).await;
        assert_eq!(
            (status, code(&body)),
            (502, "upstream_protocol".to_owned()),
            "{path}"
        );
    }
}

/// RFC 9110 §9.3.1: content of a GET means nothing in general, but it is a request all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_a_body_reaches_the_application() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    for (method, body) in [
        (Method::GET, "query"),
        (Method::GET, ""),
        (Method::HEAD, "query"),
        (Method::HEAD, ""),
    ] {
        let url = format!("{}/documents/7", edge.url());
        let request = stage.http.request(method.clone(), url).bearer_auth(&token);
        let request = request
            .header("content-length", body.len().to_string())
            .header("x-plinto-roles", "owner")
            .body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{method} {body:?}: {}", edge.log());
        if method == Method::GET {
            let seen: Value = answer.json().await.unwrap();
            assert_eq!(seen["method"], "GET");
            assert_eq!(seen["body_bytes"], body.len());
            assert_eq!(seen["headers"]["x-plinto-roles"], "editor");
        }
    }
    assert_eq!(stage.seen.lock().unwrap().len(), 4);
}

/// RFC 6455 §4.1: only a GET asks for a WebSocket. The platform would make one of any other method, and
/// the policy has judged what was asked. In workerd alone: wrangler's proxy would make one, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_asks_for_a_websocket_reaches_the_application_as_a_put() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.bare().await;
    let token = stage.authority.token(&stage.authority.claims());
    let url = format!("{}/documents/7", edge.url());
    let request = stage.http.put(url).bearer_auth(&token);
    let request = request.header("upgrade", "websocket").body("content");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", edge.log());
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["body_bytes"], "content".len());
}

fn code(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

/// RFC 9110 §15.6.3 and §15.6.5: what failed, and whether it is the application's fault, is told apart.
#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_fail_has_a_code_of_its_own() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Scripted::start(&[
        ("/documents/reset", Act::Reset),
        ("/documents/close", Act::Close),
        (
            "/documents/garbage",
            Act::WriteAndClose("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ),
        (
            "/documents/switched",
            Act::Write(vec![
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            ]),
        ),
        (
            "/documents/nine",
            Act::Write(vec![
                "HTTP/1.1 999 Request Denied\r\ncontent-length: 0\r\n\r\n",
            ]),
        ),
        ("/slow/7", Act::Silence),
    ])
    .await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    for (path, wanted) in [
        ("reset", "upstream_reset"),
        ("close", "upstream_reset"),
        ("garbage", "upstream_protocol"),
        ("switched", "upstream_protocol"),
        ("nine", "upstream_protocol"),
    ] {
        let (status, body) = get(&stage, &edge, &token, path).await;
        assert_eq!(
            (status, code(&body).as_str()),
            (502, wanted),
            "{path}: {}",
            edge.log()
        );
    }
    // this route gives the application a second
    let began = Instant::now();
    let (status, body) = get(&stage, &edge, &token, "../slow/7").await;
    let took = began.elapsed();
    assert_eq!((status, code(&body).as_str()), (504, "upstream_timeout"));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(6), "{took:?}");
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["retryable"], json!(true));
    until("the operator is told", NEVER, async || {
        edge.log().contains("timed_out").then_some(())
    })
    .await;
}

/// A client that breaks off in its body's middle is not the application's fault: it never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_not_sent_on() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.bare().await;
    let token = stage.authority.token(&stage.authority.claims());
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    let request = format!(
        "POST /documents/half HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         content-length: 10\r\n\r\nhalf",
        edge.authority()
    );
    let mut stream = tokio::net::TcpStream::connect(edge.authority())
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut stream)
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(NEVER, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let answer = String::from_utf8_lossy(&answer);
    // where the platform lets the client be told
    assert!(
        answer.is_empty() || answer.contains("request_not_forwardable"),
        "{answer}"
    );
    assert_eq!(stage.read(&edge, &token).await.0, 200);
    let seen = stage.seen.lock().unwrap().clone();
    assert_eq!(seen, ["GET /documents/7", "GET /documents/7"]);
}

/// The limit is for the beginning of an answer: what has begun goes on, and what a client is still
/// sending is not the application's delay.
#[tokio::test(flavor = "multi_thread")]
async fn what_flows_has_no_time_limit() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[("UPSTREAM_TIMEOUT_S", "1")]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let (sender, receiver) = tokio::sync::mpsc::channel::<&'static str>(1);
    let parts = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let part = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(part), receiver))
    });
    // the application answers only when it has everything
    let request = stage
        .http
        .post(format!("{}/documents/7", edge.url()))
        .bearer_auth(&token)
        .body(reqwest::Body::wrap_stream(parts));
    let answer = tokio::spawn(request.send());
    sender.send("first").await.unwrap();
    beyond_a_second(&stage, &edge, &token).await;
    sender.send("second").await.unwrap();
    drop(sender);
    let answer = timeout(NEVER, answer).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status(), 200, "{}", edge.log());
    let seen: Value = answer.json().await.unwrap();
    assert_eq!(seen["body_bytes"], 11);

    let (sender, receiver) = tokio::sync::mpsc::channel::<&'static str>(1);
    let parts = futures_util::stream::unfold(receiver, |mut receiver| async move {
        let part = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(part), receiver))
    });
    let request = stage
        .http
        .post(format!("{}/documents/echo", edge.url()))
        .bearer_auth(&token)
        .body(reqwest::Body::wrap_stream(parts));
    sender.send("first").await.unwrap();
    let answer = timeout(NEVER, request.send()).await.unwrap().unwrap();
    beyond_a_second(&stage, &edge, &token).await;
    sender.send(" second").await.unwrap();
    drop(sender);
    let body = timeout(NEVER, answer.text()).await.unwrap().unwrap();
    assert_eq!(body, "first second");
}

/// An application that takes a request and reads nothing of it has its time like any other.
#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_reads_no_upload_is_given_up() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Scripted::start(&[("/documents/7", Act::Unread)]).await;
    let variables = [("UPSTREAM", &*app.url), ("UPSTREAM_TIMEOUT_S", "1")];
    let edge = stage.edge(&variables).await;
    let token = stage.authority.token(&stage.authority.claims());
    // more than the buffers between the two take
    for is_counted in [true, false] {
        let piece = vec![0_u8; 1 << 20];
        let pieces = futures_util::stream::iter(
            (0..64).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
        );
        let body = if is_counted {
            reqwest::Body::from(vec![0_u8; 64 << 20])
        } else {
            reqwest::Body::wrap_stream(pieces)
        };
        let url = format!("{}/documents/7", edge.url());
        let request = stage.http.post(url).bearer_auth(&token).body(body);
        let answer = timeout(NEVER, request.send()).await.unwrap().unwrap();
        // The connection is cut off with the upload, so that not more than the head may be read.
        assert_eq!(answer.status().as_u16(), 504, "{}", edge.log());
    }
}

/// Other requests, for longer than the limit.
async fn beyond_a_second(stage: &Stage, edge: &Edge, token: &str) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(1_600) {
        assert_eq!(stage.read(edge, token).await.0, 200);
    }
}
