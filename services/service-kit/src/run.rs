//! From `main` to a running service.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::server::Work;
use crate::settings::{Environment, SettingsError};

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
