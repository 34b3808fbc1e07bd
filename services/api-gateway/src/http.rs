//! The public API.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::Full;
use hyper::Request;
use prometheus_client::registry::Registry;
use service_kit::http::REQUEST_ID;
use service_kit::problem::Problem;

use crate::engine::{Engine, EngineError};
use crate::settings::Settings;

const RETRY_AFTER_SECONDS: u64 = 1;
const REQUEST_HEADERS: [HeaderName; 2] =
    [header::CONTENT_TYPE, HeaderName::from_static(REQUEST_ID)];
const RESPONSE_HEADERS: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::RETRY_AFTER,
];

/// The API under these settings.
pub fn app(settings: &Settings) -> Router {
    let engine = Engine::new(settings.engine.clone(), settings.engine_timeout);
    let routes = Router::new()
        .route("/api/v1/analyses", post(create).get(list))
        .route("/api/v1/analyses/{id}", get(read))
        .route("/health/ready", get(ready))
        .with_state(engine);
    service_kit::http::app(routes, Registry::default())
}

async fn create(State(engine): State<Engine>, headers: HeaderMap, body: Bytes) -> Response {
    pass_on(&engine, Method::POST, "/analyses", headers, body).await
}

async fn list(
    State(engine): State<Engine>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let path = match query {
        Some(query) => format!("/analyses?{query}"),
        None => "/analyses".into(),
    };
    pass_on(&engine, Method::GET, &path, headers, Bytes::new()).await
}

async fn read(
    State(engine): State<Engine>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    match id.parse::<uuid::Uuid>() {
        Ok(id) => {
            let path = format!("/analyses/{id}");
            pass_on(&engine, Method::GET, &path, headers, Bytes::new()).await
        }
        Err(_) => Problem::new(
            StatusCode::NOT_FOUND,
            format!("there is no analysis with the id {id:?}"),
        )
        .into_response(),
    }
}

async fn ready(State(engine): State<Engine>, headers: HeaderMap) -> Response {
    pass_on(&engine, Method::GET, "/health/ready", headers, Bytes::new()).await
}

async fn pass_on(
    engine: &Engine,
    method: Method,
    path_and_query: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    match path_and_query.parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => {
            return Problem::new(StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
    }
    copy(&REQUEST_HEADERS, &headers, request.headers_mut());
    match engine.send(request).await {
        Ok(answer) => {
            let (parts, body) = answer.into_parts();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = parts.status;
            copy(&RESPONSE_HEADERS, &parts.headers, response.headers_mut());
            response
        }
        Err(error) => {
            tracing::warn!(%error, "engine");
            match error {
                EngineError::Unreachable(_) => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the engine is not available: try again later",
                )
                .retry_after(RETRY_AFTER_SECONDS),
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
