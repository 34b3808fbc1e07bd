//! The engine with a real PostgreSQL and a real Redis, at DATABASE_URL and REDIS_URL.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use consciousness_engine::{http, settings::Settings, store::Store};
use serde_json::json;
use service_kit::contract::MAX_TEXT_CHARACTERS;
use service_kit::settings::Environment;
use service_kit::testing::{FlakyPort, Mode, Process, Reply, eventually, get, metric, post, send};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

const PROSE: &str = "The river carries melted snow to the valley. It floods the fields there.";
const SPAM: &str = "buy cheap watches now buy cheap watches now buy cheap watches now";

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run this by ./with-databases, or set it to a server for tests")
    })
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// PostgreSQL and Redis behind ports that can fail, with a database for one test alone.
struct Servers {
    database: Config,
    postgresql: FlakyPort,
    redis: FlakyPort,
    redis_database: String,
}

impl Servers {
    async fn new() -> Self {
        Self::with_postgresql(Mode::Working).await
    }

    async fn with_postgresql(mode: Mode) -> Self {
        let url = variable("DATABASE_URL");
        let mut database: Config = url.parse().unwrap();
        let name = format!("test_{}", Uuid::new_v4().simple());
        let create = format!("create database {name}");
        connect(&database)
            .await
            .batch_execute(&create)
            .await
            .unwrap();
        database.dbname(&name);

        let tokio_postgres::config::Host::Tcp(host) = &database.get_hosts()[0] else {
            panic!("DATABASE_URL names no host: {url}");
        };
        let port = database.get_ports().first().unwrap_or(&5432);
        let postgresql = FlakyPort::new(format!("{host}:{port}"), mode).await;

        let url = variable("REDIS_URL");
        let rest = url
            .strip_prefix("redis://")
            .expect("REDIS_URL begins with redis://");
        let (host, number) = rest.split_once('/').unwrap_or((rest, ""));
        let redis = FlakyPort::new(host.to_owned(), Mode::Working).await;
        Self {
            database,
            postgresql,
            redis,
            redis_database: number.to_owned(),
        }
    }

    fn database_url(&self) -> String {
        let user = self.database.get_user().unwrap();
        let password = self.database.get_password().unwrap_or_default();
        format!(
            "postgres://{user}:{}@{}/{}",
            std::str::from_utf8(password).unwrap(),
            self.postgresql.address,
            self.database.get_dbname().unwrap()
        )
    }

    fn redis_url(&self) -> String {
        format!("redis://{}/{}", self.redis.address, self.redis_database)
    }

    /// An engine with these servers that may have to wait for them.
    fn start(&self, variables: &[(&str, &str)]) -> Router {
        let settings = Settings::read(Environment::new(|name| match name {
            "DATABASE_URL" => Some(self.database_url()),
            "REDIS_URL" => Some(self.redis_url()),
            _ => {
                let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
                Some((*value).to_owned())
            }
        }));
        http::app(&settings.unwrap())
    }

    async fn engine_with(&self, variables: &[(&str, &str)]) -> Router {
        let app = self.start(variables);
        until_status(&app, "ready").await;
        app
    }

    async fn engine(&self) -> Router {
        self.engine_with(&[]).await
    }
}

async fn until_status(app: &Router, status: &str) {
    eventually(status, || async {
        (send(app, get("/health/ready")).await.json()["status"] == status).then_some(())
    })
    .await;
}

/// A text that no other test sends: they share Redis.
fn new_text() -> String {
    format!("{PROSE} Number {}.", Uuid::new_v4().simple())
}

async fn submit(app: &Router, text: &str) -> Reply {
    send(app, post("/analyses", json!({ "text": text }))).await
}

