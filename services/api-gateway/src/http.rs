//! The public API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::Full;
use hyper::Uri;
use prometheus_client::registry::Registry;
use service_kit::contract::{Analysis, AnalysisPage, AnalysisRequest, MAX_BODY_BYTES};
use service_kit::error::describe;
use service_kit::extract::RawBody;
use service_kit::health::{PartHealth, Readiness, Status};
use service_kit::http::REQUEST_ID;
use service_kit::problem::{Problem, ProblemDetails};
use tower_http::cors::CorsLayer;
use utoipa::OpenApi;
use uuid::Uuid;

use crate::clients::Clients;
use crate::engine::{Engine, EngineError};
use crate::metrics::Metrics;
use crate::openapi::Document;
use crate::settings::Settings;

/// The header with the key of a client.
pub const API_KEY: &str = "x-api-key";

const ENGINE: &str = "consciousness-engine";
const RETRY_AFTER: Duration = Duration::from_secs(1);
const PREFLIGHT_KEPT_FOR: Duration = Duration::from_secs(60 * 60);
const REQUEST_HEADERS: [HeaderName; 2] =
    [header::CONTENT_TYPE, HeaderName::from_static(REQUEST_ID)];
const RESPONSE_HEADERS: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::RETRY_AFTER,
];

/// The API under these settings; starts to watch the keys file.
pub fn app(settings: &Settings) -> Router {
    let mut registry = Registry::default();
    let engine = Engine::new(
        settings.engine.clone(),
        settings.engine_timeout,
        Metrics::register(&mut registry),
    );
    let mut routes = Router::new()
        .route("/api/v1/analyses", post(create).get(list))
        .route("/api/v1/analyses/{id}", get(read));
    match &settings.keys {
        Some(file) => {
            let clients = Arc::new(Clients::new(file.clone(), settings.rate_per_second));
            let watching = Arc::clone(&clients);
            tokio::spawn(async move { watching.keep_reading().await });
            routes = routes.route_layer(middleware::from_fn_with_state(clients, authorise));
        }
        None => tracing::warn!("API_GATEWAY_KEYS_FILE is not set: everybody may use the API"),
    }
    let routes = routes
        .route("/api/v1/openapi.json", get(openapi))
        .route("/health/ready", get(ready))
        .with_state(engine);
    // Around everything, as a preflight is answered before its method is looked at.
    service_kit::http::app(routes, registry).layer(cors(settings))
}

fn cors(settings: &Settings) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(settings.cors_origins.clone())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            HeaderName::from_static(API_KEY),
            HeaderName::from_static(REQUEST_ID),
        ])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static(REQUEST_ID)])
        .max_age(PREFLIGHT_KEPT_FOR)
}

async fn authorise(State(clients): State<Arc<Clients>>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(API_KEY) else {
        return refuse_key(format!("send your API key in the header {API_KEY}"));
    };
    let Some(client) = clients.find(key.as_bytes()) else {
        return refuse_key(format!("the API key in the header {API_KEY} is not known"));
    };
    tracing::Span::current().record("client", &client.name);
    match client.count_request() {
        Ok(()) => next.run(request).await,
        Err(wait) => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many requests with this API key",
        )
        .retry_after(whole_seconds(wait))
        .into_response(),
    }
}

fn refuse_key(detail: String) -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "ApiKey")];
    (challenge, Problem::new(StatusCode::UNAUTHORIZED, detail)).into_response()
}

