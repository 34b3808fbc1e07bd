//! Texts that can be analysed.

use std::ops::Deref;
use std::sync::Arc;

use service_kit::contract::MAX_TEXT_CHARACTERS;
use unicode_segmentation::UnicodeSegmentation;

/// A text with at least one word that PostgreSQL can store, not longer than is accepted.
#[derive(Clone, Debug)]
pub struct Text(Arc<str>);

/// Why a text can't be analysed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// PostgreSQL can't store it.
    #[error("text contains a NUL character: remove it")]
    Nul,
    /// It is too long; says how long.
    #[error("text has {0} characters: at most {MAX_TEXT_CHARACTERS} are accepted")]
    TooLong(usize),
    /// There is nothing to score.
    #[error("text contains no word: send at least one")]
    NoWord,
}

impl Text {
    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, BadText> {
        if text.contains('\0') {
            return Err(BadText::Nul);
        }
        let characters = text.chars().count();
        if characters > MAX_TEXT_CHARACTERS {
            return Err(BadText::TooLong(characters));
        }
        if text.unicode_words().next().is_none() {
            return Err(BadText::NoWord);
        }
        Ok(Self(text.into()))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<BadText> {
        Text::new(text).err()
    }

    #[test]
    fn texts_without_words_are_refused() {
        for text in ["", " \n\t", "!?…", "🙂"] {
            assert_eq!(refusal(text), Some(BadText::NoWord), "{text:?}");
        }
        for text in ["a", "42", "é", "猫"] {
            assert_eq!(refusal(text), None, "{text:?}");
        }
    }

    #[test]
    fn texts_are_measured_in_characters() {
        assert_eq!(refusal(&"é".repeat(MAX_TEXT_CHARACTERS)), None);
        let longer = "é".repeat(MAX_TEXT_CHARACTERS + 1);
        assert_eq!(
            refusal(&longer),
            Some(BadText::TooLong(MAX_TEXT_CHARACTERS + 1))
        );
    }

    #[test]
    fn what_postgresql_cannot_store_is_refused() {
        assert_eq!(refusal("a\0b"), Some(BadText::Nul));
    }
}
