//! Analyses in Redis: faster than PostgreSQL, and never needed.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError};
use service_kit::contract::Analysis;

const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
const CHECK_PAUSE: Duration = Duration::from_secs(1);

/// What the cache knows of a text.
#[derive(Debug)]
pub enum Lookup {
    /// Its analysis.
    Hit(Box<Analysis>),
    /// Nothing.
    Miss,
    /// Redis is down.
    Unavailable,
}

/// Analyses in Redis. While Redis is down every call returns at once.
pub struct Cache {
    client: Client,
    timeout: Duration,
    connection: RwLock<Option<MultiplexedConnection>>,
}

impl Cache {
    /// A cache that gives Redis `timeout` for each answer; not connected before [`Cache::keep_connected`].
    pub fn new(client: Client, timeout: Duration) -> Self {
        Self {
            client,
            timeout,
            connection: RwLock::new(None),
        }
    }

    /// Connects to Redis, again and again when need be; never returns.
    pub async fn keep_connected(&self) {
        loop {
            if self.is_ready() {
                // A failed ping disconnects.
                let _ = self.run::<String>(&redis::cmd("PING")).await;
            } else {
                match self.connect().await {
                    Ok(connection) => {
                        tracing::info!("Redis is connected");
                        self.set_connection(Some(connection));
                    }
                    Err(error) => tracing::debug!(%error, "Redis can't be reached"),
                }
            }
            tokio::time::sleep(CHECK_PAUSE).await;
        }
    }

    /// Whether Redis answered when last asked.
    pub fn is_ready(&self) -> bool {
        self.connection().is_some()
    }

    /// Looks for the analysis of the text with this hash.
    pub async fn find(&self, content_hash: &[u8; 32]) -> Lookup {
        match self
            .run::<Option<String>>(redis::cmd("GET").arg(key(content_hash)))
            .await
        {
            None => Lookup::Unavailable,
            Some(None) => Lookup::Miss,
            Some(Some(json)) => match serde_json::from_str(&json) {
                Ok(analysis) => Lookup::Hit(Box::new(analysis)),
                Err(error) => {
                    tracing::warn!(%error, "an analysis in Redis can't be read");
                    Lookup::Miss
                }
            },
        }
    }

    /// Keeps an analysis for a day, if Redis is there.
    pub async fn put(&self, content_hash: &[u8; 32], analysis: &Analysis) {
        match serde_json::to_string(analysis) {
            Ok(json) => {
                let mut command = redis::cmd("SET");
                command
                    .arg(key(content_hash))
                    .arg(json)
                    .arg("EX")
                    .arg(KEPT_FOR.as_secs());
                self.run::<()>(&command).await;
            }
            Err(error) => tracing::error!(%error, "an analysis can't be written as JSON"),
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CHECK_PAUSE))
            .set_response_timeout(Some(self.timeout));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let mut connection = self.connection()?;
        match command.query_async(&mut connection).await {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::warn!(%error, "Redis failed: going on without it");
                self.set_connection(None);
                None
            }
        }
    }

    fn connection(&self) -> Option<MultiplexedConnection> {
        self.connection
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_connection(&self, connection: Option<MultiplexedConnection>) {
        *self
            .connection
            .write()
            .unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

fn key(content_hash: &[u8; 32]) -> Vec<u8> {
    [b"consciousness-engine:analysis:".as_slice(), content_hash].concat()
}
