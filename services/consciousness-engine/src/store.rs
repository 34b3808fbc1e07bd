//! Analyses in PostgreSQL.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use deadpool_postgres::{
    ClientWrapper, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use service_kit::contract::{Analysis, Parts};
use service_kit::error::describe;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls, Row};
use uuid::Uuid;

use crate::scoring::Score;

/// Twenty replicas of four leave room in PostgreSQL's default of 100 connections.
const CONNECTIONS: usize = 4;
const RETRY_PAUSE: Duration = Duration::from_secs(1);
const READY_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a server that has vanished from the network goes unnoticed.
const VANISHED_TIMEOUT: Duration = Duration::from_secs(5);
/// Any number that nothing else in the database locks.
const MIGRATION_LOCK: i64 = 0x636f_6e73_6369_6f75;
const MIGRATIONS: [(i32, &str); 1] = [(1, include_str!("../migrations/0001_analyses.sql"))];

const COLUMNS: &str = "id, text, score, readability, lexical_diversity, repetition, coherence, \
                       words, sentences, created_at";

/// Why PostgreSQL gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is away, starting, stopping or full: the same request may work later.
    #[error("PostgreSQL is not available: {0}")]
    Unavailable(String),
    /// It refused the query.
    #[error("PostgreSQL refused a query: {0}")]
    Refused(#[source] tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let passing = match error.code() {
            // Without a code the connection broke rather than the query.
            None => true,
            Some(state) => {
                let class = &state.code()[..2];
                matches!(class, "08" | "53" | "57") || *state == SqlState::READ_ONLY_SQL_TRANSACTION
            }
        };
        if passing {
            Self::Unavailable(describe(&error))
        } else {
            Self::Refused(error)
        }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        Self::Unavailable(describe(&error))
    }
}

/// The analyses in PostgreSQL, reached through a pool of connections.
pub struct Store {
    migrations: Config,
    pool: Pool,
    timeout: Duration,
    migrated: AtomicBool,
}

