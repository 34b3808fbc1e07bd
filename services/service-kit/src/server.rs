//! An HTTP/1.1 server that finishes what is in flight before it ends.

use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// How long a client may keep a connection without sending the headers of its next request: longer
/// than nginx (60 s) and the gateway (30 s) keep theirs, or they would send into a closed one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests in flight may take after the signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Work that is done once the value is polled.
///
/// Boxed so that it is compiled here, once, and not again in each service.
pub type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves `app` until `stop` comes true, then closes the listener and waits for what is in flight.
pub fn serve(listener: TcpListener, app: Router, stop: Work<()>) -> Work<()> {
    Box::pin(async move {
        let connections = GracefulShutdown::new();
        accept(&listener, &app, &connections, stop).await;
        drop(listener);
        tracing::info!(connections = connections.count(), "stopping");
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await;
        if drained.is_err() {
            tracing::warn!("stopped with requests in flight after {DRAIN_TIMEOUT:?}");
        }
    })
}

async fn accept(
    listener: &TcpListener,
    app: &Router,
    connections: &GracefulShutdown,
    mut stop: Work<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: the next accept would fail at once.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended before it was served");
            continue;
        }
        let service = TowerToHyperService::new(app.clone());
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
}
