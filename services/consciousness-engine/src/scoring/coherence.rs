//! Ties between neighbouring sentences.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::document::Document;

/// One sentence says nothing about ties between sentences.
const UNKNOWN: f64 = 0.5;
/// Letters by which forms of one word are known as such.
const STEM: usize = 6;
/// A connective stands among the first words of its sentence.
const OPENING: usize = 3;

type Words = LazyLock<HashSet<&'static str>>;

/// Point back to something that was said (Halliday and Hasan's reference).
static REFERENCES: Words = LazyLock::new(|| {
    words("he she it they him her them his hers its their theirs this these those such")
});
/// Say how a sentence follows from the one before it (their conjunction).
static CONNECTIVES: Words = LazyLock::new(|| {
    words(
        "accordingly additionally afterwards also although and besides because but consequently \
     conversely earlier eventually finally first furthermore hence however indeed instead later \
     likewise meanwhile moreover nevertheless next nonetheless nor otherwise second similarly \
     since so still subsequently then therefore third though thus until when while yet",
    )
});
/// Words that every text repeats.
static FUNCTION_WORDS: Words = LazyLock::new(|| {
    words(
        "a about above across after again against all almost along already an any are around as at \
     away be been before behind being below between both by can could did do does doing done down \
     during each either else even ever every few for from further get had has have having here \
     how i if in into is just least less like many may me might mine more most much must my near \
     neither never no none not now of off often on once one only or other our ours out over own \
     per quite rather really same shall should some soon than that the there through to too toward \
     towards under unless up upon us very was we well were what whatever where whether which who \
     whom whose why will with within without would you your yours",
    )
});

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_ascii_whitespace().collect()
}

/// The share of sentences that are tied to the one before, 0 to 1.
pub fn score(document: &Document) -> f64 {
    let pairs = document.sentences.len() - 1;
    if pairs == 0 {
        return UNKNOWN;
    }
    let tied = document
        .sentences
        .windows(2)
        .filter(|pair| are_tied(document, &pair[0], &pair[1]))
        .count();
    tied as f64 / pairs as f64
}

fn are_tied(document: &Document, before: &Range<usize>, sentence: &Range<usize>) -> bool {
    let known: HashSet<&str> = stems(document, before).collect();
    document
        .words_of(sentence)
        .any(|word| REFERENCES.contains(word))
        || document
            .words_of(sentence)
            .take(OPENING)
            .any(|word| CONNECTIVES.contains(word))
        || stems(document, sentence).any(|stem| known.contains(stem))
}

/// The stems of the words that carry the content of a sentence.
fn stems<'a>(document: &'a Document, sentence: &Range<usize>) -> impl Iterator<Item = &'a str> {
    document
        .words_of(sentence)
        .filter(|word| {
            ![&REFERENCES, &CONNECTIVES, &FUNCTION_WORDS]
                .iter()
                .any(|words| words.contains(word))
        })
        .map(|word| match word.char_indices().nth(STEM) {
            Some((end, _)) => &word[..end],
            None => word.strip_suffix('s').unwrap_or(word),
        })
}

#[cfg(test)]
mod tests {
    use super::super::document::document;
    use super::*;

    #[test]
    fn each_kind_of_tie_counts() {
        for text in [
            "The farmer bought a horse. Horses eat grass.",
            "The farmer bought a horse. It eats grass.",
            "The farmer bought a horse. However, grass became scarce.",
            "The computer failed. Computing stopped.",
        ] {
            assert_eq!(score(&document(text)), 1.0, "{text}");
        }
    }

    #[test]
    fn function_words_are_no_tie() {
        assert_eq!(
            score(&document("The farmer is at home. The moon is at full.")),
            0.0
        );
    }

    #[test]
    fn the_share_of_tied_sentences_counts() {
        let text = "A dog barked. The dog slept. Copper melts. Seven ducks swim. Ducks fly.";
        assert_eq!(score(&document(text)), 0.5);
    }

    #[test]
    fn one_sentence_is_neither_coherent_nor_incoherent() {
        assert_eq!(score(&document("The farmer bought a horse.")), 0.5);
    }
}
