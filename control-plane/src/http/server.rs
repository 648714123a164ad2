//! Listens, serves, and stops gracefully. Slow and idle connections are closed (statement W7).
//!
//! HTTP/1.1 only: TLS and HTTP/2 end at the proxy in front, and a server that has to look which of
//! two protocols a silent client is about to speak cannot bound how long it looks.

use std::{net::SocketAddr, time::Duration};

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
use tower::ServiceExt;

use crate::{app::App, config::HttpConfig};

/// 64 KiB: request line and headers together.
const HEADER_BYTES: usize = 64 * 1024;
/// A tenth of the time for the end is kept for closing the database.
const CLOSING_SHARE: u32 = 10;
/// 100 ms: the process has no file handle left; accepting again at once would only burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `app.stopping` is cancelled; then lets running requests and tasks finish.
pub async fn serve(app: &App, listener: TcpListener, router: Router) {
    let builder = builder(&app.config.http);
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => handle(app, (&builder, &graceful), &router, (stream, peer)),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    end(app, graceful).await;
}

/// One deadline over everything that has to end.
async fn end(app: &App, graceful: GracefulShutdown) {
    let grace = Duration::from_secs(app.config.http.shutdown_s);
    let begun = Instant::now();
    let last = begun + grace;
    let work = begun + grace.saturating_sub(grace / CLOSING_SHARE);
    app.tasks.close();
    let ended = async {
        graceful.shutdown().await;
        app.tasks.wait().await;
    };
    if timeout_at(work, ended).await.is_err() {
        let running = app.tasks.len();
        tracing::warn!(
            running,
            "requests or background work were still running when their time ended"
        );
    }
    if timeout_at(last, app.db.close()).await.is_err() {
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
    app: &App,
    (builder, graceful): (&Builder, &GracefulShutdown),
    router: &Router,
    (stream, peer): (TcpStream, SocketAddr),
) {
    // Answers are small: waiting to fill a packet costs more than it saves.
    let _ = stream.set_nodelay(true);
    let router = router.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
    app.tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
    });
}
