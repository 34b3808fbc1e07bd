//! What can be set, and what it is when it isn't.

use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Authority;
use service_kit::settings::{Environment, SettingsError, log_level, port, whole_number};
use tracing::level_filters::LevelFilter;

const ENGINE: &str = "consciousness-engine:8082";

/// The gateway's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// TCP port of the API.
    pub port: u16,
    /// Host and port of the engine.
    pub engine: Authority,
    /// The longest that the engine may take for a request, retries included.
    pub engine_timeout: Duration,
    /// The least severe level that is logged.
    pub log_level: LevelFilter,
}

impl Settings {
    /// The settings in an environment, or all that is wrong with them.
    pub fn read(mut environment: Environment<'_>) -> Result<Self, SettingsError> {
        let port = environment.or_default("API_GATEWAY_PORT", 8081, port);
        let engine = environment.or_default(
            "API_GATEWAY_ENGINE_URL",
            Authority::from_static(ENGINE),
            engine_authority,
        );
        let engine_timeout = environment.or_default(
            "API_GATEWAY_ENGINE_TIMEOUT_MS",
            5000,
            whole_number(1..=60_000),
        );
        let level = environment.or_default("API_GATEWAY_LOG_LEVEL", LevelFilter::INFO, log_level);
        environment.finish(|| {
            Some(Self {
                port: port?,
                engine: engine?,
                engine_timeout: Duration::from_millis(engine_timeout?),
                log_level: level?,
            })
        })
    }
}

fn engine_authority(value: &str) -> Result<Authority, String> {
    let expected = || format!("an address without a path, such as http://{ENGINE}");
    let uri: Uri = value.parse().map_err(|_| expected())?;
    match (uri.scheme_str(), uri.authority(), uri.path()) {
        (Some("http"), Some(authority), "/") if !authority.as_str().contains('@') => {
            Ok(authority.clone())
        }
        _ => Err(expected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_need_be_set() {
        let settings = Settings::read(Environment::new(|_| None)).unwrap();
        assert_eq!(settings.port, 8081);
        assert_eq!(settings.engine, ENGINE);
        assert_eq!(settings.log_level, LevelFilter::INFO);
    }

    #[test]
    fn the_engine_s_address_is_http_without_a_path() {
        assert_eq!(
            engine_authority("http://10.0.0.1:80/").unwrap(),
            "10.0.0.1:80"
        );
        for wrong in [
            "",
            "engine:8082",
            "https://engine",
            "http://engine/api",
            "http://me:pw@engine",
            "http:// engine",
        ] {
            assert!(engine_authority(wrong).is_err(), "{wrong:?}");
        }
    }
}
