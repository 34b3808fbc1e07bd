//! The gateway as a process: its exit status and what it says.

use std::process::{Command, Stdio};

use serde_json::Value;
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
async fn a_request_is_a_line_of_json_with_its_id() {
    let mut command = gateway();
    command.stdout(Stdio::piped());
    let mut process = Process::start(&mut command, "API_GATEWAY_PORT").await;
    let request = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: gateway\r\n\
                   x-request-id: my-id\r\nconnection: close\r\n\r\n";
    let answer = process.begin(request).await.await;
    assert!(answer.contains("x-request-id: my-id\r\n"), "{answer}");
    process.terminate();
    let log = process.output().await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = lines
        .iter()
        .find(|line| line["message"] == "request")
        .unwrap();
    assert_eq!(line["span"]["id"], "my-id");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/api/v1/openapi.json");
    assert_eq!(line["status"], 200);
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0);
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
