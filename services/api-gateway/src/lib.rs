//! The public API in front of the consciousness-engine.

pub mod engine;
pub mod http;
pub mod settings;
