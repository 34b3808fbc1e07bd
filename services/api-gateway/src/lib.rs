//! The public API in front of the consciousness-engine.

pub mod circuit_breaker;
pub mod clients;
pub mod engine;
pub mod http;
pub mod metrics;
pub mod openapi;
pub mod settings;
