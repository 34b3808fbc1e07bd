//! What happens to a text: look it up, score it, judge it, keep it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use service_kit::contract::{Analysis, Parts};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::cache::{Cache, Lookup};
use crate::metrics::{LookupLabels, Metrics};
use crate::scoring::{self, Cancellation, Score};
use crate::settings::Settings;
use crate::store::{Store, StoreError};
use crate::text::{BadText, Text};

/// Why there is no analysis of a text.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The text can't be analysed.
    #[error(transparent)]
    BadText(#[from] BadText),
    /// The text scores below the threshold.
    #[error("the text scores {score}, below the threshold of {threshold}")]
    BelowThreshold {
        /// Its score.
        score: f64,
        /// What the score is the mean of.
        parts: Parts,
        /// The lowest score that is accepted.
        threshold: f64,
    },
    /// It took too long.
    #[error("the analysis took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
    /// PostgreSQL gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The analyses: scored here, kept in PostgreSQL, cached in Redis.
pub struct Analyses {
    threshold: f64,
    timeout: Duration,
    profiling: bool,
    benchmarking: bool,
    processors: Arc<Semaphore>,
    metrics: Metrics,
    /// Where they are kept.
    pub store: Store,
    /// Where they are cached.
    pub cache: Cache,
}

impl Analyses {
    /// Analyses under these settings, counted in `registry`.
    pub fn new(settings: &Settings, registry: &mut Registry) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threshold: settings.quality_threshold,
            timeout: settings.processing_timeout,
            profiling: settings.enable_profiling,
            benchmarking: settings.enable_benchmarking,
            processors: Arc::new(Semaphore::new(processors)),
            metrics: Metrics::register(registry),
            // Each must leave time to do without it, or to say that it hangs.
            store: Store::new(&settings.database, settings.processing_timeout / 2),
            cache: Cache::new(settings.redis.clone(), settings.processing_timeout / 4),
        }
    }

    /// The analysis of a text; the same text always gives the same analysis.
    pub async fn analyse(&self, text: &str) -> Result<Analysis, AnalysisError> {
        self.within_timeout(async {
            let text = Text::new(text)?;
            let content_hash = content_hash(&text);
            let known = if self.benchmarking {
                None
            } else {
                self.look_up(&content_hash).await?
            };
            let analysis = match known {
                Some(analysis) => analysis,
                None => self.analyse_anew(&content_hash, text).await?,
            };
            // The threshold may have risen since the analysis was stored.
            self.judge(analysis.score, analysis.parts)?;
            Ok(analysis)
        })
        .await
    }

    /// The analysis with this id.
    pub async fn get(&self, id: Uuid) -> Result<Option<Analysis>, AnalysisError> {
        self.within_timeout(async { Ok(self.store.get(id).await?) })
            .await
    }

    /// At most `limit` analyses, newest first; only older ones than `before` when it is given.
    pub async fn list(
        &self,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<Analysis>, AnalysisError> {
        self.within_timeout(async { Ok(self.store.list(limit, before).await?) })
            .await
    }

    async fn within_timeout<T>(
        &self,
        work: impl Future<Output = Result<T, AnalysisError>>,
    ) -> Result<T, AnalysisError> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(result) => result,
            Err(_) => {
                self.metrics.timeouts.inc();
                Err(AnalysisError::Timeout(self.timeout))
            }
        }
    }

    async fn look_up(&self, content_hash: &[u8; 32]) -> Result<Option<Analysis>, StoreError> {
        if let Lookup::Hit(analysis) = self.cache.find(content_hash).await {
            self.count("redis");
            return Ok(Some(*analysis));
        }
        let stored = self.store.find(content_hash).await?;
        if let Some(analysis) = &stored {
            self.count("postgresql");
            self.cache.put(content_hash, analysis).await;
        } else {
            self.count("nowhere");
        }
        Ok(stored)
    }

    async fn analyse_anew(
        &self,
        content_hash: &[u8; 32],
        text: Text,
    ) -> Result<Analysis, AnalysisError> {
        let score = self.score(text.clone()).await?;
        self.metrics.quality.observe(score.value);
        self.judge(score.value, score.parts)?;
        let analysis = match self.store.insert(content_hash, &text, &score).await? {
            Some(analysis) => analysis,
            None => self.store.find(content_hash).await?.ok_or_else(|| {
                StoreError::Unavailable("an analysis vanished while it was stored".into())
            })?,
        };
        let cached = Analysis {
            cached: true,
            ..analysis.clone()
        };
        self.cache.put(content_hash, &cached).await;
        Ok(analysis)
    }

    /// Scores a text on a thread of its own, as many at a time as there are processors.
    async fn score(&self, text: Text) -> Result<Score, AnalysisError> {
        let asked = Instant::now();
        let waiting = Waiting::begin(&self.metrics);
        let permit = Arc::clone(&self.processors).acquire_owned().await;
        drop(waiting);
        let begun = Instant::now();
        // Dropping the guard, as a timeout does, stops the thread.
        let (cancellation, _guard) = Cancellation::new();
        let scored = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            scoring::score(&text, &cancellation)
        })
        .await;
        if self.profiling {
            tracing::info!(
                waited_us = begun.duration_since(asked).as_micros(),
                scored_us = begun.elapsed().as_micros(),
                "scored"
            );
        }
        match scored {
            Ok(Some(score)) => Ok(score),
            Ok(None) => Err(AnalysisError::Timeout(self.timeout)),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    fn judge(&self, score: f64, parts: Parts) -> Result<(), AnalysisError> {
        if score < self.threshold {
            return Err(AnalysisError::BelowThreshold {
                score,
                parts,
                threshold: self.threshold,
            });
        }
        Ok(())
    }

    fn count(&self, found: &'static str) {
        self.metrics
            .lookups
            .get_or_create(&LookupLabels { found })
            .inc();
    }
}

/// Counts a text as waiting for as long as it lives.
struct Waiting<'a>(&'a Metrics);

impl<'a> Waiting<'a> {
    fn begin(metrics: &'a Metrics) -> Self {
        metrics.queue.inc();
        Self(metrics)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.queue.dec();
    }
}

/// What identifies an analysis: the text and the method, so that a new method gives new analyses.
fn content_hash(text: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(scoring::METHOD)
        .chain_update(text)
        .finalize()
        .into()
}
