//! The gateway in front of an engine that is played by the test.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api_gateway::{http, settings::Settings};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use service_kit::settings::Environment;
use service_kit::testing::{FlakyPort, Mode, Reply, eventually, get, metric, post, send};
use tokio::net::TcpListener;

/// The SHA-256 of "first-key", as `printf %s first-key | sha256sum` gives it.
const FIRST_KEY_HASH: &str = "9e24b55356ef2a121ab5fd1a3ee8a3c9191e837f3853e399a369e9044ff183f7";

/// An engine that tells what it was asked, and counts.
struct PlayedEngine {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl PlayedEngine {
    async fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let app = Router::new()
            .fallback(play)
            .with_state(Arc::clone(&requests));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn play(
    State(requests): State<Arc<AtomicUsize>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    requests.fetch_add(1, Ordering::SeqCst);
    match body.as_str() {
        "slow" => std::future::pending().await,
        "full" => {
            let headers = [("retry-after", "7"), ("x-engine-secret", "yes")];
            (StatusCode::SERVICE_UNAVAILABLE, headers, "full").into_response()
        }
        _ if uri.path() == "/health/ready" => {
            Json(json!({ "status": "degraded", "parts": { "redis": "down" } })).into_response()
        }
        _ => {
            let headers: Value = headers
                .iter()
                .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
                .collect();
            let heard = json!({
                "method": method.as_str(),
                "uri": uri.to_string(),
                "headers": headers,
                "body": body,
            });
            (StatusCode::CREATED, Json(heard)).into_response()
        }
    }
}

fn gateway(engine: &str, variables: &[(&str, &str)]) -> Router {
    let settings = Settings::read(Environment::new(|name| match name {
        "API_GATEWAY_ENGINE_URL" => Some(format!("http://{engine}")),
        _ => {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        }
    }));
    http::app(&settings.unwrap())
}

fn assert_problem(reply: &Reply, status: StatusCode) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["status"], status.as_u16());
}

