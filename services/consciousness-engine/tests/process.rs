//! The engine as a process: its exit status and what it says.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use service_kit::testing::Process;

fn engine() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consciousness-engine"));
    command.env_clear().stdout(Stdio::null());
    command
}

#[test]
fn wrong_settings_are_refused_all_at_once() {
    let output = engine()
        .env("DATABASE_URL", "mysql://me:secret@localhost")
        .env("CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD", "80")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "wrong settings in the environment: 3\n  \
         CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD is \"80\": expected a number from 0 to 1\n  \
         DATABASE_URL is wrong: expected postgres://user:password@host:5432/database\n  \
         REDIS_URL is not set: expected redis://host:6379\n"
    );
}

#[test]
fn a_port_in_use_is_a_failure() {
    let taken = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let output = engine()
        .env("DATABASE_URL", "postgres://me@127.0.0.1:1/engine")
        .env("REDIS_URL", "redis://127.0.0.1:1")
        .env(
            "CONSCIOUSNESS_ENGINE_PORT",
            taken.local_addr().unwrap().port().to_string(),
        )
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("in use"), "{message}");
}

#[tokio::test]
async fn sigterm_ends_it_without_an_error() {
    let mut command = engine();
    command
        .env("DATABASE_URL", "postgres://me@127.0.0.1:1/engine")
        .env("REDIS_URL", "redis://127.0.0.1:1");
    let mut process = Process::start(&mut command, "CONSCIOUSNESS_ENGINE_PORT").await;
    process.terminate();
    assert_eq!(process.exit_status().await, Some(0));
}

#[tokio::test]
async fn a_changed_program_takes_its_place() {
    let folder = std::env::temp_dir().join(format!("reload-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let (program, new) = (folder.join("engine"), folder.join("new"));
    std::fs::copy(env!("CARGO_BIN_EXE_consciousness-engine"), &program).unwrap();
    // Any program will do, as long as it can be told from the first.
    std::fs::write(&new, "#!/bin/sh\nexit 7\n").unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&program);
    command
        .env("DATABASE_URL", "postgres://me@127.0.0.1:1/engine")
        .env("REDIS_URL", "redis://127.0.0.1:1")
        .env("CONSCIOUSNESS_ENGINE_HOT_RELOAD", "true")
        .stdout(Stdio::null());
    let mut process = Process::start(&mut command, "CONSCIOUSNESS_ENGINE_PORT").await;
    std::fs::rename(&new, &program).unwrap();
    assert_eq!(process.exit_status().await, Some(7));
    std::fs::remove_dir_all(&folder).unwrap();
}
