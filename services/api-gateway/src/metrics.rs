//! What the gateway counts, beside the requests.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What the gateway counts, beside the requests.
#[derive(Clone, Default)]
pub struct Metrics {
    /// Requests that were sent to the engine a second time.
    pub retries: Counter,
    /// Requests that the engine didn't answer.
    pub failures: Counter,
    /// 1 while the engine isn't asked because it didn't answer, else 0.
    pub circuit_open: Gauge,
}

impl Metrics {
    /// Registers all of them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "engine_retries",
            "Requests that were sent to the engine a second time",
            metrics.retries.clone(),
        );
        registry.register(
            "engine_failures",
            "Requests that the engine didn't answer",
            metrics.failures.clone(),
        );
        registry.register(
            "engine_circuit_open",
            "1 while the engine isn't asked because it didn't answer, else 0",
            metrics.circuit_open.clone(),
        );
        metrics
    }
}