#[tokio::test]
async fn requests_and_answers_are_passed_on() {
    let engine = PlayedEngine::start().await;
    let app = gateway(&engine.address, &[]);
    let request = Request::post("/api/v1/analyses")
        .header("content-type", "application/json")
        .header("x-request-id", "my-id")
        .header("x-api-key", "secret")
        .header("cookie", "secret")
        .body(Body::from("{}"))
        .unwrap();
    let reply = send(&app, request).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.header("x-request-id"), "my-id");
    let heard = reply.json();
    assert_eq!(heard["method"], "POST");
    assert_eq!(heard["uri"], "/analyses");
    assert_eq!(heard["body"], "{}");
    assert_eq!(heard["headers"]["x-request-id"], "my-id");
    assert_eq!(heard["headers"]["content-type"], "application/json");
    assert!(!heard.to_string().contains("secret"), "{heard}");

    let heard = send(&app, get("/api/v1/analyses?limit=3&before=x"))
        .await
        .json();
    assert_eq!(heard["uri"], "/analyses?limit=3&before=x");
    let id = "01a207cb-1e46-73ac-8d1f-9ca8ab673ca2";
    let heard = send(&app, get(&format!("/api/v1/analyses/{id}")))
        .await
        .json();
    assert_eq!(heard["uri"], format!("/analyses/{id}"));
    assert!(
        !heard["headers"]["x-request-id"]
            .as_str()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn an_error_of_the_engine_is_passed_on_without_its_other_headers() {
    let engine = PlayedEngine::start().await;
    let app = gateway(&engine.address, &[]);
    let reply = send(&app, post("/api/v1/analyses", "full")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("retry-after"), "7");
    assert_eq!(reply.header("x-engine-secret"), "");
    assert_eq!(engine.requests(), 1, "it answered: nothing to send again");
}

#[tokio::test]
async fn nothing_but_the_api_is_reachable() {
    let engine = PlayedEngine::start().await;
    let app = gateway(&engine.address, &[]);
    for path in [
        "/analyses",
        "/api/v1/metrics",
        "/api/v1/analyses/..%2Fmetrics",
        "/api/v1/analyses/%2e%2e",
        "/api/v1/analyses/1",
    ] {
        assert_problem(&send(&app, get(path)).await, StatusCode::NOT_FOUND);
    }
    let request = Request::delete("/api/v1/analyses")
        .body(Body::empty())
        .unwrap();
    assert_problem(&send(&app, request).await, StatusCode::METHOD_NOT_ALLOWED);
    let large = post("/api/v1/analyses", "x".repeat(300_000));
    assert_problem(&send(&app, large).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(engine.requests(), 0);
}

#[tokio::test]
async fn readiness_is_the_engine_s() {
    let engine = PlayedEngine::start().await;
    let reply = send(&gateway(&engine.address, &[]), get("/health/ready")).await;
    assert_eq!(reply.status, StatusCode::OK);
    let parts = json!({ "consciousness-engine": "up", "redis": "down" });
    assert_eq!(
        reply.json(),
        json!({ "status": "degraded", "parts": parts })
    );

    let app = gateway("127.0.0.1:1", &[]);
    assert_eq!(send(&app, get("/health/live")).await.status, StatusCode::OK);
    let reply = send(&app, get("/health/ready")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let parts = json!({ "consciousness-engine": "down" });
    assert_eq!(
        reply.json(),
        json!({ "status": "unavailable", "parts": parts })
    );
}

#[tokio::test]
async fn a_slow_engine_meets_the_timeout() {
    let engine = PlayedEngine::start().await;
    let app = gateway(&engine.address, &[("API_GATEWAY_ENGINE_TIMEOUT_MS", "100")]);
    let reply = send(&app, post("/api/v1/analyses", "slow")).await;
    assert_problem(&reply, StatusCode::GATEWAY_TIMEOUT);
    assert!(reply.json()["detail"].as_str().unwrap().contains("100 ms"));
    assert_eq!(engine.requests(), 1, "a slow request is not sent again");
}

#[tokio::test]
async fn a_broken_connection_is_tried_once_more() {
    let engine = PlayedEngine::start().await;
    let port = FlakyPort::new(engine.address.clone(), Mode::Working).await;
    let app = gateway(&port.address.to_string(), &[]);
    send(&app, post("/api/v1/analyses", "{}")).await;
    assert_eq!(metric(&app, "engine_retries_total", "").await, 0.0);

    port.set(Mode::Closed);
    let reply = send(&app, post("/api/v1/analyses", "{}")).await;
    assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(metric(&app, "engine_retries_total", "").await, 1.0);
    assert_eq!(metric(&app, "engine_failures_total", "").await, 1.0);

    // The engine comes back while a request waits to be sent again.
    let waiting = tokio::spawn({
        let app = app.clone();
        async move { send(&app, post("/api/v1/analyses", "{}")).await }
    });
    eventually("the first attempt failed", || async {
        (metric(&app, "engine_retries_total", "").await == 2.0).then_some(())
    })
    .await;
    port.set(Mode::Working);
    assert_eq!(waiting.await.unwrap().status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_engine_that_is_away_is_not_asked_for_a_while() {
    let engine = PlayedEngine::start().await;
    let port = FlakyPort::new(engine.address.clone(), Mode::Closed).await;
    let app = gateway(&port.address.to_string(), &[]);
    for _ in 0..5 {
        let reply = send(&app, get("/api/v1/analyses")).await;
        assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(metric(&app, "engine_circuit_open", "").await, 1.0);
    port.set(Mode::Working);
    let reply = send(&app, get("/api/v1/analyses")).await;
    assert_problem(&reply, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("retry-after"), "2");
    assert_eq!(engine.requests(), 0);

    eventually("the engine is asked again", || async {
        let reply = send(&app, get("/api/v1/analyses")).await;
        (reply.status == StatusCode::CREATED).then_some(())
    })
    .await;
    assert_eq!(metric(&app, "engine_circuit_open", "").await, 0.0);
}

/// A keys file that is removed with the value.
struct KeysFile(PathBuf);

impl KeysFile {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("keys-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, format!("web-ui {FIRST_KEY_HASH}\n")).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for KeysFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn with_key(key: &str) -> Request<Body> {
    let mut request = get("/api/v1/analyses");
    request
        .headers_mut()
        .insert("x-api-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn with_a_keys_file_a_key_is_needed() {
    let engine = PlayedEngine::start().await;
    let keys = KeysFile::new();
    let app = gateway(&engine.address, &[("API_GATEWAY_KEYS_FILE", keys.path())]);
    for request in [
        get("/api/v1/analyses"),
        with_key("second-key"),
        with_key(FIRST_KEY_HASH),
    ] {
        let reply = send(&app, request).await;
        assert_problem(&reply, StatusCode::UNAUTHORIZED);
        assert_eq!(reply.header("www-authenticate"), "ApiKey");
    }
    assert_eq!(engine.requests(), 0);
    assert_eq!(
        send(&app, with_key("first-key")).await.status,
        StatusCode::CREATED
    );
    for open in ["/api/v1/openapi.json", "/health/live", "/health/ready"] {
        assert_eq!(send(&app, get(open)).await.status, StatusCode::OK, "{open}");
    }
}

#[tokio::test]
async fn a_client_that_asks_too_often_has_to_wait() {
    let engine = PlayedEngine::start().await;
    let keys = KeysFile::new();
    let app = gateway(
        &engine.address,
        &[
            ("API_GATEWAY_KEYS_FILE", keys.path()),
            ("API_GATEWAY_RATE_LIMIT_PER_SECOND", "1"),
        ],
    );
    assert_eq!(
        send(&app, with_key("first-key")).await.status,
        StatusCode::CREATED
    );
    let reply = send(&app, with_key("first-key")).await;
    assert_problem(&reply, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reply.header("retry-after"), "1");
    eventually("the client may ask again", || async {
        let reply = send(&app, with_key("first-key")).await;
        (reply.status == StatusCode::CREATED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_listed_origins_may_use_it() {
    let engine = PlayedEngine::start().await;
    let keys = KeysFile::new();
    let ours = "https://example.com";
    let app = gateway(
        &engine.address,
        &[
            ("API_GATEWAY_CORS_ORIGINS", ours),
            ("API_GATEWAY_KEYS_FILE", keys.path()),
        ],
    );
    let preflight = |origin: &str| {
        Request::options("/api/v1/analyses")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-api-key,content-type")
            .body(Body::empty())
            .unwrap()
    };
    // A preflight carries no key.
    let reply = send(&app, preflight(ours)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("access-control-allow-origin"), ours);
    assert!(
        reply
            .header("access-control-allow-methods")
            .contains("POST")
    );
    assert!(
        reply
            .header("access-control-allow-headers")
            .contains("x-api-key")
    );
    let reply = send(&app, preflight("https://evil.example")).await;
    assert_eq!(reply.header("access-control-allow-origin"), "");
    // A page has to be able to read a refusal too.
    let mut request = get("/api/v1/analyses");
    request
        .headers_mut()
        .insert("origin", ours.parse().unwrap());
    let reply = send(&app, request).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.header("access-control-allow-origin"), ours);
}

#[tokio::test]
async fn the_openapi_document_describes_what_is_there() {
    let engine = PlayedEngine::start().await;
    let app = gateway(&engine.address, &[]);
    let document = send(&app, get("/api/v1/openapi.json")).await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let paths = document["paths"].as_object().unwrap();
    let described: Vec<(&str, Vec<&str>)> = paths
        .iter()
        .map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys().map(String::as_str);
            (path.as_str(), methods.collect())
        })
        .collect();
    assert_eq!(
        described,
        [
            ("/api/v1/analyses", vec!["get", "post"]),
            ("/api/v1/analyses/{id}", vec!["get"]),
            ("/api/v1/openapi.json", vec!["get"]),
        ]
    );
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{name} is not defined");
    }
    let create = &document["paths"]["/api/v1/analyses"]["post"];
    assert!(create["requestBody"].is_object());
    for status in [
        "200", "201", "400", "401", "408", "413", "415", "422", "429", "503", "504",
    ] {
        assert!(
            create["responses"][status].is_object(),
            "{status} is not described"
        );
    }
}
