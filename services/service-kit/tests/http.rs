//! What every request goes through.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get as route_get;
use prometheus_client::registry::Registry;
use service_kit::testing::{get, metric, send};

#[tokio::test]
async fn a_panic_is_the_end_of_one_request_only() {
    async fn panics() -> &'static str {
        panic!("as the test wants")
    }
    let routes = Router::new().route("/panic", route_get(panics));
    let app = service_kit::http::app(routes, Registry::default());
    let reply = send(&app, get("/panic")).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert!(!reply.text.contains("as the test wants"), "{reply:?}");
    assert!(!reply.header("x-request-id").is_empty());
    assert_eq!(send(&app, get("/health/live")).await.status, StatusCode::OK);
    let name = "http_request_duration_seconds_count";
    assert_eq!(metric(&app, name, "status=\"500\"").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_cut_off() {
    let never = route_get(|| async { std::future::pending::<&str>().await });
    let app = service_kit::http::app(Router::new().route("/never", never), Registry::default());
    let reply = send(&app, get("/never")).await;
    assert_eq!(reply.status, StatusCode::REQUEST_TIMEOUT);
    assert!(reply.json()["detail"].as_str().unwrap().contains("30 s"));
}
