//! The way to the consciousness-engine.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_http::timeout::TimeoutBody;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Why the engine gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It can't be reached, or broke the connection.
    #[error("the engine can't be reached: {0}")]
    Unreachable(#[from] ClientError),
    /// It took too long.
    #[error("the engine took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
}

/// A client of the engine.
#[derive(Clone)]
pub struct Engine {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
    timeout: Duration,
}

impl Engine {
    /// A client of the engine at `authority`; each request may take `timeout`, retries included.
    pub fn new(authority: Authority, timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Self {
            client,
            authority,
            timeout,
        }
    }

    /// Sends a request to the engine, once more where that is safe.
    pub async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Body>, EngineError> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = self.uri(path);
        let response = tokio::time::timeout(self.timeout, self.send_with_retry(request))
            .await
            .map_err(|_| EngineError::Timeout(self.timeout))??;
        Ok(response.map(|body| Body::new(TimeoutBody::new(self.timeout, body))))
    }

    async fn send_with_retry(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let again = request.clone();
        match self.client.request(request).await {
            // A request that never reached the engine, or changes nothing there.
            Err(error) if error.is_connect() || again.method().is_safe() => {
                tokio::time::sleep(RETRY_PAUSE).await;
                self.client.request(again).await
            }
            result => result,
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
