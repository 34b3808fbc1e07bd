//! A text cut into sentences and words.

use std::collections::HashMap;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::Cancellation;

/// A text as sentences of words, at least one of each; equal words have equal ids.
pub struct Document {
    /// The id of each word, in order.
    pub words: Vec<usize>,
    /// The range of words that each sentence is; none is empty.
    pub sentences: Vec<Range<usize>>,
    /// The words by id, in lower case.
    pub vocabulary: Vec<String>,
}

impl Document {
    /// Cuts a text by the rules of Unicode (UAX #29); gives none when cancelled.
    pub fn read(text: &str, cancellation: &Cancellation) -> Option<Self> {
        let mut ids = HashMap::new();
        let mut document = Self {
            words: Vec::new(),
            sentences: Vec::new(),
            vocabulary: Vec::new(),
        };
        for sentence in text.unicode_sentences() {
            let start = document.words.len();
            for word in sentence.unicode_words() {
                if cancellation.is_cancelled() {
                    return None;
                }
                let word = word.to_lowercase();
                let id = *ids.entry(word.clone()).or_insert_with(|| {
                    document.vocabulary.push(word);
                    document.vocabulary.len() - 1
                });
                document.words.push(id);
            }
            if document.words.len() > start {
                document.sentences.push(start..document.words.len());
            }
        }
        Some(document)
    }

    /// The words of a sentence.
    pub fn words_of(&self, sentence: &Range<usize>) -> impl Iterator<Item = &str> {
        self.words[sentence.clone()]
            .iter()
            .map(|&id| self.vocabulary[id].as_str())
    }
}

#[cfg(test)]
pub fn document(text: &str) -> Document {
    let (cancellation, _guard) = Cancellation::new();
    Document::read(text, &cancellation).expect("nobody cancels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case() {
        let document = document("The cat. THE dog!");
        assert_eq!(document.words, [0, 1, 0, 2]);
        assert_eq!(document.vocabulary, ["the", "cat", "dog"]);
        assert_eq!(document.sentences, [0..2, 2..4]);
    }

    #[test]
    fn sentences_without_words_do_not_count() {
        let document = document("Well... !!! ?!? It works.");
        assert_eq!(document.sentences.iter().map(Range::len).sum::<usize>(), 3);
        assert!(
            document
                .sentences
                .iter()
                .all(|sentence| !sentence.is_empty())
        );
    }
}
