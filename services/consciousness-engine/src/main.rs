//! The consciousness-engine as a process.

use std::io;
use std::process::ExitCode;

use consciousness_engine::{http, settings::Settings, store::Store};
use service_kit::error::describe;
use service_kit::{run, server};
use tokio::net::TcpListener;

fn main() -> ExitCode {
    run::main(Settings::read, |settings| {
        Box::pin(async move {
            run::log("consciousness_engine", settings.log_level);
            if std::env::args().nth(1).as_deref() == Some("migrate") {
                let store = Store::new(&settings.database, settings.processing_timeout);
                return store
                    .migrate_or_fail()
                    .await
                    .map_err(|error| io::Error::other(describe(&error)));
            }
            // Before the first request can come: a signal must not be missed.
            let stop = run::stop_signal()?;
            let reload = run::Reload::new(settings.hot_reload)?;
            let listener = TcpListener::bind(("0.0.0.0", settings.port)).await?;
            tracing::info!(port = settings.port, "listening");
            server::serve(listener, http::app(&settings), reload.or(stop)).await;
            reload.finish()
        })
    })
}
