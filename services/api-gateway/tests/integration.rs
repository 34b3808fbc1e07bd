//! The gateway in front of a real engine, with PostgreSQL and Redis at DATABASE_URL and REDIS_URL.

use axum::Router;
use axum::http::StatusCode;
use serde_json::json;
use service_kit::contract::{Analysis, AnalysisPage};
use service_kit::problem::ProblemDetails;
use service_kit::settings::Environment;
use service_kit::testing::{eventually, get, post, send};
use tokio::net::TcpListener;
use uuid::Uuid;

async fn gateway() -> Router {
    for name in ["DATABASE_URL", "REDIS_URL"] {
        assert!(
            std::env::var(name).is_ok(),
            "{name} is not set: run this by ./with-databases, or set it to a server for tests"
        );
    }
    let settings = consciousness_engine::settings::Settings::read(Environment::of_process());
    let engine = consciousness_engine::http::app(&settings.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let never = Box::pin(std::future::pending());
    tokio::spawn(service_kit::server::serve(listener, engine, never));

    let settings = api_gateway::settings::Settings::read(Environment::new(|name| {
        (name == "API_GATEWAY_ENGINE_URL").then(|| address.clone())
    }));
    let app = api_gateway::http::app(&settings.unwrap());
    eventually("the gateway is ready", || async {
        let reply = send(&app, get("/health/ready")).await;
        (reply.json()["status"] == "ready").then_some(())
    })
    .await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_the_document_promises() {
    let app = gateway().await;
    let text = format!(
        "The river rises. It floods the field {}.",
        Uuid::new_v4().simple()
    );
    let body = json!({ "text": text });

    let created = send(&app, post("/api/v1/analyses", &body)).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let created: Analysis = serde_json::from_value(created.json()).unwrap();
    assert_eq!(
        (created.text.as_str(), created.cached),
        (text.as_str(), false)
    );

    let again = send(&app, post("/api/v1/analyses", &body)).await;
    assert_eq!(again.status, StatusCode::OK);
    let read = send(&app, get(&format!("/api/v1/analyses/{}", created.id))).await;
    let expected = Analysis {
        cached: true,
        ..created
    };
    assert_eq!(
        serde_json::from_value::<Analysis>(again.json()).unwrap(),
        expected
    );
    assert_eq!(
        serde_json::from_value::<Analysis>(read.json()).unwrap(),
        expected
    );

    let page = send(&app, get("/api/v1/analyses?limit=100")).await;
    let page: AnalysisPage = serde_json::from_value(page.json()).unwrap();
    assert!(page.items.contains(&expected));

    for (request, status) in [
        (
            post("/api/v1/analyses", json!({ "text": "?" })),
            StatusCode::BAD_REQUEST,
        ),
        (post("/api/v1/analyses", "x"), StatusCode::BAD_REQUEST),
        (
            post("/api/v1/analyses", json!({ "text": "spam ".repeat(99) })),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (get("/api/v1/analyses?limit=0"), StatusCode::BAD_REQUEST),
        (
            get(&format!("/api/v1/analyses/{}", Uuid::new_v4())),
            StatusCode::NOT_FOUND,
        ),
    ] {
        let reply = send(&app, request).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem: ProblemDetails = serde_json::from_value(reply.json()).unwrap();
        assert_eq!(problem.status, status.as_u16());
    }
}
