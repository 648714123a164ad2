//! What goes through the Worker besides plain requests: bodies that stream, sockets, and requests
//! written by hand, as no client library would.

use std::io;

use futures_util::stream;
use plinto_jose::Algorithm;
use tokio::{sync::mpsc, time::timeout};

use super::{
    published::Stage,
    sockets::{Frame, Sockets, open, upgrade},
    wire::{Act, NEVER, Scripted, ask},
};

/// Bodies are streamed both ways: the first part comes back before the second is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_body_comes_back_before_the_next_is_sent() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let (sender, receiver) = mpsc::channel::<&'static str>(1);
    let parts = stream::unfold(receiver, |mut receiver| async move {
        let part = receiver.recv().await?;
        Some((Ok::<_, io::Error>(part), receiver))
    });
    sender.send("first").await.unwrap();
    let request = stage
        .http
        .post(format!("{}/documents/echo", edge.url()))
        .bearer_auth(&token)
        .body(reqwest::Body::wrap_stream(parts));
    let answer = timeout(NEVER, request.send()).await;
    let mut answer = answer.expect("no answer before the body's end").unwrap();
    assert_eq!(answer.status(), 200);
    let mut next = async || {
        let part = timeout(NEVER, answer.chunk()).await;
        part.expect("the part is held back").unwrap()
    };
    assert_eq!(next().await.as_deref(), Some(b"first".as_slice()));
    sender.send("second").await.unwrap();
    assert_eq!(next().await.as_deref(), Some(b"second".as_slice()));
    drop(sender);
    assert_eq!(next().await, None);
}

/// A WebSocket is opened through the gate like any request. Both ends hear what the other says, as it
/// says it, to the last word. Source: RFC 6455 §5.5.1, §7.1.
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_reaches_the_application() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Sockets::start().await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let claims = stage.authority.claims();
    let (head, _) = ask(&edge, &upgrade(&edge, "")).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let token = stage.authority.token(&claims);
    let mut socket = open(&edge, &token).await;
    for text in ["hello", "again"] {
        socket.say(Frame::Text(text.to_owned())).await;
        let said = socket.hear().await;
        assert_eq!(said, Some(Frame::Text(format!("{}: {text}", claims.sub))));
    }
    socket.say(Frame::Binary(vec![0, 255, 128])).await;
    assert_eq!(socket.hear().await, Some(Frame::Binary(vec![0, 255, 128])));
    // the client's close is the application's to answer
    socket.say(Frame::Close(4242, "enough".to_owned())).await;
    let closed = Some(Frame::Close(4242, "enough".to_owned()));
    assert_eq!(socket.hear().await, closed);
    assert_eq!(app.closes.lock().unwrap().last().cloned(), closed);
    // and the application's the client's
    let mut socket = open(&edge, &token).await;
    socket.say(Frame::Text("close".to_owned())).await;
    let closed = Some(Frame::Close(4001, "as asked".to_owned()));
    assert_eq!(socket.hear().await, closed);
}

/// Path tricks that client libraries undo: what the application reads is what the policy allowed.
#[tokio::test(flavor = "multi_thread")]
async fn encoded_dots_lead_nowhere() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    for path in [
        "/documents/7/%2e%2e/stop",
        "/documents/%2e%2e/documents/stop",
        "/documents/7%2f..%2fstop",
        "/documents/7/..%2fstop",
        "/documents/x%252f..%252fstop%25",
        "/%2e%2e/%2e%2e/secrets",
        "//documents/stop",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
            edge.authority()
        );
        let (head, _) = ask(&edge, &request).await;
        let is_refused = head.starts_with("HTTP/1.1 400") || head.starts_with("HTTP/1.1 403");
        assert!(is_refused, "{path}: {head}");
    }
    assert_eq!(*stage.seen.lock().unwrap(), [] as [String; 0]);
}

/// A request whose length can be read in two ways never becomes two at the application.
/// Source: RFC 9112 §6.3, item 3.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_two_lengths_smuggles_nothing() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let edge = stage.edge(&[]).await;
    let token = stage.authority.token(&stage.authority.claims());
    let inner = "0\r\n\r\nGET /documents/smuggled HTTP/1.1\r\nhost: app\r\n\r\n";
    for framing in [
        format!(
            "content-length: {}\r\ntransfer-encoding: chunked",
            inner.len()
        ),
        format!(
            "transfer-encoding: chunked\r\ncontent-length: {}",
            inner.len()
        ),
        format!("content-length: 5\r\ncontent-length: {}", inner.len()),
        format!(
            "transfer-encoding: xchunked\r\ncontent-length: {}",
            inner.len()
        ),
    ] {
        stage.seen.lock().unwrap().clear();
        let request = format!(
            "POST /documents/7 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n{framing}\r\n\r\n{inner}",
            edge.authority()
        );
        let _answered = ask(&edge, &request).await;
        // whatever was left on that connection has been read by the time this is answered
        assert_eq!(stage.read(&edge, &token).await.0, 200);
        let seen = stage.seen.lock().unwrap().clone();
        let expected = ["POST /documents/7", "GET /documents/7"];
        assert!(
            seen == expected || seen == expected[1..],
            "{framing}: {seen:?}"
        );
    }
}

/// RFC 9110 §7.6.1: an answer's `Connection` speaks for that answer alone, also where another had the same
/// names of headers.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_answer_keeps_inside_says_nothing_of_the_next() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = Scripted::start(&[
        (
            "/documents/mine",
            Act::Write(vec![
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-mine: 1\r\nx-yours: 1\r\nconnection: x-mine\r\n\r\n",
            ]),
        ),
        (
            "/documents/yours",
            Act::Write(vec![
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-mine: 1\r\nx-yours: 1\r\nconnection: x-yours\r\n\r\n",
            ]),
        ),
        (
            "/documents/both",
            Act::Write(vec![
                "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-mine: 1\r\nx-yours: 1\r\n\r\n",
            ]),
        ),
    ])
    .await;
    let edge = stage.edge(&[("UPSTREAM", &app.url)]).await;
    let token = stage.authority.token(&stage.authority.claims());
    for _ in 0..2 {
        for (path, passed) in [
            ("mine", "x-yours"),
            ("yours", "x-mine"),
            ("both", "x-mine x-yours"),
        ] {
            let url = format!("{}/documents/{path}", edge.url());
            let answer = stage.http.get(url).bearer_auth(&token).send();
            let answer = answer.await.unwrap();
            let names = ["x-mine", "x-yours"];
            let names = names
                .iter()
                .filter(|name| answer.headers().contains_key(**name));
            let names: Vec<_> = names.copied().collect();
            assert_eq!(names.join(" "), passed, "{path}");
        }
    }
}
