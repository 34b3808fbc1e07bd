//! Settings from the environment; wrong ones are reported all at once.

use std::fmt;

use tracing::level_filters::LevelFilter;

/// The longest timeout that can be set: shorter than the one that every request has.
pub const LONGEST_TIMEOUT_MS: u64 = 25_000;

type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// Reads settings and remembers every one that is missing or wrong.
pub struct Environment<'a> {
    lookup: Lookup<'a>,
    mistakes: Vec<String>,
}

/// All the settings that are missing or wrong, one line each.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError(Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "wrong settings in the environment: {}",
            self.0.len()
        )?;
        for mistake in &self.0 {
            write!(formatter, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl<'a> Environment<'a> {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// An environment made of a lookup from name to value.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self {
            lookup: Box::new(lookup),
            mistakes: Vec::new(),
        }
    }

    /// A setting with a default; `parse` says what it expected when the value is wrong.
    pub fn or_default<T>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match (self.lookup)(name) {
            None => Some(default),
            Some(value) => match parse(value.trim()) {
                Ok(parsed) => Some(parsed),
                Err(expected) => self.mistake(format!("{name} is {value:?}: expected {expected}")),
            },
        }
    }

    /// A setting that must be there and whose value is never shown.
    pub fn required_secret<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match (self.lookup)(name) {
            None => self.mistake(format!(
                "{name} is not set: expected {}",
                parse("").err().unwrap_or_else(|| "a value".into())
            )),
            Some(value) => match parse(value.trim()) {
                Ok(parsed) => Some(parsed),
                Err(expected) => self.mistake(format!("{name} is wrong: expected {expected}")),
            },
        }
    }

    /// The settings, or every mistake that was met while they were read.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, SettingsError> {
        match build() {
            Some(settings) if self.mistakes.is_empty() => Ok(settings),
            _ => Err(SettingsError(self.mistakes)),
        }
    }

    fn mistake<T>(&mut self, mistake: String) -> Option<T> {
        self.mistakes.push(mistake);
        None
    }
}

/// A TCP port, 1 to 65535.
pub fn port(value: &str) -> Result<u16, String> {
    match value.parse() {
        Ok(port) if port > 0 => Ok(port),
        // Kubernetes sets <SERVICE>_PORT=tcp://… for every Service unless told not to.
        _ if value.starts_with("tcp://") => {
            Err("a port number; this looks like a Kubernetes service link: \
                 set enableServiceLinks: false in the pod, or the variable itself"
                .into())
        }
        _ => Err("a port number from 1 to 65535".into()),
    }
}

/// A whole number within `range`.
pub fn whole_number(
    range: std::ops::RangeInclusive<u64>,
) -> impl FnOnce(&str) -> Result<u64, String> {
    move |value| match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "a whole number from {} to {}",
            range.start(),
            range.end()
        )),
    }
}

/// A switch.
pub fn switch(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| "true or false".into())
}

/// The least severe level that is logged.
pub fn log_level(value: &str) -> Result<LevelFilter, String> {
    match value {
        "error" | "warn" | "info" | "debug" | "trace" => {
            Ok(value.parse().expect("these are level names"))
        }
        _ => Err("error, warn, info, debug or trace".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_used_for_what_is_not_set() {
        let mut environment = Environment::new(|_| None);
        let number = environment.or_default("PORT", 8080, port);
        assert_eq!(environment.finish(|| number), Ok(8080));
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut environment = Environment::new(|name| match name {
            "PORT" => Some("80a".into()),
            "LEVEL" => Some("loud".into()),
            _ => None,
        });
        let number = environment.or_default("PORT", 8080, port);
        let level = environment.or_default("LEVEL", LevelFilter::INFO, log_level);
        let url = environment.required_secret("URL", |_| Err::<(), _>("a URL".into()));
        let error = environment
            .finish(|| Some((number?, level?, url?)))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "wrong settings in the environment: 3\n  \
             PORT is \"80a\": expected a port number from 1 to 65535\n  \
             LEVEL is \"loud\": expected error, warn, info, debug or trace\n  \
             URL is not set: expected a URL"
        );
    }

    #[test]
    fn a_wrong_secret_is_not_shown() {
        let mut environment = Environment::new(|_| Some("hunter2".into()));
        let url = environment.required_secret("URL", |_| Err::<(), _>("a URL".into()));
        let error = environment.finish(|| url).unwrap_err().to_string();
        assert!(error.contains("URL is wrong: expected a URL"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_kubernetes_service_link_is_named_as_such() {
        let error = port("tcp://10.0.0.1:8082").unwrap_err();
        assert!(error.contains("enableServiceLinks"), "{error}");
    }

    #[test]
    fn switches_are_true_or_false() {
        assert_eq!(switch("true"), Ok(true));
        assert_eq!(switch("false"), Ok(false));
        for wrong in ["yes", "1", "True", ""] {
            assert!(switch(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!(whole_number(1..=10)("10"), Ok(10));
        for wrong in ["0", "11", "-1", "1.5", ""] {
            assert!(whole_number(1..=10)(wrong).is_err(), "{wrong:?}");
        }
        assert!(port("0").is_err());
    }
}
