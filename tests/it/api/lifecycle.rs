//! The server as a process: what it logs, how it stops, which connections it drops.

use std::time::Duration;

use plinto_platform::config::Config;
use plinto_tests::process::ControlPlane;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PASSWORD: &str = "canary-Pass phrase 8f2b61";
const PATIENCE: Duration = Duration::from_secs(30);

/// W6, N17: one JSON object a line, each request named, nothing in it that must not be.
#[tokio::test]
async fn log_lines_are_json_and_hold_no_secrets() {
    let mut server = ControlPlane::start_with(&[("PLINTO_LOG_FILTER", "debug")]).await;
    let tenant = server.bootstrap("acme", "https://api.acme.test");
    let client = reqwest::Client::new();
    let issuer = format!("{}/t/acme", server.url());
    let people = json!({"email": "canary-mail@example.com", "password": PASSWORD});
    let sign_up = client
        .post(format!("{issuer}/v1/sign_up"))
        .json(&people)
        .send()
        .await
        .unwrap();
    assert_eq!(sign_up.status(), 201);
    let request_id = sign_up.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let tokens: Value = sign_up.json().await.unwrap();
    let wrong = json!({"email": "canary-mail@example.com", "password": "canary-wrong password 77"});
    let refused = client
        .post(format!("{issuer}/v1/sign_in"))
        .json(&wrong)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    let forged = format!(
        "{}/v1/users?x=canary-query%0a%7b%22level%22:1%7d",
        server.url()
    );
    client
        .get(forged)
        .bearer_auth(&tenant.api_key)
        .send()
        .await
        .unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh),
        ("client_id", "plinto"),
    ];
    client
        .post(format!("{issuer}/oauth/token"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let me = client
        .get(format!("{issuer}/v1/me"))
        .bearer_auth(tokens["access_token"].as_str().unwrap());
    assert_eq!(me.send().await.unwrap().status(), 200);
    assert_eq!(server.stop().await, Some(0));

    let log = server.log();
    let secrets = [
        PASSWORD,
        "canary",
        &tenant.api_key,
        refresh,
        tokens["access_token"].as_str().unwrap(),
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    let mut named = 0;
    for line in log.lines() {
        let line: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if line["message"] == "request answered" {
            let name = line["span"]["request_id"].as_str().unwrap();
            assert!(name.starts_with("req_"));
            named += i32::from(name == request_id);
        }
    }
    assert_eq!(named, 1);
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_stops() {
    let mut server = ControlPlane::start().await;
    server.bootstrap("acme", "https://api.acme.test");
    let url = format!("{}/t/acme/v1/sign_up", server.url());
    let body = json!({"email": "late@example.com", "password": PASSWORD}).to_string();
    let address = server.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {url} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    // The request has begun when the signal comes, and is complete only afterwards.
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body.as_bytes()[..10]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let rest = body.clone();
    let answer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(&rest.as_bytes()[10..]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(server.stop().await, Some(0));
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// W7: a client that never finishes its headers does not keep its connection.
#[tokio::test]
async fn a_connection_that_sends_no_request_is_closed() {
    let server = ControlPlane::start_with(&[("PLINTO_HTTP_HEADER_TIMEOUT_S", "1")]).await;
    for beginning in ["", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(server.url().replace("http://", ""))
            .await
            .unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "`{beginning}` keeps its connection");
    }
}

/// W7: nor does one that never finishes its body; it is told so.
#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let server = ControlPlane::start_with(&[("PLINTO_HTTP_TIMEOUT_S", "1")]).await;
    server.bootstrap("acme", "https://api.acme.test");
    let mut stream = connect(&server).await;
    let head = "POST /t/acme/v1/sign_up HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let end = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    end.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
}

async fn connect(server: &ControlPlane) -> TcpStream {
    let address = server.url().replace("http://", "");
    TcpStream::connect(address).await.unwrap()
}

/// Asks for the server's health and keeps the connection.
async fn ask(stream: &mut TcpStream) {
    let question = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(question).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nok\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn connections_that_wait_for_nothing_do_not_hold_up_the_end() {
    let mut server = ControlPlane::start_with(&[
        ("PLINTO_HTTP_SHUTDOWN_S", "3600"),
        ("PLINTO_HTTP_HEADER_TIMEOUT_S", "600"),
    ])
    .await;
    let mut kept_alive = connect(&server).await;
    ask(&mut kept_alive).await;
    let _silent = connect(&server).await;
    // `stop` insists on an end within a minute.
    assert_eq!(server.stop().await, Some(0));
    let mut rest = Vec::new();
    let end = timeout(PATIENCE, kept_alive.read_to_end(&mut rest)).await;
    assert_eq!(end.unwrap().unwrap(), 0);
}

/// One deadline: what has not ended by then is left behind, and the log says so.
#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_at_the_deadline() {
    let mut server = ControlPlane::start_with(&[
        ("PLINTO_HTTP_SHUTDOWN_S", "1"),
        ("PLINTO_HTTP_TIMEOUT_S", "600"),
    ])
    .await;
    server.bootstrap("acme", "https://api.acme.test");
    let mut stream = connect(&server).await;
    let head = "POST /t/acme/v1/sign_up HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
        content-type: application/json\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever is asked to go on has a handler that waits.
    let mut going_on = [0_u8; 12];
    stream.read_exact(&mut going_on).await.unwrap();
    assert_eq!(&going_on, b"HTTP/1.1 100");
    assert_eq!(server.stop().await, Some(0));
    let log = server.log();
    assert!(log.contains("still running when their time ended"), "{log}");
    assert!(!log.contains("still busy"), "{log}");
    let mut rest = Vec::new();
    let _reset = timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1 201"));
}

/// The variable that makes this test binary a program that panics.
const PANICS: &str = "PLINTO_TEST_PANICS";

/// W6: what a panic says is one JSON line too, whatever it says.
#[test]
fn a_panic_is_one_log_line() {
    if std::env::var_os(PANICS).is_some() {
        control_plane::logging::start(&Config::default().log).unwrap();
        let panicking = std::thread::spawn(|| panic!("two lines\n{{\"level\":\"INFO\"}}"));
        assert!(panicking.join().is_err());
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "api::lifecycle::a_panic_is_one_log_line",
            "--nocapture",
        ])
        .env(PANICS, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let log = String::from_utf8(output.stderr).unwrap();
    let line: Value = serde_json::from_str(&log).unwrap_or_else(|error| panic!("{error}: {log}"));
    assert_eq!(line["message"], "panicked");
    assert_eq!(line["what"], "two lines\n{\"level\":\"INFO\"}");
    assert!(line["place"].as_str().unwrap().contains("lifecycle.rs"));
}

/// A server that has a tenant and was stopped, and the file of its master key.
async fn stopped_beside_its_key() -> (ControlPlane, std::ffi::OsString) {
    let mut server = ControlPlane::start().await;
    server.bootstrap("acme", "https://api.acme.test");
    server.stop().await;
    let mut key = server.file().into_os_string();
    key.push(".key");
    (server, key)
}

#[tokio::test]
async fn a_server_whose_master_key_is_lost_does_not_start_or_make_another() {
    let (server, key) = stopped_beside_its_key().await;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::remove_file(&key).unwrap();
    // Opens everything as `serve` does, and ends whatever comes of it.
    let output = server.run(&["bootstrap", "--tenant", "b", "--audience", "c"]);
    assert!(!output.status.success());
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(
        line.contains("master key file") && line.trim().lines().count() == 1,
        "{line}"
    );
    assert!(!std::path::Path::new(&key).exists());
}

/// W10: the first to learn of it would be who signs up.
#[tokio::test]
async fn a_server_with_another_databases_master_key_does_not_start() {
    let (mut server, key) = stopped_beside_its_key().await;
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, "A".repeat(43)).unwrap();
    for command in [
        &["bootstrap", "--tenant", "b", "--audience", "c"][..],
        &["api-key", "--tenant", "acme"],
        &["serve"],
    ] {
        let output = server.run(command);
        assert!(!output.status.success(), "{command:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(
            line.contains("give the master key they were made with")
                && line.trim().lines().count() == 1,
            "{line}"
        );
    }
    std::fs::write(&key, right).unwrap();
    server.serve().await;
}

#[tokio::test]
async fn wrong_settings_are_named_in_one_line() {
    let server = ControlPlane::start().await;
    let taken = server.run(&["serve"]);
    let line = String::from_utf8(taken.stderr).unwrap();
    assert!(line.contains("cannot listen on"), "{line}");
    assert_eq!(line.trim().lines().count(), 1, "{line}");
    let unusable = ControlPlane::unstarted(&[("PLINTO_SIGNING_KEYS_PUBLISH_AHEAD_S", "3")]);
    let line = String::from_utf8(unusable.run(&["serve"]).stderr).unwrap();
    let expected = "`signing_keys.publish_ahead_s` must lie between 60 and";
    assert!(
        line.contains(expected) && line.trim().lines().count() == 1,
        "{line}"
    );
    let output = server.run(&["--config", "/nowhere/plinto.toml", "migrate"]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("/nowhere/plinto.toml"), "{line}");
}