/// Analyses a text. The same text always has the same analysis.
#[utoipa::path(
    post,
    path = "/api/v1/analyses",
    operation_id = "create_analysis",
    request_body = AnalysisRequest,
    security((), ("api_key" = [])),
    responses(
        (status = 201, description = "The analysis was made", body = Analysis),
        (status = 200, description = "The analysis was there before", body = Analysis),
        (status = 422, description = "The text scores below the quality threshold; the body also \
            has the members score, threshold and parts",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The request is too large",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "The request is not JSON",
            body = ProblemDetails, content_type = "application/problem+json"),
        CommonResponses,
    ),
)]
pub async fn create(
    State(engine): State<Engine>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Response {
    let path = Uri::from_static("/analyses");
    pass_on(&engine, Method::POST, path, &headers, body).await
}

/// Lists analyses, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/analyses",
    operation_id = "list_analyses",
    params(
        ("limit" = Option<u32>, Query, description = "The most analyses on a page",
            minimum = 1, maximum = 100, example = 20),
        ("before" = Option<Uuid>, Query, description = "What the page before gave as next"),
    ),
    security((), ("api_key" = [])),
    responses(
        (status = 200, description = "One page of analyses", body = AnalysisPage),
        CommonResponses,
    ),
)]
pub async fn list(
    State(engine): State<Engine>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match format!("/analyses?{}", query.unwrap_or_default()).parse() {
        Ok(path) => pass_on(&engine, Method::GET, path, &headers, Bytes::new()).await,
        Err(error) => Problem::new(StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Gives one analysis.
#[utoipa::path(
    get,
    path = "/api/v1/analyses/{id}",
    operation_id = "get_analysis",
    params(("id" = Uuid, Path, description = "The id of an analysis")),
    security((), ("api_key" = [])),
    responses(
        (status = 200, description = "The analysis", body = Analysis),
        (status = 404, description = "There is no analysis with this id",
            body = ProblemDetails, content_type = "application/problem+json"),
        CommonResponses,
    ),
)]
pub async fn read(
    State(engine): State<Engine>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    // Only what can be an id is passed on: anything else could be another path of the engine.
    let path = id.parse().map(|id: Uuid| format!("/analyses/{id}").parse());
    match path {
        Ok(Ok(path)) => pass_on(&engine, Method::GET, path, &headers, Bytes::new()).await,
        _ => Problem::new(
            StatusCode::NOT_FOUND,
            format!("there is no analysis with the id {id:?}"),
        )
        .into_response(),
    }
}

/// Gives this document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "get_openapi",
    responses((status = 200, description = "This document", body = serde_json::Value)),
)]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

/// What every request may be answered with.
#[derive(utoipa::IntoResponses)]
#[allow(dead_code)]
enum CommonResponses {
    /// The request is wrong: the detail says how
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] ProblemDetails),
    /// The API key is missing or not known
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorised(#[to_schema] ProblemDetails),
    /// The request came in too slowly
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(#[to_schema] ProblemDetails),
    /// Too many requests with this API key: retry-after says when to try again
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(#[to_schema] ProblemDetails),
    /// The database or the engine is not available: retry-after says when to try again
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] ProblemDetails),
    /// The analysis took too long
    #[response(status = 504, content_type = "application/problem+json")]
    Timeout(#[to_schema] ProblemDetails),
}

async fn ready(State(engine): State<Engine>, headers: HeaderMap) -> Readiness {
    match engine_readiness(&engine, &headers).await {
        Some(mut readiness) => {
            readiness.parts.insert(ENGINE.into(), PartHealth::Up);
            readiness
        }
        None => Readiness {
            status: Status::Unavailable,
            parts: BTreeMap::from([(ENGINE.into(), PartHealth::Down)]),
        },
    }
}

async fn engine_readiness(engine: &Engine, headers: &HeaderMap) -> Option<Readiness> {
    let path = Uri::from_static("/health/ready");
    let answer = pass_on(engine, Method::GET, path, headers, Bytes::new()).await;
    let body = to_bytes(answer.into_body(), MAX_BODY_BYTES).await.ok()?;
    serde_json::from_slice(&body).ok()
}

async fn pass_on(
    engine: &Engine,
    method: Method,
    path: Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = path;
    copy(&REQUEST_HEADERS, headers, request.headers_mut());
    match engine.send(request).await {
        Ok(answer) => {
            let (parts, body) = answer.into_parts();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = parts.status;
            copy(&RESPONSE_HEADERS, &parts.headers, response.headers_mut());
            response
        }
        Err(error) => {
            tracing::warn!(error = describe(&error), "no answer from the engine");
            let unavailable = |wait| {
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the engine is not available: try again later",
                )
                .retry_after(whole_seconds(wait))
            };
            match error {
                EngineError::Unreachable(_) => unavailable(RETRY_AFTER),
                EngineError::CircuitOpen(wait) => unavailable(wait),
                EngineError::Timeout(_) => {
                    Problem::new(StatusCode::GATEWAY_TIMEOUT, error.to_string())
                }
            }
            .into_response()
        }
    }
}

fn copy(names: &[HeaderName], from: &HeaderMap, to: &mut HeaderMap) {
    for name in names {
        if let Some(value) = from.get(name) {
            to.insert(name, value.clone());
        }
    }
}

/// Rounded up: after fewer it would be too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
