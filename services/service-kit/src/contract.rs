//! What the engine answers and the gateway publishes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest text that is accepted, in characters.
pub const MAX_TEXT_CHARACTERS: usize = 20_000;

/// The largest request body that is read, in bytes: the longest text, fully escaped.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The most analyses on one page.
pub const MAX_PAGE_LIMIT: u32 = 100;

/// A text to be analysed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisRequest {
    /// English prose with at least one word; no NUL character.
    #[schema(
        min_length = 1,
        max_length = 20_000,
        example = "The cat sat down. It was tired."
    )]
    pub text: String,
}

/// The four parts of a score, each from 0 (poor) to 1 (good).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Parts {
    /// How easily the text is read.
    #[schema(minimum = 0, maximum = 1)]
    pub readability: f64,
    /// How varied its words are.
    #[schema(minimum = 0, maximum = 1)]
    pub lexical_diversity: f64,
    /// How free it is from repeated phrases.
    #[schema(minimum = 0, maximum = 1)]
    pub repetition: f64,
    /// How well each sentence is tied to the one before it.
    #[schema(minimum = 0, maximum = 1)]
    pub coherence: f64,
}

/// A text, its score and how the score came about.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Analysis {
    /// Ids sort by the time of their creation.
    pub id: Uuid,
    /// The text as it was sent.
    pub text: String,
    /// The mean of the parts, from 0 (poor) to 1 (good).
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// What the score is the mean of.
    pub parts: Parts,
    /// Number of words.
    pub words: u32,
    /// Number of sentences.
    pub sentences: u32,
    /// Whether the analysis was there before the request.
    pub cached: bool,
    /// When the analysis was made, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// One page of analyses, newest first.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AnalysisPage {
    /// The analyses of this page.
    pub items: Vec<Analysis>,
    /// What to pass as `before` for the next page; null on the last one.
    pub next: Option<Uuid>,
}
