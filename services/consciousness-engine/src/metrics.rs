//! What the engine counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The label of lookups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LookupLabels {
    /// Where the analysis was found: redis, postgresql or nowhere.
    pub found: &'static str,
}

/// What the engine counts, beside the requests.
#[derive(Clone)]
pub struct Metrics {
    /// Where analyses of submitted texts were found.
    pub lookups: Family<LookupLabels, Counter>,
    /// Texts that wait for a processor.
    pub queue: Gauge,
    /// Requests that took longer than the processing timeout.
    pub timeouts: Counter,
    /// Scores of the texts that were analysed, rejected ones too.
    pub quality: Histogram,
}

impl Metrics {
    /// Registers all of them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            lookups: Family::default(),
            queue: Gauge::default(),
            timeouts: Counter::default(),
            quality: Histogram::new([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0]),
        };
        registry.register(
            "analysis_lookups",
            "Submitted texts by where their analysis was found",
            metrics.lookups.clone(),
        );
        registry.register(
            "analysis_queue",
            "Texts that wait for a processor",
            metrics.queue.clone(),
        );
        registry.register(
            "processing_timeouts",
            "Requests that took longer than the processing timeout",
            metrics.timeouts.clone(),
        );
        registry.register(
            "analysis_quality",
            "Scores of the texts that were analysed, rejected ones too",
            metrics.quality.clone(),
        );
        metrics
    }
}
