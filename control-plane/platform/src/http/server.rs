//! Listens, serves, and stops gracefully. Connections are closed that are idle, send slowly or don't read
//! their answers, and no address has more than its share of them (statement W7).
//!
//! HTTP/1.1 only: TLS and HTTP/2 end at the proxy in front, and a server that has to look which of
//! two protocols a silent client is about to speak cannot bound how long it looks.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1::Builder, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, timeout_at},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    Platform,
    config::HttpConfig,
    http::{
        rate_limit::network,
        shares::{Place, Shares},
    },
};

/// 64 KiB: request line and headers together.
const HEADER_BYTES: usize = 64 * 1024;
/// A quarter of the process's file handles is one address's share of connections; another quarter is
/// kept for the database.
const SHARE: usize = 4;
/// 65,536: file handles that are counted on where the system sets no limit.
const HANDLES: u64 = 65_536;
/// A tenth of the time for the end is kept for closing the database.
const CLOSING_SHARE: u32 = 10;
/// 100 ms: the process has no file handle left; accepting again at once would only burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `app.stopping` is cancelled; then lets running requests and tasks finish.
pub async fn serve(platform: &Platform, listener: TcpListener, router: Router) {
    let builder = builder(&platform.config.http);
    let graceful = GracefulShutdown::new();
    let connections = connections(handles());
    loop {
        tokio::select! {
            () = platform.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match connections.acquire(client(platform, peer)) {
                    Ok(place) => handle(platform, (&builder, &graceful), &router, (stream, peer, place)),
                    // Nothing was read yet, so there is nothing to answer.
                    Err(full) => tracing::debug!(?full, "a connection was closed at once"),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    end(platform, graceful.shutdown()).await;
}

/// How many files and connections the process may have open: as many as the system lets it.
fn handles() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, most) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    usize::try_from(limit.unwrap_or(HANDLES)).unwrap_or(usize::MAX)
}

fn connections(handles: usize) -> Shares<IpAddr> {
    let each = handles / SHARE;
    Shares::new(each, handles.saturating_sub(each))
}

/// Whose share a connection is of. Behind a proxy all are the proxy's.
fn client(platform: &Platform, peer: SocketAddr) -> Option<IpAddr> {
    let is_direct = platform.config.http.client_ip_header.is_none();
    is_direct.then(|| network(peer.ip().to_canonical()))
}

/// One deadline over everything that has to end: the last requests, background work, the database.
pub async fn end(platform: &Platform, requests: impl Future<Output = ()>) {
    let grace = Duration::from_secs(platform.config.http.shutdown_s);
    let begun = Instant::now();
    let last = begun + grace;
    let work = begun + grace.saturating_sub(grace / CLOSING_SHARE);
    platform.tasks.close();
    let ended = async {
        requests.await;
        platform.tasks.wait().await;
    };
    if timeout_at(work, ended).await.is_err() {
        let running = platform.tasks.len();
        tracing::warn!(
            running,
            "requests or background work were still running when their time ended"
        );
    }
    if timeout_at(last, platform.db.close()).await.is_err() {
        // What was answered is on the disk; the rest is undone at the next start.
        tracing::warn!("the database was still busy when its time to close ended");
    }
}

fn builder(config: &HttpConfig) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(config.header_timeout_s))
        .max_buf_size(HEADER_BYTES);
    builder
}

fn handle(
    platform: &Platform,
    (builder, graceful): (&Builder, &GracefulShutdown),
    router: &Router,
    (stream, peer, place): (TcpStream, SocketAddr, Place<IpAddr>),
) {
    // Answers are small: waiting to fill a packet costs more than it saves.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let mut stream = TimeoutStream::new(stream);
    // Who asks and asks and never reads would else keep the connection, and the answers, for ever.
    stream.set_write_timeout(Some(Duration::from_secs(platform.config.http.timeout_s)));
    let stream = TokioIo::new(Box::pin(stream));
    let connection = graceful.watch(builder.serve_connection(stream, service));
    platform.tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(place);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// W7: an address with more connections than its share leaves the others theirs.
    #[test]
    fn one_address_has_a_quarter_of_the_file_handles_and_the_database_keeps_another() {
        let connections = connections(40);
        let ip = |text: &str| Some(network(text.parse().unwrap()));
        let greedy: Vec<_> = (0..20)
            .filter_map(|_| connections.acquire(ip("192.0.2.1")).ok())
            .collect();
        assert_eq!(greedy.len(), 10);
        let network: Vec<_> = (0..20)
            .filter_map(|number| connections.acquire(ip(&format!("2001:db8::{number}"))).ok())
            .collect();
        assert_eq!(network.len(), 10, "one customer has a whole /64");
        let others: Vec<_> = (0..20)
            .filter_map(|number| connections.acquire(ip(&format!("192.0.2.1{number}"))).ok())
            .collect();
        assert_eq!(others.len(), 10, "ten handles are the database's");
    }
}
