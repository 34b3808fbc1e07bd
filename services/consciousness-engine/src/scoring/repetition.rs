//! Repeated phrases.

use std::collections::HashSet;

use super::document::Document;

/// Words in a phrase.
const PHRASE: usize = 3;
/// From here on a text is nothing but repetition.
const TOO_MUCH: f64 = 0.30;

/// How free a text is from phrases that occurred before, from 0 (too much) to 1 (no repetition).
pub fn score(document: &Document) -> f64 {
    let phrases = document.words.windows(PHRASE).count();
    if phrases == 0 {
        return 1.0;
    }
    let different = document.words.windows(PHRASE).collect::<HashSet<_>>().len();
    let repeated = (phrases - different) as f64 / phrases as f64;
    1.0 - (repeated / TOO_MUCH).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::document::document;
    use super::*;

    #[test]
    fn a_text_without_repetition_scores_full() {
        assert_eq!(score(&document("one two three four five")), 1.0);
        assert_eq!(score(&document("too short")), 1.0);
    }

    #[test]
    fn the_share_of_repeated_phrases_counts() {
        // "a b c" occurs twice among ten phrases: a tenth is repeated, a third of too much.
        let document = document("a b c d e f g h i a b c");
        assert!((score(&document) - (1.0 - 0.1 / 0.3)).abs() < 1e-12);
    }

    #[test]
    fn one_phrase_over_and_over_scores_nothing() {
        assert_eq!(score(&document(&"a b c ".repeat(10))), 0.0);
    }
}
