//! What both services share: how they run, and what they say to each other.

pub mod contract;
pub mod error;
pub mod extract;
pub mod health;
pub mod http;
pub mod problem;
pub mod run;
pub mod server;
pub mod settings;
#[cfg(feature = "testing")]
pub mod testing;
