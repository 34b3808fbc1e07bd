#![doc = include_str!("../README.md")]

pub mod analyses;
pub mod cache;
pub mod http;
pub mod metrics;
pub mod scoring;
pub mod settings;
pub mod store;
pub mod text;
