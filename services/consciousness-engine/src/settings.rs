//! What can be set, and what it is when it isn't.

use std::time::Duration;

use service_kit::settings::{
    Environment, LONGEST_TIMEOUT_MS, SettingsError, log_level, port, switch, whole_number,
};
use tracing::level_filters::LevelFilter;

/// The engine's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// TCP port of the API.
    pub port: u16,
    /// The longest that one request may take.
    pub processing_timeout: Duration,
    /// The lowest score that is accepted, 0 to 1.
    pub quality_threshold: f64,
    /// Whether the log tells how long each text waited and was scored.
    pub enable_profiling: bool,
    /// Whether every text is scored anew, as if nobody had sent it before.
    pub enable_benchmarking: bool,
    /// Whether the process starts itself anew when its program's file changes.
    pub hot_reload: bool,
    /// The least severe level that is logged.
    pub log_level: LevelFilter,
    /// Where PostgreSQL is.
    pub database: tokio_postgres::Config,
    /// Where Redis is.
    pub redis: redis::Client,
}

impl Settings {
    /// The settings in an environment, or all that is wrong with them.
    pub fn read(mut environment: Environment<'_>) -> Result<Self, SettingsError> {
        let port = environment.or_default("CONSCIOUSNESS_ENGINE_PORT", 8082, port);
        let timeout = environment.or_default(
            "CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS",
            1000,
            whole_number(1..=LONGEST_TIMEOUT_MS),
        );
        let threshold =
            environment.or_default("CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD", 0.80, fraction);
        let profiling =
            environment.or_default("CONSCIOUSNESS_ENGINE_ENABLE_PROFILING", false, switch);
        let benchmarking =
            environment.or_default("CONSCIOUSNESS_ENGINE_ENABLE_BENCHMARKING", false, switch);
        let reload = environment.or_default("CONSCIOUSNESS_ENGINE_HOT_RELOAD", false, switch);
        let level = environment.or_default(
            "CONSCIOUSNESS_ENGINE_LOG_LEVEL",
            LevelFilter::INFO,
            log_level,
        );
        let database = environment.required_secret("DATABASE_URL", database);
        let redis = environment.required_secret("REDIS_URL", redis_client);
        environment.finish(|| {
            Some(Self {
                port: port?,
                processing_timeout: Duration::from_millis(timeout?),
                quality_threshold: threshold?,
                enable_profiling: profiling?,
                enable_benchmarking: benchmarking?,
                hot_reload: reload?,
                log_level: level?,
                database: database?,
                redis: redis?,
            })
        })
    }
}

fn fraction(value: &str) -> Result<f64, String> {
    match value.parse() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("a number from 0 to 1".into()),
    }
}

fn database(value: &str) -> Result<tokio_postgres::Config, String> {
    use tokio_postgres::config::SslMode;
    let expected = "postgres://user:password@host:5432/database";
    let config: tokio_postgres::Config = value.parse().map_err(|_| expected.to_owned())?;
    if config.get_hosts().is_empty() || config.get_dbname().is_none() {
        return Err(expected.into());
    }
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        return Err(format!(
            "{expected}, without sslmode: TLS is not spoken here"
        ));
    }
    Ok(config)
}

fn redis_client(value: &str) -> Result<redis::Client, String> {
    redis::Client::open(value).map_err(|_| "redis://host:6379".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(Environment::new(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        }))
    }

    const DATABASE: (&str, &str) = ("DATABASE_URL", "postgres://me:secret@localhost:5432/engine");
    const REDIS: (&str, &str) = ("REDIS_URL", "redis://localhost:6379");

    #[test]
    fn two_urls_are_enough() {
        let settings = read(&[DATABASE, REDIS]).unwrap();
        assert_eq!(settings.port, 8082);
        assert_eq!(settings.processing_timeout, Duration::from_millis(1000));
        assert_eq!(settings.quality_threshold, 0.80);
        assert!(!settings.enable_profiling && !settings.enable_benchmarking);
        assert!(!settings.hot_reload);
        assert_eq!(settings.log_level, LevelFilter::INFO);
    }

    #[test]
    fn every_setting_can_be_set() {
        let settings = read(&[
            DATABASE,
            REDIS,
            ("CONSCIOUSNESS_ENGINE_PORT", "9000"),
            ("CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS", "150"),
            ("CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD", "0.95"),
            ("CONSCIOUSNESS_ENGINE_ENABLE_PROFILING", "true"),
            ("CONSCIOUSNESS_ENGINE_ENABLE_BENCHMARKING", "true"),
            ("CONSCIOUSNESS_ENGINE_HOT_RELOAD", "true"),
            ("CONSCIOUSNESS_ENGINE_LOG_LEVEL", "debug"),
        ])
        .unwrap();
        assert!(settings.enable_profiling && settings.enable_benchmarking && settings.hot_reload);
        assert_eq!(settings.port, 9000);
        assert_eq!(settings.processing_timeout, Duration::from_millis(150));
        assert_eq!(settings.quality_threshold, 0.95);
        assert_eq!(settings.log_level, LevelFilter::DEBUG);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let error = read(&[
            ("DATABASE_URL", "mysql://me:secret@localhost/engine"),
            ("REDIS_URL", "localhost"),
            ("CONSCIOUSNESS_ENGINE_PORT", "eighty"),
            ("CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS", "0"),
            ("CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD", "1.2"),
            ("CONSCIOUSNESS_ENGINE_HOT_RELOAD", "yes"),
            ("CONSCIOUSNESS_ENGINE_LOG_LEVEL", "loud"),
        ])
        .unwrap_err()
        .to_string();
        for name in [
            "DATABASE_URL",
            "REDIS_URL",
            "CONSCIOUSNESS_ENGINE_PORT",
            "CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS",
            "CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD",
            "CONSCIOUSNESS_ENGINE_HOT_RELOAD",
            "CONSCIOUSNESS_ENGINE_LOG_LEVEL",
        ] {
            assert!(error.contains(name), "{name} is missing in: {error}");
        }
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn a_database_url_that_asks_for_tls_is_refused() {
        let url = format!("{}?sslmode=require", DATABASE.1);
        let error = read(&[("DATABASE_URL", &url), REDIS]).unwrap_err();
        assert!(error.to_string().contains("sslmode"), "{error}");
    }

    #[test]
    fn thresholds_are_numbers_from_0_to_1() {
        for wrong in ["NaN", "-0.1", "1.01", "high"] {
            assert!(fraction(wrong).is_err(), "{wrong}");
        }
        assert_eq!(fraction("0"), Ok(0.0));
        assert_eq!(fraction("1"), Ok(1.0));
    }
}
