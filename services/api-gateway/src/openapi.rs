//! The description of the public API, made from its code.

use service_kit::contract::{Analysis, AnalysisPage, AnalysisRequest, Parts};
use service_kit::problem::ProblemDetails;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::http;

/// The OpenAPI document of the public API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Analyses",
        description = "Scores English prose from 0 (poor) to 1 (good) and keeps the results. \
                       Every answer carries the id of its request in x-request-id.",
        license(name = "MIT"),
    ),
    paths(http::create, http::list, http::read, http::openapi),
    components(schemas(Analysis, AnalysisPage, AnalysisRequest, Parts, ProblemDetails)),
    modifiers(&Security),
)]
pub struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description(
            http::API_KEY,
            "Needed where the gateway has been given keys.",
        );
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}
