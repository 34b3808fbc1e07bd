//! Moving-average type-token ratio.

use super::document::Document;

/// Words in a window: short enough for a paragraph, long enough to repeat in.
const WINDOW: usize = 50;
/// From here on words are as varied as in ordinary prose.
const ORDINARY_PROSE: f64 = 0.70;

/// The share of different words in a window, on average, from 0 (one word) to 1 (ordinary prose).
pub fn score(document: &Document) -> f64 {
    (moving_average(&document.words, document.vocabulary.len()) / ORDINARY_PROSE).min(1.0)
}

fn moving_average(words: &[usize], vocabulary: usize) -> f64 {
    let window = WINDOW.min(words.len());
    let mut occurrences = vec![0_usize; vocabulary];
    let mut different = 0;
    let mut total = 0;
    for (index, &word) in words.iter().enumerate() {
        occurrences[word] += 1;
        different += usize::from(occurrences[word] == 1);
        if index >= window {
            let left = words[index - window];
            occurrences[left] -= 1;
            different -= usize::from(occurrences[left] == 0);
        }
        if index + 1 >= window {
            total += different;
        }
    }
    let windows = words.len() - window + 1;
    total as f64 / (windows * window) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_window() {
        assert_eq!(moving_average(&[0, 1, 2, 0], 3), 0.75);
    }

    #[test]
    fn one_word_over_and_over_has_one_type_in_each_window() {
        assert_eq!(moving_average(&[0; 200], 1), 1.0 / 50.0);
    }

    #[test]
    fn windows_move_by_one_word() {
        // 50 different words, then the first again: both windows hold 50 different ones.
        let mut words: Vec<usize> = (0..50).collect();
        words.push(0);
        assert_eq!(moving_average(&words, 50), 1.0);
        // Then the one before it again: the last window holds only 49.
        words.push(0);
        assert!((moving_average(&words, 50) - (1.0 + 1.0 + 49.0 / 50.0) / 3.0).abs() < 1e-12);
    }
}
