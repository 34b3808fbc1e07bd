//! What can be set, and what it is when it isn't.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderValue;
use hyper::Uri;
use hyper::http::uri::Authority;
use service_kit::settings::{
    Environment, LONGEST_TIMEOUT_MS, SettingsError, log_level, port, whole_number,
};
use tracing::level_filters::LevelFilter;

use crate::clients::KeysFile;

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
    /// The clients and the hashes of their keys; without it everybody may use the API.
    pub keys: Option<KeysFile>,
    /// How many requests a client may make each second.
    pub rate_per_second: NonZeroU32,
    /// Other origins whose pages may use the API.
    pub cors_origins: Vec<HeaderValue>,
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
            whole_number(1..=LONGEST_TIMEOUT_MS),
        );
        let keys = environment.or_default("API_GATEWAY_KEYS_FILE", None, keys_file);
        let rate = environment.or_default(
            "API_GATEWAY_RATE_LIMIT_PER_SECOND",
            100,
            whole_number(1..=1_000_000),
        );
        let cors_origins = environment.or_default("API_GATEWAY_CORS_ORIGINS", vec![], origins);
        let level = environment.or_default("API_GATEWAY_LOG_LEVEL", LevelFilter::INFO, log_level);
        environment.finish(|| {
            Some(Self {
                port: port?,
                engine: engine?,
                engine_timeout: Duration::from_millis(engine_timeout?),
                keys: keys?,
                rate_per_second: u32::try_from(rate?).ok().and_then(NonZeroU32::new)?,
                cors_origins: cors_origins?,
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

fn keys_file(path: &str) -> Result<Option<KeysFile>, String> {
    match KeysFile::read(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) => Err(format!(
            "a file of lines with NAME and SHA-256 of a key: {error}"
        )),
    }
}

fn origins(value: &str) -> Result<Vec<HeaderValue>, String> {
    let is_origin = |origin: &str| {
        origin.parse::<Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri
                    .authority()
                    .is_some_and(|authority| origin.ends_with(authority.as_str()))
        })
    };
    value
        .split(',')
        .map(str::trim)
        .map(|origin| match HeaderValue::from_str(origin) {
            Ok(value) if is_origin(origin) => Ok(value),
            _ => Err("origins such as https://example.com, separated by commas".into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_need_be_set() {
        let settings = Settings::read(Environment::new(|_| None)).unwrap();
        assert_eq!(settings.port, 8081);
        assert_eq!(settings.engine, ENGINE);
        assert_eq!(settings.engine_timeout, Duration::from_secs(5));
        assert_eq!(settings.keys, None);
        assert_eq!(settings.rate_per_second.get(), 100);
        assert!(settings.cors_origins.is_empty());
        assert_eq!(settings.log_level, LevelFilter::INFO);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let wrong = [
            ("API_GATEWAY_PORT", "tcp://10.0.0.1:8081"),
            ("API_GATEWAY_ENGINE_URL", "engine"),
            ("API_GATEWAY_ENGINE_TIMEOUT_MS", "soon"),
            ("API_GATEWAY_KEYS_FILE", "/nowhere/keys"),
            ("API_GATEWAY_RATE_LIMIT_PER_SECOND", "0"),
            ("API_GATEWAY_CORS_ORIGINS", "*"),
            ("API_GATEWAY_LOG_LEVEL", "loud"),
        ];
        let error = Settings::read(Environment::new(|name| {
            let (_, value) = wrong.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        }))
        .unwrap_err()
        .to_string();
        for (name, value) in wrong {
            assert!(
                error.contains(&format!("{name} is {value:?}: expected")),
                "{error}"
            );
        }
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(
            origins("https://example.com, http://localhost:8080").unwrap(),
            ["https://example.com", "http://localhost:8080"]
        );
        for wrong in [
            "",
            "*",
            "example.com",
            "https://example.com/",
            "https://a/b",
            "https://a,",
        ] {
            assert!(origins(wrong).is_err(), "{wrong:?}");
        }
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
