//! What holds for the score of any text.

use consciousness_engine::scoring::{Cancellation, Score, score};
use consciousness_engine::text::Text;
use proptest::prelude::*;

fn score_of(text: &str) -> Score {
    let (cancellation, _guard) = Cancellation::new();
    let text = Text::new(text).expect("there are words");
    score(&text, &cancellation).expect("nobody cancels")
}

fn parts(score: &Score) -> [f64; 4] {
    let parts = score.parts;
    [
        parts.readability,
        parts.lexical_diversity,
        parts.repetition,
        parts.coherence,
    ]
}

/// Something like prose: words of a small vocabulary, so that they recur, in sentences.
fn prose() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "river",
        "carries",
        "melted",
        "snow",
        "to",
        "the",
        "valley",
        "it",
        "however",
        "farmers",
        "organisation",
        "necessitates",
        "a",
        "green",
    ]);
    let sentence =
        prop::collection::vec(word, 1..20).prop_map(|words| format!("So {}. ", words.join(" ")));
    prop::collection::vec(sentence, 1..20).prop_map(|sentences| sentences.concat())
}

proptest! {
    #[test]
    fn any_text_has_a_score(text in any::<String>()) {
        let score = score_of(&format!("one {}", text.replace('\0', "")));
        prop_assert!((1..=score.words).contains(&score.sentences), "{score:?}");
        for part in parts(&score) {
            prop_assert!((0.0..=1.0).contains(&part), "{score:?}");
        }
    }

    #[test]
    fn the_score_is_the_mean_of_its_parts(text in prose()) {
        let score = score_of(&text);
        let mean = parts(&score).iter().sum::<f64>() / 4.0;
        prop_assert!((score.value - mean).abs() < 1e-4, "{score:?}");
    }

    #[test]
    fn the_same_text_has_the_same_score(text in prose()) {
        prop_assert_eq!(score_of(&text), score_of(&text));
    }

    #[test]
    fn case_and_space_do_not_matter(text in prose()) {
        let score = score_of(&text);
        prop_assert_eq!(score_of(&text.to_uppercase()), score);
        prop_assert_eq!(score_of(&text.replace(' ', "  ")), score);
    }

    #[test]
    fn saying_it_all_again_never_repeats_less(text in prose()) {
        let once = score_of(&text);
        let twice = score_of(&format!("{text}{text}"));
        prop_assert_eq!(twice.words, 2 * once.words);
        prop_assert!(twice.parts.repetition <= once.parts.repetition, "{once:?} {twice:?}");
    }
}
