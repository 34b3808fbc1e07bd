//! Errors in logs.

use std::error::Error;

/// An error with all its causes: many only say "connect" or "db error" by themselves.
pub fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn causes_are_named_in_order() {
        let error = Outer(std::fmt::Error);
        assert_eq!(describe(&error), format!("outer: {}", std::fmt::Error));
    }
}
