//! The engine's API.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prometheus_client::registry::Registry;
use serde::Deserialize;
use service_kit::contract::{Analysis, AnalysisPage, AnalysisRequest, MAX_PAGE_LIMIT};
use service_kit::error::describe;
use service_kit::extract::{JsonBody, QueryParameters};
use service_kit::health::{Readiness, Status};
use service_kit::problem::Problem;
use uuid::Uuid;

use crate::analyses::{Analyses, AnalysisError};
use crate::settings::Settings;
use crate::store::StoreError;

const RETRY_AFTER_SECONDS: u64 = 1;

/// The API under these settings; starts to connect to PostgreSQL and Redis.
pub fn app(settings: &Settings) -> Router {
    let mut registry = Registry::default();
    let analyses = Arc::new(Analyses::new(settings, &mut registry));
    let migrating = Arc::clone(&analyses);
    tokio::spawn(async move { migrating.store.migrate().await });
    let connecting = Arc::clone(&analyses);
    tokio::spawn(async move { connecting.cache.keep_connected().await });

    let routes = Router::new()
        .route("/analyses", post(create).get(list))
        .route("/analyses/{id}", get(read))
        .route("/health/ready", get(ready))
        .with_state(analyses);
    service_kit::http::app(routes, registry)
}

async fn create(
    State(analyses): State<Arc<Analyses>>,
    JsonBody(request): JsonBody<AnalysisRequest>,
) -> Result<Response, ApiError> {
    let analysis = analyses.analyse(&request.text).await?;
    let status = if analysis.cached {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(analysis)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    #[serde(default = "default_limit")]
    limit: u32,
    before: Option<Uuid>,
}

fn default_limit() -> u32 {
    20
}

async fn list(
    State(analyses): State<Arc<Analyses>>,
    QueryParameters(PageQuery { limit, before }): QueryParameters<PageQuery>,
) -> Result<Response, ApiError> {
    if !(1..=MAX_PAGE_LIMIT).contains(&limit) {
        return Ok(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("limit is {limit}: expected a number from 1 to {MAX_PAGE_LIMIT}"),
        )
        .into_response());
    }
    // One more than asked for tells whether there is a next page.
    let mut items = analyses.list(limit + 1, before).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = if more {
        items.last().map(|last| last.id)
    } else {
        None
    };
    Ok(Json(AnalysisPage { items, next }).into_response())
}

async fn read(
    State(analyses): State<Arc<Analyses>>,
    Path(id): Path<String>,
) -> Result<Json<Analysis>, ApiError> {
    let analysis = match id.parse() {
        Ok(id) => analyses.get(id).await?,
        Err(_) => None,
    };
    analysis.map(Json).ok_or(ApiError::NotFound(id))
}

async fn ready(State(analyses): State<Arc<Analyses>>) -> Readiness {
    let postgresql = analyses.store.is_ready().await;
    let redis = analyses.cache.is_ready();
    Readiness {
        status: match (postgresql, redis) {
            (true, true) => Status::Ready,
            (true, false) => Status::Degraded,
            (false, _) => Status::Unavailable,
        },
        parts: BTreeMap::from([
            ("postgresql".into(), postgresql.into()),
            ("redis".into(), redis.into()),
        ]),
    }
}

enum ApiError {
    Analysis(AnalysisError),
    NotFound(String),
}

impl From<AnalysisError> for ApiError {
    fn from(error: AnalysisError) -> Self {
        Self::Analysis(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Analysis(error) => error,
            Self::NotFound(id) => {
                let detail = format!("there is no analysis with the id {id:?}");
                return Problem::new(StatusCode::NOT_FOUND, detail).into_response();
            }
        };
        let detail = error.to_string();
        match error {
            AnalysisError::BadText(_) => Problem::new(StatusCode::BAD_REQUEST, detail),
            AnalysisError::BelowThreshold {
                score,
                parts,
                threshold,
            } => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                .with("score", score)
                .with("threshold", threshold)
                .with("parts", serde_json::json!(parts)),
            AnalysisError::Timeout(_) => {
                tracing::warn!(detail);
                Problem::new(StatusCode::GATEWAY_TIMEOUT, detail)
            }
            AnalysisError::Store(StoreError::Unavailable(_)) => {
                tracing::warn!(detail);
                Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the database is not available: try again later",
                )
                .retry_after(RETRY_AFTER_SECONDS)
            }
            AnalysisError::Store(StoreError::Refused(error)) => {
                tracing::error!(error = describe(&error), "PostgreSQL refused a query");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the service made a mistake: it is in its log under the request id",
                )
            }
        }
        .into_response()
    }
}
