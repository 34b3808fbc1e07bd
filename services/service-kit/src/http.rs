//! What every request goes through: an id, a log line, a measurement, a net for panics.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use crate::contract::MAX_BODY_BYTES;
use crate::problem::Problem;

/// The header that carries the id of a request from service to service.
pub const REQUEST_ID: &str = "x-request-id";

/// The longest that a request may take, reading its body included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

type Durations = Family<RequestLabels, Histogram, fn() -> Histogram>;

/// Adds to `routes` all that every service has: `/health/live`, `/metrics`, problems for unknown
/// paths, body limits, and for each request an id, a log line and a measurement.
pub fn app(routes: Router, mut metrics: Registry) -> Router {
    let durations = Durations::new_with_constructor(|| {
        Histogram::new([
            0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
        ])
    });
    metrics.register_with_unit(
        "http_request_duration",
        "Time to answer a request",
        Unit::Seconds,
        durations.clone(),
    );
    routes
        .route("/health/live", get(|| async { "ok" }))
        .route("/metrics", get(expose).with_state(Arc::new(metrics)))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path doesn't take this method: see the allow header",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn_with_state(durations, observe))
}

async fn expose(State(metrics): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &metrics) {
        Ok(()) => (
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
            )],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics could not be written");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no metrics").into_response()
        }
    }
}

fn answer_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    // The panic hook has logged the cause.
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the service made a mistake: it is in its log under the request id",
    )
    .into_response()
}

async fn observe(
    State(durations): State<Durations>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let method = request.method().to_string();
    let route = matched
        .as_ref()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let id = request_id(&request);
    request.headers_mut().insert(REQUEST_ID, id.clone());

    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        client = tracing::field::Empty,
    );
    async move {
        let mut response = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request))
            .await
            .unwrap_or_else(|_| too_slow().into_response());
        response.headers_mut().insert(REQUEST_ID, id);

        let elapsed = start.elapsed();
        let status = response.status().as_u16();
        let duration_ms = elapsed.as_secs_f64() * 1e3;
        // The proxy's access log has every request: a line in each service would cost as much
        // as the answer itself.
        if status < 400 {
            tracing::debug!(method, route, status, duration_ms, "request");
        } else {
            tracing::info!(method, route, status, duration_ms, "request");
        }
        durations
            .get_or_create(&RequestLabels {
                method,
                route,
                status,
            })
            .observe(elapsed.as_secs_f64());
        response
    }
    .instrument(span)
    .await
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        format!(
            "the request took longer than {} s",
            REQUEST_TIMEOUT.as_secs()
        ),
    )
}

/// The id that the request came with, unless it could do harm in a log; else a new one.
fn request_id(request: &Request) -> HeaderValue {
    request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| {
            (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        })
        .cloned()
        .unwrap_or_else(|| {
            HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("a UUID is ASCII")
        })
}
