//! An attack of clients that dawdle, on a server with its usual limits: from two addresses at once, with
//! more requests than the server has slots.

use std::{net::IpAddr, time::Duration};

use plinto_tests::process::{CommandLine, ControlPlane, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};

use super::{AUDIENCE, stage::policy_folder};
use crate::setup::{CLOSED, PASSWORD};

/// Of each address; together more than the 1,024 requests that are handled at once.
const DAWDLERS: usize = 575;
const ADDRESSES: [&str; 2] = ["127.0.0.1", "127.0.0.2"];
/// What nobody who is served has to wait for.
const SOON: Duration = Duration::from_secs(10);

/// A request whose body is one byte so far, from an address of its own.
async fn dawdle(from: IpAddr, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let server = (IpAddr::from([127, 0, 0, 1]), port).into();
    let mut stream = socket.connect(server).await.unwrap();
    let head = "POST /t/acme/v1/sign_in HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

fn client(from: &str) -> reqwest::Client {
    let address: IpAddr = from.parse().unwrap();
    let builder = reqwest::Client::builder().no_proxy().timeout(SOON);
    builder.local_address(address).build().unwrap()
}

/// W7: edges and people are served, from the very addresses that attack, and the server is ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edges_and_people_are_served_while_a_thousand_requests_dawdle() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, most).unwrap();
    let server = ControlPlane::start().await;
    let tenant = server.bootstrap("acme", AUDIENCE);
    let command_line = CommandLine::new(&server.url(), &tenant.api_key);
    let folder = policy_folder(CLOSED);
    let folder = folder.path().to_str().unwrap();
    command_line.json(&["policy", "publish", folder, "--activate"]);

    let port = reqwest::Url::parse(&server.url()).unwrap().port().unwrap();
    let mut connecting = JoinSet::new();
    for address in ADDRESSES {
        let from: IpAddr = address.parse().unwrap();
        for _ in 0..DAWDLERS {
            connecting.spawn(dawdle(from, port));
        }
    }
    let dawdlers = connecting.join_all().await;
    assert!(dawdlers.len() > 1_100);

    for (number, address) in ADDRESSES.into_iter().enumerate() {
        let client = client(address);
        let get = async |url: String| client.get(url).send().await.unwrap().status().as_u16();
        for path in [
            "edge/revocations",
            "edge/bundle",
            "edge/keys",
            ".well-known/jwks.json",
        ] {
            let status = get(format!("{}/{path}", tenant.issuer)).await;
            assert_eq!(status, 200, "{path} from {address}");
        }
        let body = json!({"email": format!("person-{number}@example.com"), "password": PASSWORD});
        let url = format!("{}/v1/sign_up", tenant.issuer);
        let answer = client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201, "from {address}");
        assert_eq!(get(format!("{}/readyz", server.url())).await, 200);
    }
    // Nobody dawdles for ever: whoever was let wait is told that it took too long, and cut off.
    for mut stream in dawdlers {
        let mut answer = Vec::new();
        let read = timeout(SOON * 3, stream.read_to_end(&mut answer)).await;
        let read = read.expect("a dawdler is let dawdle");
        let line = String::from_utf8_lossy(&answer);
        let is_told = ["HTTP/1.1 408", "HTTP/1.1 429"];
        assert!(
            read.is_err() || is_told.iter().any(|start| line.starts_with(start)),
            "{line}"
        );
    }
}

/// W7: whoever asks and asks and reads no answer is cut off, and its answers with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_its_answers_is_cut_off() {
    let settings = [
        ("PLINTO_HTTP_TIMEOUT_S", "1"),
        ("PLINTO_LOG_FILTER", "plinto_platform::http::server=debug"),
    ];
    let server = ControlPlane::start_with(&settings).await;
    let port = reqwest::Url::parse(&server.url()).unwrap().port().unwrap();
    let document = client(ADDRESSES[0]).get(format!("{}/openapi.json", server.url()));
    let length = document.send().await.unwrap().bytes().await.unwrap().len();
    // More than the buffers between the two take.
    let questions = 64 * 1_048_576 / length;
    let address = (IpAddr::from([127, 0, 0, 1]), port);
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let asking = tokio::spawn(async move {
        let question = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let _ = writing
            .write_all(question.repeat(questions).as_bytes())
            .await;
        writing
    });
    until("the connection is cut off", SOON, async || {
        server
            .log()
            .contains("a connection broke off")
            .then_some(())
    })
    .await;
    let mut answers = Vec::new();
    let read = timeout(SOON, reading.read_to_end(&mut answers)).await;
    let read = read.expect("the connection is still open");
    let is_whole = answers.len() >= questions * length;
    assert!(!is_whole, "all answers were kept for it: {read:?}");
    asking.abort();
}
