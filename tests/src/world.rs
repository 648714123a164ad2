//! A control plane in this process: its own database, a clock that stands still, seeded chance.
//!
//! `World::new()` takes a `SQLite` file in a temporary folder, `World::on(Engine::Postgres)` a
//! database of its own on the server that `PLINTO_TEST_POSTGRES` names. Requests go through the
//! whole router, without a socket.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
};
use control_plane::{
    bootstrap::{self, Bootstrap, Bootstrapped},
    router, start, worker,
};
use plinto_contract::{events::Event, ids::TenantId, time::UnixMillis};
use plinto_jose::Algorithm;
use plinto_platform::{
    Parts, Platform, clock::TestClock, config::Config, db::Db, random::SeededRandom,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::process;

/// The variable that names a `PostgreSQL` server where tests may make databases.
pub const POSTGRES: &str = "PLINTO_TEST_POSTGRES";
/// A master key that everybody may know.
pub const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// 2026-11-11T09:01:00Z: where every test's clock starts.
pub const START: UnixMillis = UnixMillis(1_794_387_660_000);

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file of its own.
    Sqlite,
    /// A database of its own on a server.
    Postgres,
}

/// A database that goes away with the test.
#[derive(Debug)]
pub struct TestDatabase {
    /// What the settings name.
    pub url: String,
    folder: TempDir,
    server: Option<(String, String)>,
}

impl TestDatabase {
    /// An empty one. Fails where there is no `PostgreSQL` server for a test that needs one.
    pub async fn on(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        if engine == Engine::Sqlite {
            let url = format!("sqlite:{}", folder.path().join("plinto.sqlite").display());
            return Self {
                url,
                folder,
                server: None,
            };
        }
        let server = postgres_server();
        let name = format!(
            "plinto_{}_{}",
            std::process::id(),
            COUNTER.fetch_add(1, Ordering::SeqCst)
        );
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let drop_left_over = format!("drop database if exists {name} with (force)");
        connection
            .execute(AssertSqlSafe(drop_left_over))
            .await
            .unwrap();
        connection
            .execute(AssertSqlSafe(format!("create database {name}")))
            .await
            .unwrap();
        connection.close().await.unwrap();
        let mut url: reqwest::Url = server.parse().unwrap();
        url.set_path(&name);
        Self {
            url: url.to_string(),
            folder,
            server: Some((server, name)),
        }
    }

    /// A folder that goes away with the test.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Settings for a control plane on this database, without limits that get in a test's way.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.database.url = self.url.clone().into();
        config.master_key_file = None;
        config.master_key = Some(MASTER_KEY.to_owned().into());
        config.database.max_connections = 8;
        config.http.requests_per_minute = 0;
        config.credentials.hashing_threads = 2;
        config
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.server.take() else {
            return;
        };
        // A test's own runtime is ending here: the database is dropped on another one.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    if let Ok(mut connection) = PgConnection::connect(&server).await {
                        let sql = format!("drop database if exists {name} with (force)");
                        let _ = connection.execute(AssertSqlSafe(sql)).await;
                    }
                });
            }
        });
        let _ = dropping.join();
    }
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// The server that tests may use.
fn postgres_server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES} names no server: `scripts/with-postgres.sh` starts one, and \
             `-- --skip on_postgres` leaves these tests out"
        )
    })
}

/// A control plane with one tenant, `acme`.
#[derive(Debug)]
pub struct World {
    /// Everything a verb needs.
    pub app: Platform,
    /// The clock, to be moved.
    pub clock: Arc<TestClock>,
    /// The tenant that was made at the start.
    pub acme: Bootstrapped,
    router: Router,
    // Dropped last: the database goes when nobody uses it any more.
    database: TestDatabase,
}

