//! Listens, serves, and stops gracefully. Slow and idle connections are closed (statement W7).

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::{app::App, config::HttpConfig};

/// 64 KiB: request line and headers of HTTP/1 together.
const HEADER_BYTES: usize = 64 * 1024;
/// The same as the unit HTTP/2 counts in.
const HEADER_LIST_BYTES: u32 = 64 * 1024;
/// 128: requests at once on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// 10 s: an answer to an HTTP/2 ping.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
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
    let grace = Duration::from_secs(app.config.http.shutdown_s);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running when the grace period ended");
    }
    app.tasks.close();
    if tokio::time::timeout(grace, app.tasks.wait()).await.is_err() {
        tracing::warn!("background work was still running when the grace period ended");
    }
    app.db.close().await;
}

fn builder(config: &HttpConfig) -> Builder<TokioExecutor> {
    let timeout = Duration::from_secs(config.header_timeout_s);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_LIST_BYTES)
        .keep_alive_interval(timeout)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

fn handle(
    app: &App,
    (builder, graceful): (&Builder<TokioExecutor>, &GracefulShutdown),
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
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    app.tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error, "a connection broke off");
        }
    });
}
