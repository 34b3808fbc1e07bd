//! Flesch's reading ease.

use super::document::Document;

/// Flesch's "plain English": from here on a text is as readable as it need be.
const PLAIN_ENGLISH: f64 = 60.0;

/// Reading ease, from 0 (very difficult or worse) to 1 (plain English or easier).
pub fn score(document: &Document) -> f64 {
    let words = document.words.len() as f64;
    let sentences = document.sentences.len() as f64;
    let by_word: Vec<usize> = document
        .vocabulary
        .iter()
        .map(|word| syllables(word))
        .collect();
    let syllables: usize = document.words.iter().map(|&id| by_word[id]).sum();
    let ease = 206.835 - 1.015 * (words / sentences) - 84.6 * (syllables as f64 / words);
    (ease / PLAIN_ENGLISH).clamp(0.0, 1.0)
}

/// Groups of vowels, less a silent e at the end; at least one.
fn syllables(word: &str) -> usize {
    let mut count: usize = 0;
    let mut after_vowel = false;
    for letter in word.chars() {
        let vowel = is_vowel(letter);
        if vowel && !after_vowel {
            count += 1;
        }
        after_vowel = vowel;
    }
    let silent_e = word.ends_with('e') && !word.ends_with("le");
    if silent_e {
        count = count.saturating_sub(1);
    }
    count.max(1)
}

fn is_vowel(letter: char) -> bool {
    "aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::super::document::document;
    use super::*;

    #[test]
    fn syllables_of_common_words() {
        for (word, expected) in [
            ("cat", 1),
            ("make", 1),
            ("table", 2),
            ("the", 1),
            ("river", 2),
            ("beautiful", 3),
            ("café", 2),
            ("rhythm", 1),
            ("42", 1),
        ] {
            assert_eq!(syllables(word), expected, "{word}");
        }
    }

    #[test]
    fn the_formula_is_flesch_s() {
        // 10 words, 1 sentence, 21 syllables: 206.835 - 10.15 - 177.66 = 19.025.
        let document =
            document("Every animal in the river follows an invisible current downstream");
        assert!(
            (score(&document) - 19.025 / 60.0).abs() < 1e-9,
            "{}",
            score(&document)
        );
    }
}
