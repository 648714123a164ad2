//! `WebSockets`, frame by frame: an application that opens every one, and clients. Source: RFC 6455 §5.

use std::{
    io,
    sync::{Arc, Mutex},
};

use aws_lc_rs::digest;
use base64ct::{Base64, Encoding as _};
use plinto_contract::headers;
use plinto_tests::edge::Edge;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::wire::{NEVER, ask, header, read_head};

/// What one end says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Frame {
    Text(String),
    Binary(Vec<u8>),
    /// A code and a reason; 1005 stands for none.
    Close(u16, String),
}

/// A client's hand-shake. `more`: further header lines.
pub(super) fn upgrade(edge: &Edge, more: &str) -> String {
    format!(
        "GET /documents/7 HTTP/1.1\r\nhost: {}\r\n{more}connection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-protocol: chat\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        edge.authority()
    )
}

/// Opens a socket with that token.
pub(super) async fn open(edge: &Edge, token: &str) -> Socket {
    let bearer = format!("authorization: Bearer {token}\r\n");
    let (head, stream) = ask(edge, &upgrade(edge, &bearer)).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // RFC 6455 §1.3, §4.2.2
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    assert_eq!(
        header(&head, "sec-websocket-protocol").as_deref(),
        Some("chat")
    );
    assert_eq!(
        header(&head, headers::SEQUENCE).as_deref(),
        Some("1"),
        "{head}"
    );
    assert_eq!(header(&head, headers::SUBJECT), None, "{head}");
    Socket { stream }
}

/// A client's end.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
}

impl Socket {
    pub(super) async fn say(&mut self, frame: Frame) {
        write_frame(&mut self.stream, frame, Some([1, 2, 3, 4]))
            .await
            .unwrap();
    }

    /// The next frame; `None` when the connection has ended.
    pub(super) async fn hear(&mut self) -> Option<Frame> {
        let heard = timeout(NEVER, read_frame(&mut self.stream)).await;
        assert!(heard.is_ok(), "the socket stays open and silent");
        heard.unwrap().ok()
    }
}

/// An application that says every text back with the person's name, and closes when told to.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) url: String,
    /// How each of its sockets was closed by the other end.
    pub(super) closes: Arc<Mutex<Vec<Frame>>>,
    /// Every text it has heard.
    pub(super) heard: Arc<Mutex<Vec<String>>>,
}

impl Sockets {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let closes: Arc<Mutex<Vec<Frame>>> = Arc::default();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = (Arc::clone(&closes), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (closes, heard) = told.clone();
                tokio::spawn(async move {
                    if let Ok(Some(close)) = converse(stream, &heard).await {
                        closes.lock().unwrap().push(close);
                    }
                });
            }
        });
        Self { url, closes, heard }
    }
}

/// Talks until the other end closes; returns how.
async fn converse(mut stream: TcpStream, heard: &Mutex<Vec<String>>) -> io::Result<Option<Frame>> {
    let request = read_head(&mut stream).await;
    let Some(key) = header(&request, "sec-websocket-key") else {
        return Ok(None);
    };
    // RFC 6455 §4.2.2
    let key = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let accept = Base64::encode_string(digest.as_ref());
    let subject = header(&request, headers::SUBJECT).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-protocol: chat\r\nx-plinto-subject: {subject}\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    loop {
        match read_frame(&mut stream).await? {
            Frame::Text(text) if text == "close" => {
                let close = Frame::Close(4001, "as asked".to_owned());
                write_frame(&mut stream, close, None).await?;
            }
            Frame::Text(text) if text == "flood" => {
                // until nobody takes any more, or the other end has had enough
                let (mut listen, mut speak) = stream.into_split();
                let flood = tokio::spawn(async move {
                    let part = Frame::Binary(vec![0; 1024 * 1024]);
                    while write_frame(&mut speak, part.clone(), None).await.is_ok() {}
                });
                let close = read_frame(&mut listen).await?;
                flood.abort();
                return Ok(Some(close));
            }
            Frame::Text(text) => {
                let answer = format!("{subject}: {text}");
                heard.lock().unwrap().push(text);
                write_frame(&mut stream, Frame::Text(answer), None).await?;
            }
            Frame::Binary(bytes) => write_frame(&mut stream, Frame::Binary(bytes), None).await?,
            close @ Frame::Close(..) => {
                write_frame(&mut stream, close.clone(), None).await?;
                return Ok(Some(close));
            }
        }
    }
}

/// A short frame.
async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let opcode = stream.read_u8().await? & 0x0f;
    let length = stream.read_u8().await?;
    assert!(length & 0x7f < 126, "a short frame");
    let mut mask = [0; 4];
    if length & 0x80 != 0 {
        stream.read_exact(&mut mask).await?;
    }
    let mut payload = vec![0; usize::from(length & 0x7f)];
    stream.read_exact(&mut payload).await?;
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(match (opcode, payload.as_slice()) {
        (1, payload) => Frame::Text(text(payload)),
        (2, payload) => Frame::Binary(payload.to_vec()),
        (8, []) => Frame::Close(1005, String::new()),
        (8, [high, low, reason @ ..]) => {
            Frame::Close(u16::from_be_bytes([*high, *low]), text(reason))
        }
        (opcode, payload) => panic!("opcode {opcode}: {payload:?}"),
    })
}

async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: Frame,
    mask: Option<[u8; 4]>,
) -> io::Result<()> {
    let (opcode, payload) = match frame {
        Frame::Text(text) => (1, text.into_bytes()),
        Frame::Binary(bytes) => (2, bytes),
        Frame::Close(1005, _) => (8, Vec::new()),
        Frame::Close(code, reason) => (8, [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
    };
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = if let Ok(length @ ..126) = u8::try_from(payload.len()) {
        vec![0x80 | opcode, masked | length]
    } else {
        let length = u64::try_from(payload.len()).unwrap();
        [&[0x80 | opcode, masked | 127][..], &length.to_be_bytes()].concat()
    };
    bytes.extend(mask.iter().flatten());
    let mask = mask.unwrap_or_default();
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    stream.write_all(&bytes).await
}
