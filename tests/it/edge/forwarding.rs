//! What goes through the Worker besides plain requests: bodies that stream, sockets, and requests
//! written by hand, as no client library would.

use std::{io, time::Duration};

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding as _};
use futures_util::stream;
use plinto_contract::headers;
use plinto_jose::Algorithm;
use plinto_tests::edge::Edge;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use super::published::Stage;

/// Far beyond what any of this takes, on however busy a machine.
const NEVER: Duration = Duration::from_mins(1);

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

/// A WebSocket is opened through the gate like any request, and then belongs to the two ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_reaches_the_application() {
    let stage = Stage::new(&[Algorithm::Es256]).await;
    let app = sockets().await;
    let edge = stage.edge(&[("UPSTREAM", &app)]).await;
    let claims = stage.authority.claims();
    let upgrade = |authorization: &str| {
        format!(
            "GET /documents/7 HTTP/1.1\r\nhost: {}\r\n{authorization}connection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            edge.authority()
        )
    };
    let (head, _) = ask(&edge, &upgrade("")).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let bearer = format!(
        "authorization: Bearer {}\r\n",
        stage.authority.token(&claims)
    );
    let (head, mut socket) = ask(&edge, &upgrade(&bearer)).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // RFC 6455 §1.3
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    for text in ["hello", "again"] {
        write_frame(&mut socket, text, Some([1, 2, 3, 4])).await;
        let said = timeout(NEVER, read_frame(&mut socket)).await.unwrap();
        assert_eq!(said, Some(format!("{}: {text}", claims.sub)));
    }
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

/// Writes a request as it is, and reads the head of the answer.
pub(super) async fn ask(edge: &Edge, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(edge.authority()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = timeout(NEVER, read_head(&mut stream)).await;
    (head.unwrap(), stream)
}

/// Everything up to the empty line, or to the end of the connection.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An application that opens every `WebSocket`, and says everything back with the person's name.
async fn sockets() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream));
        }
    });
    format!("http://{address}")
}

async fn converse(mut stream: TcpStream) {
    let head = read_head(&mut stream).await;
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value.to_owned())
    };
    let Some(key) = header("sec-websocket-key") else {
        return;
    };
    // RFC 6455 §4.2.2
    let key = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let accept = Base64::encode_string(digest.as_ref());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    let subject = header(headers::SUBJECT).unwrap_or_default();
    while let Some(text) = read_frame(&mut stream).await {
        write_frame(&mut stream, &format!("{subject}: {text}"), None).await;
    }
}

/// A short text frame; `None` at the end. Source: RFC 6455 §5.2.
async fn read_frame(stream: &mut TcpStream) -> Option<String> {
    let opcode = stream.read_u8().await.ok()? & 0x0f;
    let length = stream.read_u8().await.ok()?;
    assert!(length & 0x7f < 126, "a short frame");
    let mut mask = [0; 4];
    if length & 0x80 != 0 {
        stream.read_exact(&mut mask).await.ok()?;
    }
    let mut payload = vec![0; usize::from(length & 0x7f)];
    stream.read_exact(&mut payload).await.ok()?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    (opcode == 1).then(|| String::from_utf8(payload).unwrap())
}

async fn write_frame(stream: &mut TcpStream, text: &str, mask: Option<[u8; 4]>) {
    let length = u8::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, length | if mask.is_some() { 0x80 } else { 0 }];
    frame.extend(
        mask.unwrap_or_default()
            .iter()
            .take(if mask.is_some() { 4 } else { 0 }),
    );
    let mask = mask.unwrap_or_default();
    frame.extend(
        text.bytes()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    stream.write_all(&frame).await.unwrap();
}
