//! The way to the consciousness-engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use service_kit::error::describe;
use tower_http::timeout::TimeoutBody;

use crate::circuit_breaker::CircuitBreaker;
use crate::metrics::Metrics;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Shorter than the engine keeps a connection, or requests would meet closed ones.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why the engine gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It can't be reached, or broke the connection.
    #[error("the engine can't be reached")]
    Unreachable(#[from] ClientError),
    /// It took too long.
    #[error("the engine took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
    /// It isn't asked, because it didn't answer lately; says when to try again.
    #[error("the engine is not asked for another {} ms, because it didn't answer", .0.as_millis())]
    CircuitOpen(Duration),
}

/// A client of the engine.
#[derive(Clone)]
pub struct Engine {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
    timeout: Duration,
    breaker: Arc<CircuitBreaker>,
    metrics: Metrics,
}

impl Engine {
    /// A client of the engine at `authority`; each request may take `timeout`, retries included.
    pub fn new(authority: Authority, timeout: Duration, metrics: Metrics) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        Self {
            client,
            authority,
            timeout,
            breaker: Arc::default(),
            metrics,
        }
    }

    /// Sends a request to the engine, and once more when the connection broke.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, EngineError> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = self.uri(path);
        let permit = self
            .breaker
            .permit(Instant::now())
            .map_err(EngineError::CircuitOpen)?;
        let result = tokio::time::timeout(self.timeout, self.send_with_retry(request))
            .await
            .map_err(|_| EngineError::Timeout(self.timeout))
            .and_then(|result| result.map_err(EngineError::Unreachable));
        match &result {
            Ok(_) => permit.succeeded(),
            Err(_) => {
                permit.failed(Instant::now());
                self.metrics.failures.inc();
            }
        }
        self.metrics
            .circuit_open
            .set(i64::from(!self.breaker.is_closed()));
        Ok(result?.map(|body| Body::new(TimeoutBody::new(self.timeout, body))))
    }

    async fn send_with_retry(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        // Safe for every request that there is: reading changes nothing, and a text that is
        // analysed twice is stored once, by the hash of its content.
        let again = request.clone();
        match self.client.request(request).await {
            Ok(response) => Ok(response),
            Err(error) => {
                tracing::debug!(
                    error = describe(&error),
                    "sending the request to the engine again"
                );
                self.metrics.retries.inc();
                tokio::time::sleep(RETRY_PAUSE).await;
                self.client.request(again).await
            }
        }
    }

    fn uri(&self, path: Option<PathAndQuery>) -> Uri {
        let mut parts = hyper::http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
        Uri::from_parts(parts).expect("scheme, authority and path make a URI")
    }
}
