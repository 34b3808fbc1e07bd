//! From `main` to a running service.

use std::fmt::Display;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::server::Work;
use crate::settings::{Environment, SettingsError};

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Reads the settings and runs `service` with them until it ends.
///
/// Exit status 2 with all the mistakes on stderr when settings are wrong, 1 when the service fails.
pub fn main<S>(
    read: impl FnOnce(Environment<'_>) -> Result<S, SettingsError>,
    service: impl FnOnce(S) -> Work<io::Result<()>>,
) -> ExitCode {
    match read(Environment::of_process()) {
        Ok(settings) => exit_code(run(service(settings)), 1),
        Err(error) => exit_code(Err(error), 2),
    }
}

fn run(service: Work<io::Result<()>>) -> io::Result<()> {
    runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(service)
}

fn exit_code<E: Display>(result: Result<(), E>, failure: u8) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(failure)
        }
    }
}

/// Logs to stdout, one JSON object a line; dependencies only from warnings on.
pub fn log(service: &'static str, level: LevelFilter) {
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target(service, level)
        .with_target("service_kit", level);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_span_list(false),
        )
        .with(targets)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let place = panic.location().map(ToString::to_string);
        tracing::error!(panic = message, place, "panic");
    }));
}

/// Resolves when the process is asked to stop.
pub fn stop_signal() -> io::Result<Work<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

/// Starts the process anew when its program's file changes, for those who work on it.
pub struct Reload {
    program: PathBuf,
    began_with: Option<Identity>,
}

impl Reload {
    /// Watches the program's own file when `enabled`.
    pub fn new(enabled: bool) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let began_with = if enabled { identity(&program) } else { None };
        Ok(Self {
            program,
            began_with,
        })
    }

    /// Resolves when the process is to stop, or the file has changed.
    pub fn or(&self, stop: Work<()>) -> Work<()> {
        let Some(began_with) = self.began_with else {
            return stop;
        };
        let program = self.program.clone();
        Box::pin(async move {
            let mut look = tokio::time::interval(LOOK_EVERY);
            let other = async {
                // While it is replaced, the file may be away for a moment.
                while identity(&program).is_none_or(|now| now == began_with) {
                    look.tick().await;
                }
            };
            tokio::select! {
                () = stop => {}
                () = other => {}
            }
        })
    }

    /// Becomes the new program if there is one, once all that was in flight is done.
    pub fn finish(&self) -> io::Result<()> {
        match (self.began_with, identity(&self.program)) {
            (Some(before), Some(now)) if before != now => {
                tracing::info!("the program changed: starting anew");
                Err(Command::new(&self.program).exec())
            }
            _ => Ok(()),
        }
    }
}

/// What tells a file from the one that was there before: two may be of one moment.
type Identity = (u64, u64, SystemTime);

fn identity(program: &Path) -> Option<Identity> {
    let data = program.metadata().ok()?;
    Some((data.ino(), data.len(), data.modified().ok()?))
}
