//! The gateway as a process: its exit status and what it says.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use service_kit::testing::Process;

fn gateway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-gateway"));
    command.env_clear().stdout(Stdio::null());
    command
}

#[test]
fn wrong_settings_are_refused_all_at_once() {
    let output = gateway()
        .env("API_GATEWAY_ENGINE_URL", "engine:8082")
        .env("API_GATEWAY_KEYS_FILE", "/nowhere/keys")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "wrong settings in the environment: 2\n  \
         API_GATEWAY_ENGINE_URL is \"engine:8082\": expected an address without a path, \
         such as http://consciousness-engine:8082\n  \
         API_GATEWAY_KEYS_FILE is \"/nowhere/keys\": expected a file of lines with NAME and \
         SHA-256 of a key: No such file or directory (os error 2)\n"
    );
}

#[tokio::test]
async fn sigterm_ends_it_without_an_error() {
    let mut process = Process::start(&mut gateway(), "API_GATEWAY_PORT").await;
    process.terminate();
    assert_eq!(process.exit_status().await, Some(0));
}

#[tokio::test]
async fn a_request_that_failed_is_a_line_of_json_with_its_id() {
    let lines = requests_logged(&mut gateway()).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["span"]["id"], "wrong");
    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(lines[0]["method"], "GET");
    assert_eq!(lines[0]["route"], "none");
    assert_eq!(lines[0]["status"], 404);
    assert!(lines[0]["duration_ms"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn at_level_debug_every_request_is_logged() {
    let lines = requests_logged(gateway().env("API_GATEWAY_LOG_LEVEL", "debug")).await;
    let logged = lines
        .iter()
        .map(|line| (&line["span"]["id"], &line["status"]));
    let expected = [
        (&json!("right"), &json!(200)),
        (&json!("wrong"), &json!(404)),
    ];
    assert_eq!(logged.collect::<Vec<_>>(), expected);
}

/// The lines that a gateway logs of two requests: one that succeeds, one that fails.
async fn requests_logged(command: &mut Command) -> Vec<Value> {
    command.stdout(Stdio::piped());
    let mut process = Process::start(command, "API_GATEWAY_PORT").await;
    for (id, path) in [("right", "/api/v1/openapi.json"), ("wrong", "/nothing")] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: gateway\r\nx-request-id: {id}\r\n\
             connection: close\r\n\r\n"
        );
        let answer = process.begin(&request).await.await;
        assert!(
            answer.contains(&format!("x-request-id: {id}\r\n")),
            "{answer}"
        );
    }
    process.terminate();
    let log = process.output().await;
    log.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["message"] == "request")
        .collect()
}

#[tokio::test]
async fn an_open_gateway_says_so() {
    let mut command = gateway();
    command.stdout(Stdio::piped());
    let mut process = Process::start(&mut command, "API_GATEWAY_PORT").await;
    process.terminate();
    let log = process.output().await;
    let line = log
        .lines()
        .find(|line| line.contains("WARN"))
        .unwrap_or_default();
    assert!(line.contains("everybody may use the API"), "{log}");
}
