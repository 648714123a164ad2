//! Requests and answers written by hand, as no client or server library would.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use plinto_tests::edge::Edge;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Far beyond what any of this takes, on however busy a machine.
pub(super) const NEVER: Duration = Duration::from_mins(1);

/// Writes a request as it is, and reads the head of the answer.
pub(super) async fn ask(edge: &Edge, request: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(edge.authority()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = timeout(NEVER, read_head(&mut stream)).await;
    (head.unwrap(), stream)
}

/// Everything up to the empty line, or to the end of the connection.
pub(super) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A header's value in such a head.
pub(super) fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim().to_owned())
}

/// What an application does with a connection once it has read a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Writes these parts, each in a packet of its own, and goes on reading.
    Write(Vec<&'static str>),
    /// Writes this and closes.
    WriteAndClose(&'static str),
    /// Drops the connection: the other end sees a reset.
    Reset,
    /// Closes it without a word.
    Close,
    /// Never answers.
    Silence,
    /// Reads nothing after the head, and never answers.
    Unread,
}

/// An application that answers by path, byte for byte.
#[derive(Debug)]
pub(super) struct Scripted {
    pub(super) url: String,
    /// The heads of all requests, as they came.
    pub(super) heads: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(super) async fn start(acts: &[(&'static str, Act)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let acts: Arc<BTreeMap<_, _>> = Arc::new(acts.iter().cloned().collect());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(play(stream, Arc::clone(&acts), Arc::clone(&seen)));
            }
        });
        Self { url, heads }
    }
}

async fn play(
    mut stream: TcpStream,
    acts: Arc<BTreeMap<&'static str, Act>>,
    heads: Arc<Mutex<Vec<String>>>,
) {
    loop {
        let head = read_head(&mut stream).await;
        if head.is_empty() {
            return;
        }
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let path = head.split(' ').nth(1).unwrap().to_owned();
        heads.lock().unwrap().push(head);
        let is_read = !matches!(acts.get(path.as_str()), Some(Act::Unread));
        let mut body = vec![0; length];
        if is_read && stream.read_exact(&mut body).await.is_err() {
            return;
        }
        match acts.get(path.as_str()).unwrap_or(&Act::Silence) {
            Act::Write(parts) => {
                for part in parts {
                    stream.write_all(part.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
            Act::WriteAndClose(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::Close => return,
            Act::Silence | Act::Unread => std::future::pending().await,
        }
    }
}
