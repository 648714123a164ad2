//! Listens, serves, and stops gracefully.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use tokio::net::TcpListener;

use crate::app::App;

/// Serves until `app.stopping` is cancelled; then lets running requests and tasks finish.
pub async fn serve(app: &App, listener: TcpListener, router: Router) -> std::io::Result<()> {
    let stopping = app.stopping.clone();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service)
        .with_graceful_shutdown(async move { stopping.cancelled().await });
    let grace = Duration::from_secs(app.config.http.shutdown_s);
    let overdue = async {
        app.stopping.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = serving => result?,
        () = overdue => tracing::warn!("requests were still running when the grace period ended"),
    }
    app.tasks.close();
    if tokio::time::timeout(grace, app.tasks.wait()).await.is_err() {
        tracing::warn!("background work was still running when the grace period ended");
    }
    app.db.close().await;
    Ok(())
}