impl World {
    /// On a `SQLite` file, with `ES256` keys because they are made quickly.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// On a `SQLite` file, with other settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::on(Engine::Sqlite).await;
        Self::build(database, change, shipped()).await
    }

    /// On a `SQLite` file, with another file as the program that checks bundles.
    pub async fn checking_with(program: PathBuf) -> Self {
        let database = TestDatabase::on(Engine::Sqlite).await;
        Self::build(database, |_| {}, program).await
    }

    /// On either engine.
    pub async fn on(engine: Engine) -> Self {
        let database = TestDatabase::on(engine).await;
        Self::build(database, |_| {}, shipped()).await
    }

    /// On a database that has been prepared, with other settings.
    pub async fn over(database: TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        Self::build(database, change, shipped()).await
    }

    async fn build(
        database: TestDatabase,
        change: impl FnOnce(&mut Config),
        program: PathBuf,
    ) -> Self {
        let mut config = database.config();
        change(&mut config);
        let db = Db::open(&config).await.unwrap();
        let clock = Arc::new(TestClock::at(START));
        // Each world of a process has its own ids, the same in every run of one test.
        let random = Arc::new(SeededRandom::new(7));
        let app = platform(config, db, clock.clone(), random, program);
        let acme = make_tenant(&app, "acme", Algorithm::Es256).await;
        let router = router::router(&app);
        Self {
            app,
            clock,
            acme,
            router,
            database,
        }
    }

    /// The database under this world.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Another tenant, with its own issuer, keys and users.
    pub async fn tenant(&self, slug: &str) -> Bootstrapped {
        make_tenant(&self.app, slug, Algorithm::Es256).await
    }

    /// Another tenant whose tokens are signed with `algorithm`.
    pub async fn tenant_signing(&self, slug: &str, algorithm: Algorithm) -> Bootstrapped {
        make_tenant(&self.app, slug, algorithm).await
    }

    /// A client without credentials.
    pub fn anon(&self) -> Client {
        Client {
            router: self.router.clone(),
            headers: HeaderMap::new(),
            address: None,
        }
    }

    /// A client that sends `token` as its bearer token.
    pub fn bearer(&self, token: &str) -> Client {
        self.anon().bearer(token)
    }

    /// A client of another process on the same database: what this one remembers, that one does not.
    pub async fn elsewhere(&self) -> Client {
        let config = self.app.config.clone();
        let db = Db::open(&config).await.unwrap();
        let random = Arc::new(SeededRandom::new(8));
        let app = platform(config, db, self.clock.clone(), random, shipped());
        Client {
            router: router::router(&app),
            headers: HeaderMap::new(),
            address: None,
        }
    }

    /// What background work would do now.
    pub async fn run_due_work(&self) {
        worker::run_due_work(&self.app).await;
    }

    /// The events of a tenant in the order they happened.
    pub async fn events(&self, tenant: TenantId) -> Vec<Event> {
        plinto_platform::events::of_tenant(&self.app, tenant)
            .await
            .unwrap()
    }

    /// The kinds of acme's events in the order they happened.
    pub async fn event_kinds(&self) -> Vec<&'static str> {
        let events = self.events(self.acme.tenant).await;
        events.iter().map(|event| event.kind.as_str()).collect()
    }
}

fn platform(
    config: Config,
    db: Db,
    clock: Arc<TestClock>,
    random: Arc<SeededRandom>,
    program: PathBuf,
) -> Platform {
    let rechecks = start::RECHECKS;
    Platform::new(Parts {
        config,
        db,
        clock,
        random,
        program,
        rechecks,
    })
    .unwrap()
}

/// The control plane's own file.
fn shipped() -> PathBuf {
    process::binary("plinto-control-plane")
}

async fn make_tenant(app: &Platform, slug: &str, signing_alg: Algorithm) -> Bootstrapped {
    let input = Bootstrap {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        audience: format!("https://api.{slug}.test"),
        signing_alg,
    };
    bootstrap::bootstrap(app, input).await.unwrap()
}

/// Sends requests through the whole router.
#[derive(Debug, Clone)]
pub struct Client {
    router: Router,
    headers: HeaderMap,
    address: Option<SocketAddr>,
}

impl Client {
    /// The same client with one more header on every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same client with `token` as its bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// The same client at another address. Without one, limits per address do not count it.
    #[must_use]
    pub fn from(mut self, ip: &str) -> Self {
        self.address = Some(SocketAddr::new(ip.parse().unwrap(), 40_000));
        self
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, Body::empty()).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, Body::empty()).await
    }

    /// `POST` without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None, Body::empty()).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json(Method::POST, path, body).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PATCH, path, body).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json(Method::PUT, path, body).await
    }

    /// `POST` with form fields.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut url: reqwest::Url = "http://form".parse().unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        let body = url.query().unwrap_or_default().to_owned();
        let media_type = "application/x-www-form-urlencoded";
        self.send(Method::POST, path, Some(media_type), body.into())
            .await
    }

    /// `POST` with any body.
    pub async fn post_bytes(&self, path: &str, media_type: &str, body: impl Into<Body>) -> Answer {
        self.send(Method::POST, path, Some(media_type), body.into())
            .await
    }

    async fn json(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send(
            method,
            path,
            Some("application/json"),
            body.to_string().into(),
        )
        .await
    }

    /// Any request.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        media_type: Option<&str>,
        body: Body,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(body)
            .unwrap();
        *request.headers_mut() = self.headers.clone();
        if let Some(media_type) = media_type {
            let value = HeaderValue::from_str(media_type).unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        if let Some(address) = self.address {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Insists on a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Insists on a problem body with this status and code.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["code"], code, "{}", answer.text());
        answer
    }
}