async fn listed(app: &Router) -> usize {
    let page = send(app, get("/analyses?limit=100")).await.json();
    page["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_analysed_once() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    let text = new_text();

    let first = submit(&app, &text).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    let mut analysis = first.json();
    assert_eq!(analysis["text"], text);
    assert_eq!(analysis["sentences"], 3);
    assert_eq!(analysis["cached"], false);

    let second = submit(&app, &text).await;
    assert_eq!(second.status, StatusCode::OK);
    analysis["cached"] = json!(true);
    assert_eq!(second.json(), analysis);
    assert_eq!(metric(&app, "analysis_lookups_total", "redis").await, 1.0);

    let id = analysis["id"].as_str().unwrap();
    let read = send(&app, get(&format!("/analyses/{id}"))).await;
    assert_eq!(
        (read.status, read.json()),
        (StatusCode::OK, analysis.clone())
    );
    let page = send(&app, get("/analyses")).await.json();
    assert_eq!(page, json!({ "items": [analysis], "next": null }));
    let other = format!("/analyses/{}", Uuid::new_v4());
    assert_eq!(send(&app, get(&other)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_text_from_many_clients_is_analysed_once() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    let text = new_text();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (app, text) = (app.clone(), text.clone());
        requests.spawn(async move { submit(&app, &text).await });
    }
    let replies = requests.join_all().await;
    let created = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::CREATED);
    assert_eq!(created.count(), 1);
    let ids: BTreeSet<String> = replies
        .iter()
        .map(|reply| reply.json()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poor_text_is_rejected_with_its_score_and_not_stored() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    let reply = submit(&app, SPAM).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = reply.json();
    assert!(problem["score"].as_f64().unwrap() < 0.8, "{problem}");
    assert_eq!(problem["threshold"], 0.8);
    assert_eq!(problem["parts"]["repetition"], 0.0);
    assert_eq!(listed(&app).await, 0);
    assert_eq!(metric(&app, "analysis_quality_count", "").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raised_threshold_rejects_what_is_stored_and_cached() {
    let servers = Servers::new().await;
    let lenient = servers
        .engine_with(&[("CONSCIOUSNESS_ENGINE_QUALITY_THRESHOLD", "0")])
        .await;
    let text = format!("{SPAM} {}", Uuid::new_v4().simple());
    assert_eq!(submit(&lenient, &text).await.status, StatusCode::CREATED);
    let strict = servers.engine().await;
    assert_eq!(
        submit(&strict, &text).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        metric(&strict, "analysis_lookups_total", "redis").await,
        1.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_analysis_once_newest_first() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    let mut submitted = Vec::new();
    for _ in 0..7 {
        submitted.push(submit(&app, &new_text()).await.json()["id"].clone());
    }
    submitted.reverse();
    let mut listed = Vec::new();
    let mut path = "/analyses?limit=3".to_owned();
    let mut pages = 0;
    loop {
        let page = send(&app, get(&path)).await.json();
        pages += 1;
        listed.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/analyses?limit=3&before={next}"),
            None => break,
        }
    }
    assert_eq!(listed, submitted);
    assert_eq!(pages, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_it_goes_on() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    for failure in [Mode::Closed, Mode::Hanging] {
        let text = new_text();
        servers.redis.set(failure);
        assert_eq!(submit(&app, &text).await.status, StatusCode::CREATED);
        assert_eq!(submit(&app, &text).await.status, StatusCode::OK);
        until_status(&app, "degraded").await;
        let reply = send(&app, get("/health/ready")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(
            reply.json()["parts"],
            json!({ "postgresql": "up", "redis": "down" })
        );

        servers.redis.set(Mode::Working);
        until_status(&app, "ready").await;
        let hits = metric(&app, "analysis_lookups_total", "redis").await;
        // Found in PostgreSQL and put into Redis again, then found there.
        submit(&app, &text).await;
        submit(&app, &text).await;
        assert_eq!(
            metric(&app, "analysis_lookups_total", "redis").await,
            hits + 1.0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_only_cached_texts_are_answered() {
    let servers = Servers::new().await;
    let app = servers.engine().await;
    let cached = new_text();
    submit(&app, &cached).await;

    servers.postgresql.set(Mode::Closed);
    let text = new_text();
    let reply = submit(&app, &text).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(submit(&app, &cached).await.status, StatusCode::OK);
    let ready = send(&app, get("/health/ready")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        ready.json()["parts"],
        json!({ "postgresql": "down", "redis": "up" })
    );

    servers.postgresql.set(Mode::Working);
    until_status(&app, "ready").await;
    assert_eq!(submit(&app, &text).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_wait_too_long_meet_the_processing_timeout() {
    let servers = Servers::new().await;
    let app = servers
        .engine_with(&[("CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS", "200")])
        .await;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let text = new_text();
        let long = text.repeat(MAX_TEXT_CHARACTERS / text.len());
        let app = app.clone();
        requests.spawn(async move { submit(&app, &long).await });
    }
    let replies = requests.join_all().await;
    let late = replies
        .iter()
        .filter(|reply| reply.status == StatusCode::GATEWAY_TIMEOUT)
        .inspect(|reply| assert!(reply.text.contains("200 ms"), "{reply:?}"))
        .count();
    assert!(late > 0, "none of {} was late", replies.len());
    let counted = metric(&app, "processing_timeouts_total", "").await;
    assert_eq!(counted, f64::from(u32::try_from(late).unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_postgresql_is_as_good_as_away() {
    let servers = Servers::new().await;
    let app = servers
        .engine_with(&[("CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS", "300")])
        .await;
    servers.postgresql.set(Mode::Hanging);
    let start = Instant::now();
    let reply = submit(&app, &new_text()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(150), "{elapsed:?}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    assert_eq!(metric(&app, "processing_timeouts_total", "").await, 0.0);
    let ready = send(&app, get("/health/ready")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);

    // The connections that hang never answer again: new ones are made.
    servers.postgresql.set(Mode::Working);
    until_status(&app, "ready").await;
    for _ in 0..8 {
        let reply = submit(&app, &new_text()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_without_postgresql_and_waits_for_it() {
    let servers = Servers::with_postgresql(Mode::Closed).await;
    let app = servers.start(&[]);
    assert_eq!(send(&app, get("/health/live")).await.status, StatusCode::OK);
    until_status(&app, "unavailable").await;
    servers.postgresql.set(Mode::Working);
    until_status(&app, "ready").await;
    assert_eq!(submit(&app, &new_text()).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_that_start_together_migrate_once() {
    let servers = Servers::new().await;
    let mut migrations = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Store::new(&servers.database, Duration::from_secs(5));
        migrations.spawn(async move { store.try_migrate().await });
    }
    for migrated in migrations.join_all().await {
        migrated.unwrap();
    }
    let engines: Vec<Router> = (0..4).map(|_| servers.start(&[])).collect();
    for app in &engines {
        until_status(app, "ready").await;
    }
    let migrations = connect(&servers.database)
        .await
        .query("select version from schema_migrations", &[])
        .await
        .unwrap();
    assert_eq!(migrations.len(), 1);
    assert_eq!(
        submit(&engines[0], &new_text()).await.status,
        StatusCode::CREATED
    );
    // A later start finds all as it was.
    assert_eq!(listed(&servers.engine().await).await, 1);
}

/// What `consciousness-engine migrate` says on stderr, and its exit status.
fn migrate(servers: &Servers) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_consciousness-engine"))
        .arg("migrate")
        .env("DATABASE_URL", servers.database_url())
        .env("REDIS_URL", servers.redis_url())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_can_be_run_by_themselves() {
    let servers = Servers::new().await;
    assert_eq!(migrate(&servers), (Some(0), String::new()));
    let client = connect(&servers.database).await;
    client.query("select id from analyses", &[]).await.unwrap();
    assert_eq!(migrate(&servers), (Some(0), String::new()));

    // A migration that fails leaves nothing of itself, and ends the process at once.
    client
        .batch_execute("delete from schema_migrations; drop table analyses; create view analyses as select 1 as id")
        .await
        .unwrap();
    let (status, said) = migrate(&servers);
    assert_eq!(status, Some(1));
    assert!(said.contains("\"analyses\""), "{said}");
    let left = client.query("select 1 from schema_migrations", &[]).await;
    assert_eq!(left.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_a_request_in_flight_finish() {
    let servers = Servers::new().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_consciousness-engine"));
    command
        .env("DATABASE_URL", servers.database_url())
        .env("REDIS_URL", servers.redis_url())
        .env("CONSCIOUSNESS_ENGINE_PROCESSING_TIMEOUT_MS", "20000")
        .stdout(Stdio::null());
    let mut engine = Process::start(&mut command, "CONSCIOUSNESS_ENGINE_PORT").await;
    let text = json!({ "text": new_text() }).to_string();
    let request = |path: &str, body: &str| {
        let method = if body.is_empty() { "GET" } else { "POST" };
        format!(
            "{method} {path} HTTP/1.1\r\nhost: engine\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    eventually("the engine is ready", || async {
        let answer = engine.begin(&request("/health/ready", "")).await.await;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;

    // The request can't end before the table is free again.
    let mut client = connect(&servers.database).await;
    let lock = client.transaction().await.unwrap();
    lock.batch_execute("lock table analyses in exclusive mode")
        .await
        .unwrap();
    let answer = engine.begin(&request("/analyses", &text)).await;
    let watcher = connect(&servers.database).await;
    eventually("the request waits for the table", || async {
        let query = "select 1 from pg_locks where not granted \
                     and relation = 'analyses'::regclass";
        watcher.query_opt(query, &[]).await.unwrap()
    })
    .await;
    engine.terminate();
    eventually("the engine stops to listen", || async {
        (!engine.is_listening().await).then_some(())
    })
    .await;
    lock.rollback().await.unwrap();

    let answer = answer.await;
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(engine.exit_status().await, Some(0));
}