impl Store {
    /// A store that waits for PostgreSQL no longer than `timeout` at a time; connects when needed.
    pub fn new(config: &Config, timeout: Duration) -> Self {
        let mut migrations = config.clone();
        migrations
            .connect_timeout(timeout.max(RETRY_PAUSE))
            .tcp_user_timeout(VANISHED_TIMEOUT)
            .application_name("consciousness-engine migrations");
        let mut queries = config.clone();
        queries
            .connect_timeout(timeout)
            .application_name("consciousness-engine")
            .tcp_user_timeout(VANISHED_TIMEOUT)
            .options(format!("-c statement_timeout={}", timeout.as_millis()));
        let manager = Manager::from_config(
            queries,
            NoTls,
            ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            },
        );
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .build()
            .expect("a runtime is given with the timeouts");
        Self {
            migrations,
            pool,
            timeout,
            migrated: AtomicBool::new(false),
        }
    }

    /// Runs the migrations, trying until PostgreSQL lets it.
    pub async fn migrate(&self) {
        while let Err(error) = self.try_migrate().await {
            tracing::warn!(error = describe(&error), "migrations wait for PostgreSQL");
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        self.migrated.store(true, Ordering::Release);
        tracing::info!(version = MIGRATIONS.len(), "migrations are done");
    }

    /// Runs the migrations before a release: waits while PostgreSQL is away, fails when it refuses.
    pub async fn migrate_or_fail(&self) -> Result<(), StoreError> {
        loop {
            match self.try_migrate().await.map_err(StoreError::from) {
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::warn!(%error, "migrations wait for PostgreSQL");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    /// Runs the migrations once; engines that do so at the same time wait for each other.
    pub async fn try_migrate(&self) -> Result<(), tokio_postgres::Error> {
        let (mut client, connection) = self.migrations.connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let transaction = client.transaction().await?;
        // Else they would meet in "create table if not exists", which fails for one of them.
        transaction
            .execute("select pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])
            .await?;
        transaction
            .batch_execute(
                "create table if not exists schema_migrations (
                     version    integer     primary key,
                     applied_at timestamptz not null default now()
                 )",
            )
            .await?;
        for (version, statements) in MIGRATIONS {
            let applied = transaction
                .execute(
                    "insert into schema_migrations (version) values ($1) on conflict do nothing",
                    &[&version],
                )
                .await?;
            if applied == 1 {
                transaction.batch_execute(statements).await?;
            }
        }
        transaction.commit().await?;
        connection.abort();
        Ok(())
    }

    /// Whether PostgreSQL answers within a second and the tables are there.
    pub async fn is_ready(&self) -> bool {
        let answer = tokio::time::timeout(READY_TIMEOUT, async {
            let connection = self.connection().await?;
            connection.simple_query("").await?;
            connection.give_back();
            Ok::<_, StoreError>(())
        });
        matches!(answer.await, Ok(Ok(())))
    }

    /// The analysis of the text with this hash.
    pub async fn find(&self, content_hash: &[u8; 32]) -> Result<Option<Analysis>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let query = connection
                .prepare_cached(&format!(
                    "select {COLUMNS} from analyses where content_hash = $1"
                ))
                .await?;
            let row = connection
                .query_opt(&query, &[&content_hash.as_slice()])
                .await?;
            connection.give_back();
            Ok(row.as_ref().map(analysis))
        })
        .await
    }

    /// Stores an analysis, unless another request was faster: then gives none.
    pub async fn insert(
        &self,
        content_hash: &[u8; 32],
        text: &str,
        score: &Score,
    ) -> Result<Option<Analysis>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let query = connection
                .prepare_cached(&format!(
                    "insert into analyses (content_hash, id, text, score, readability, \
                     lexical_diversity, repetition, coherence, words, sentences) \
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                     on conflict (content_hash) do nothing returning {COLUMNS}"
                ))
                .await?;
            let Parts {
                readability,
                lexical_diversity,
                repetition,
                coherence,
            } = score.parts;
            let row = connection
                .query_opt(
                    &query,
                    &[
                        &content_hash.as_slice(),
                        &Uuid::now_v7(),
                        &text,
                        &score.value,
                        &readability,
                        &lexical_diversity,
                        &repetition,
                        &coherence,
                        &i64::from(score.words),
                        &i64::from(score.sentences),
                    ],
                )
                .await?;
            connection.give_back();
            Ok(row.as_ref().map(|row| Analysis {
                cached: false,
                ..analysis(row)
            }))
        })
        .await
    }

    /// The analysis with this id.
    pub async fn get(&self, id: Uuid) -> Result<Option<Analysis>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let query = connection
                .prepare_cached(&format!("select {COLUMNS} from analyses where id = $1"))
                .await?;
            let row = connection.query_opt(&query, &[&id]).await?;
            connection.give_back();
            Ok(row.as_ref().map(analysis))
        })
        .await
    }

    /// At most `limit` analyses, newest first; only older ones than `before` when it is given.
    pub async fn list(
        &self,
        limit: u32,
        before: Option<Uuid>,
    ) -> Result<Vec<Analysis>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            // Ids of version 7 sort by time, so the primary key serves the pages.
            let query = connection
                .prepare_cached(&format!(
                    "select {COLUMNS} from analyses where id < $1 order by id desc limit $2"
                ))
                .await?;
            let rows = connection
                .query(&query, &[&before.unwrap_or(Uuid::max()), &i64::from(limit)])
                .await?;
            connection.give_back();
            Ok(rows.iter().map(analysis).collect())
        })
        .await
    }

    /// Waits for an answer; a PostgreSQL that hangs is as good as away.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, answer)
            .await
            .unwrap_or_else(|_| {
                let waited = self.timeout.as_millis();
                Err(StoreError::Unavailable(format!("no answer in {waited} ms")))
            })
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        if !self.migrated.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("migrations are not done".into()));
        }
        Ok(Connection(Some(self.pool.get().await?)))
    }
}

/// A connection out of the pool; goes back only when its queries were answered.
///
/// One that a timeout cut off in the middle is closed, as it may never answer again.
struct Connection(Option<Object>);

impl Connection {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Deref for Connection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().expect("it is there until it is given back")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

fn analysis(row: &Row) -> Analysis {
    let count = |column: &str| u32::try_from(row.get::<_, i64>(column)).unwrap_or(u32::MAX);
    let created_at: SystemTime = row.get("created_at");
    Analysis {
        id: row.get("id"),
        text: row.get("text"),
        score: row.get("score"),
        parts: Parts {
            readability: row.get("readability"),
            lexical_diversity: row.get("lexical_diversity"),
            repetition: row.get("repetition"),
            coherence: row.get("coherence"),
        },
        words: count("words"),
        sentences: count("sentences"),
        cached: true,
        created_at: humantime::format_rfc3339_micros(created_at).to_string(),
    }
}
