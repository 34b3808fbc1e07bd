//! The answer to "can you take requests?".

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether a part of a service works.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartHealth {
    /// It answers.
    Up,
    /// It doesn't.
    Down,
}

impl From<bool> for PartHealth {
    fn from(up: bool) -> Self {
        if up { Self::Up } else { Self::Down }
    }
}

/// Whether a service can take requests: 200 when it can, else 503.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything works.
    Ready,
    /// Requests are answered, though a part that can be spared is down.
    Degraded,
    /// A part that can't be spared is down.
    Unavailable,
}

/// The health of a service and of its parts.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether requests are answered.
    pub status: Status,
    /// Each part that the service stands on.
    pub parts: BTreeMap<String, PartHealth>,
}

impl IntoResponse for Readiness {
    fn into_response(self) -> Response {
        let status = match self.status {
            Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Status::Ready | Status::Degraded => StatusCode::OK,
        };
        (status, Json(self)).into_response()
    }
}
