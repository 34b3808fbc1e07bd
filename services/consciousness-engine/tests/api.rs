//! The API without PostgreSQL and Redis: what it refuses, and that it says so.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use consciousness_engine::{http, settings::Settings};
use serde_json::json;
use service_kit::settings::Environment;
use service_kit::testing::{Reply, get, post, send};

fn app() -> Router {
    // Nothing listens on port 1.
    let settings = Settings::read(Environment::new(|name| match name {
        "DATABASE_URL" => Some("postgres://engine@127.0.0.1:1/engine".into()),
        "REDIS_URL" => Some("redis://127.0.0.1:1".into()),
        _ => None,
    }));
    http::app(&settings.unwrap())
}

fn assert_problem(reply: &Reply, status: StatusCode, detail: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem = reply.json();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["title"], status.canonical_reason().unwrap());
    let actual = problem["detail"].as_str().unwrap();
    assert!(actual.contains(detail), "{actual}");
}

#[tokio::test]
async fn bad_texts_are_refused() {
    let app = app();
    let long = "a ".repeat(10_001);
    for (text, detail) in [
        ("", "no word"),
        ("?!", "no word"),
        ("nul\0", "NUL"),
        (long.as_str(), "20002 characters"),
    ] {
        let reply = send(&app, post("/analyses", json!({ "text": text }))).await;
        assert_problem(&reply, StatusCode::BAD_REQUEST, detail);
    }
}

#[tokio::test]
async fn bad_bodies_are_refused() {
    let app = app();
    for (body, detail) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[]", "AnalysisRequest"),
        ("{}", "text"),
        (r#"{"text": 1}"#, "text"),
        (r#"{"text": "a", "more": 1}"#, "more"),
    ] {
        let reply = send(&app, post("/analyses", body)).await;
        assert_problem(&reply, StatusCode::BAD_REQUEST, detail);
    }
    let large = json!({ "text": "a".repeat(300_000) });
    let reply = send(&app, post("/analyses", large)).await;
    assert_problem(&reply, StatusCode::PAYLOAD_TOO_LARGE, "limit");
    let plain = Request::post("/analyses").body(Body::from("text")).unwrap();
    let reply = send(&app, plain).await;
    assert_problem(
        &reply,
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "application/json",
    );
}

#[tokio::test]
async fn bad_pages_are_refused() {
    let app = app();
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "before=x",
        "page=2",
    ] {
        let reply = send(&app, get(&format!("/analyses?{query}"))).await;
        let name = query.split('=').next().unwrap();
        assert_problem(&reply, StatusCode::BAD_REQUEST, name);
    }
}

#[tokio::test]
async fn unknown_paths_ids_and_methods_are_refused() {
    let app = app();
    let reply = send(&app, get("/nowhere")).await;
    assert_problem(&reply, StatusCode::NOT_FOUND, "nothing");
    let reply = send(&app, get("/analyses/1")).await;
    assert_problem(&reply, StatusCode::NOT_FOUND, "\"1\"");
    let request = Request::delete("/analyses").body(Body::empty()).unwrap();
    let reply = send(&app, request).await;
    assert_problem(&reply, StatusCode::METHOD_NOT_ALLOWED, "allow");
    assert_eq!(reply.header("allow"), "POST,GET,HEAD");
}

#[tokio::test]
async fn without_a_database_it_lives_but_is_not_ready() {
    let app = app();
    assert_eq!(send(&app, get("/health/live")).await.status, StatusCode::OK);
    let reply = send(&app, get("/health/ready")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let expected = json!({
        "status": "unavailable",
        "parts": { "postgresql": "down", "redis": "down" },
    });
    assert_eq!(reply.json(), expected);
    for request in [
        post("/analyses", json!({ "text": "A text." })),
        get("/analyses"),
        get("/analyses/01a207cb-1e46-73ac-8d1f-9ca8ab673ca2"),
    ] {
        let reply = send(&app, request).await;
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE, "database");
        assert_eq!(reply.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn a_harmless_request_id_is_kept_and_any_other_replaced() {
    let app = app();
    let with_id = |id: &str| {
        let request = Request::get("/health/live").header("x-request-id", id);
        request.body(Body::empty()).unwrap()
    };
    let reply = send(&app, with_id("my-id:42")).await;
    assert_eq!(reply.header("x-request-id"), "my-id:42");
    let long = "x".repeat(129);
    for harmful in ["", "two words", "\u{e9}", long.as_str()] {
        let reply = send(&app, with_id(harmful)).await;
        let id = reply.header("x-request-id");
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{id:?} for {harmful:?}");
    }
}

#[tokio::test]
async fn requests_are_measured_by_route() {
    let app = app();
    send(&app, get("/analyses/1")).await;
    send(&app, get("/analyses/2")).await;
    let metrics = send(&app, get("/metrics")).await.text;
    let line = "http_request_duration_seconds_count\
        {method=\"GET\",route=\"/analyses/{id}\",status=\"404\"} 2\n";
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}
