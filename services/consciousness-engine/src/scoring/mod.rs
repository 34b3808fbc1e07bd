//! The score of a text. The method, with its sources, is in the README of this crate.

mod coherence;
mod document;
mod lexical_diversity;
mod readability;
mod repetition;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use service_kit::contract::Parts;

use document::Document;

use crate::text::Text;

/// The name of the method: to be changed with anything that changes a score.
pub const METHOD: &str = "flesch-mattr-trigram-cohesion/1";

/// The score of a text and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The mean of the parts, 0 to 1, to four decimals.
    pub value: f64,
    /// The parts, each 0 to 1, to four decimals.
    pub parts: Parts,
    /// Number of words.
    pub words: u32,
    /// Number of sentences.
    pub sentences: u32,
}

/// Tells a thread to stop.
pub struct Cancellation(Arc<AtomicBool>);

/// Cancels when it is dropped.
pub struct CancellationGuard(Arc<AtomicBool>);

impl Cancellation {
    /// A cancellation and the guard that triggers it.
    pub fn new() -> (Self, CancellationGuard) {
        let flag = Arc::new(AtomicBool::new(false));
        (Self(Arc::clone(&flag)), CancellationGuard(flag))
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for CancellationGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Scores a text; gives none when it was cancelled.
pub fn score(text: &Text, cancellation: &Cancellation) -> Option<Score> {
    let document = Document::read(text, cancellation)?;
    let parts: [fn(&Document) -> f64; 4] = [
        readability::score,
        lexical_diversity::score,
        repetition::score,
        coherence::score,
    ];
    let mut values = [0.0; 4];
    for (value, part) in values.iter_mut().zip(parts) {
        if cancellation.is_cancelled() {
            return None;
        }
        *value = part(&document);
    }
    let [readability, lexical_diversity, repetition, coherence] = values.map(to_four_decimals);
    Some(Score {
        value: to_four_decimals(values.iter().sum::<f64>() / 4.0),
        parts: Parts {
            readability,
            lexical_diversity,
            repetition,
            coherence,
        },
        words: count(document.words.len()),
        sentences: count(document.sentences.len()),
    })
}

fn to_four_decimals(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score_of(text: &str) -> Score {
        let (cancellation, _guard) = Cancellation::new();
        let text = Text::new(text).expect("there are words");
        score(&text, &cancellation).expect("nobody cancels")
    }

    const GOOD: &str = "The river rises in the hills above the town. In spring it carries \
        the melted snow down to the valley. The farmers there know the river well. They open \
        their gates when it is high, and the water runs over the fields. Later it sinks into \
        the soil. This keeps the fields green until the end of summer.";

    #[test]
    fn plain_prose_scores_above_the_strictest_threshold() {
        let good = score_of(GOOD);
        assert!(good.value >= 0.95, "{good:?}");
        assert_eq!((good.words, good.sentences), (58, 6));
    }

    #[test]
    fn a_repeated_phrase_scores_below_the_mildest_threshold() {
        let poor = score_of(&"buy cheap watches now ".repeat(40));
        assert!(poor.value < 0.8, "{poor:?}");
        assert_eq!(poor.parts.repetition, 0.0);
    }

    #[test]
    fn a_heavy_sentence_is_less_readable_than_a_light_one() {
        let heavy = score_of(
            "The implementation of organisational transformation necessitates comprehensive \
             reconsideration of institutional responsibilities.",
        );
        assert_eq!(heavy.parts.readability, 0.0);
        assert_eq!(score_of("The cat sat on the mat.").parts.readability, 1.0);
    }

    #[test]
    fn unrelated_sentences_do_not_cohere() {
        let text = "Copper melts in fire. Seven ducks swim north. Parliament voted yesterday.";
        assert_eq!(score_of(text).parts.coherence, 0.0);
    }

    #[test]
    fn a_cancelled_score_stops() {
        let (cancellation, guard) = Cancellation::new();
        drop(guard);
        assert_eq!(score(&Text::new(GOOD).unwrap(), &cancellation), None);
    }
}
