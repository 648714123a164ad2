//! A control plane in this process, asked through its router, and a database for it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, header},
};
use control_plane::{
    bootstrap::{self, Bootstrap},
    router, start,
};
use plinto_contract::ids::TenantId;
use plinto_jose::Algorithm;
use plinto_platform::{
    Parts, Platform, clock::SystemClock, config::Config, db::Db, random::SystemRandom,
};
use plinto_policy::bundle::Source;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt as _;

use crate::fill::{Size, fill};

const PASSWORD: &str = "gavotte brindle quokka tessellate";
const POLICY: &[u8] = b"package platform.authz\n\n\
    decision := {\"allow\": false, \"reasons\": [], \"obligations\": {}}\n";
const MANIFEST: &str = r#"{"roots": ["app", "plinto"], "rego_version": 1,
    "metadata": {"plinto": {"entrypoint": "app/authz/decision"}}}"#;

/// A control plane, with the tenants that are measured.
pub(crate) struct Installation {
    pub(crate) platform: Platform,
    router: Router,
    /// Has the users and the sessions.
    pub(crate) main: Tenant,
    /// Has the roles.
    pub(crate) with_roles: Tenant,
    /// Has what was revoked a moment ago.
    revoked: Tenant,
}

/// A tenant and a key that may do everything in it.
pub(crate) struct Tenant {
    id: TenantId,
    pub(crate) key: String,
}

/// Somebody who has signed up.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A role and the version it has.
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) version: i64,
}

impl Installation {
    /// Opens the database, and makes what tenants it lacks.
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.database.url = url.to_owned().into();
        config.master_key = Some(
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
                .to_owned()
                .into(),
        );
        config.http.requests_per_minute = 0;
        // What fills the database takes longer than a request may.
        config.http.timeout_s = 3_600;
        let db = Db::open(&config).await?;
        let program = PathBuf::from(env!("CARGO_BIN_EXE_plinto-control-plane"));
        let platform = Platform::new(Parts {
            config,
            db,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            program,
            rechecks: start::RECHECKS,
        })?;
        Ok(Self {
            router: router::router(&platform),
            main: tenant(&platform, "main").await?,
            with_roles: tenant(&platform, "roles").await?,
            revoked: tenant(&platform, "revoked").await?,
            platform,
        })
    }

    /// Makes what is measured, and so much around it.
    pub(crate) async fn set_up(&self, size: Size) -> anyhow::Result<()> {
        let policy = ("app/authz/decision.rego".to_owned(), POLICY.to_vec());
        let source = Source {
            files: [policy].into_iter().collect(),
        };
        let packed = plinto_policy::bundle::build(&source, &serde_json::from_str(MANIFEST)?)?;
        let bundles = (Method::POST, "/v1/policies/bundles", 201);
        let made = self
            .ask(&self.main.key, bundles, "application/gzip", packed.into())
            .await?;
        let made: Value = serde_json::from_slice(&made)?;
        let path = format!(
            "/v1/policies/bundles/{}/activate",
            text(&made, "/revision")?
        );
        let activate = (Method::POST, path.as_str(), 200);
        self.send(&self.main.key, activate, &json!({})).await?;
        self.sign_up("revoked").await?;
        let now = self.platform.clock.now();
        let mut tx = self.platform.db.begin().await?;
        let tenants = [self.main.id, self.with_roles.id, self.revoked.id];
        fill(&mut tx, now, size, tenants).await?;
        tx.commit().await?;
        if self.platform.db.engine() == "postgres" {
            let mut tx = self.platform.db.begin().await?;
            tx.execute("analyze", plinto_platform::args![]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn sign_up(&self, tenant: &str) -> anyhow::Result<Value> {
        let body = json!({"email": "person@example.com", "password": PASSWORD});
        let path = format!("/t/{tenant}/v1/sign_up");
        self.send("", (Method::POST, &path, 201), &body).await
    }

    /// Signs somebody up with the main tenant.
    pub(crate) async fn person(&self) -> anyhow::Result<Person> {
        let made = self.sign_up("main").await?;
        Ok(Person {
            id: text(&made, "/user/id")?,
            token: text(&made, "/access_token")?,
        })
    }

    /// Makes somebody the owner of an organization; the path of their membership.
    pub(crate) async fn member(&self) -> anyhow::Result<String> {
        let made = self.sign_up("roles").await?;
        let user = text(&made, "/user/id")?;
        let body = json!({"slug": "acme", "name": "Acme", "owner_id": user});
        let organizations = (Method::POST, "/v1/organizations", 201);
        let made = self
            .send(&self.with_roles.key, organizations, &body)
            .await?;
        let organization = text(&made, "/id")?;
        Ok(format!("/v1/organizations/{organization}/members/{user}"))
    }

    /// Makes a role of the main tenant.
    pub(crate) async fn role(&self, key: &str) -> anyhow::Result<Role> {
        let body = json!({"key": key, "name": key, "permissions": []});
        let roles = (Method::POST, "/v1/roles", 201);
        let made = self.send(&self.main.key, roles, &body).await?;
        Ok(Role {
            id: text(&made, "/id")?,
            version: 1,
        })
    }

    /// The number of the main tenant's active bundle.
    pub(crate) async fn sequence(&self) -> anyhow::Result<i64> {
        let status = self.get(&self.main.key, "/v1/policies/status").await?;
        number(&status, "/active/sequence")
    }

    /// Gives a role of the main tenant a permission; `version`: the one it has.
    pub(crate) async fn change(&self, role: &Role, permission: &str) -> anyhow::Result<()> {
        let request = Request::patch(format!("/v1/roles/{}", role.id))
            .header(header::IF_MATCH, format!("\"{}\"", role.version))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.main.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(json!({"permissions": [permission]}).to_string().into())?;
        self.answer(request, 200).await.map(|_| ())
    }

    /// `GET`, as JSON if it is.
    pub(crate) async fn get(&self, key: &str, path: &str) -> anyhow::Result<Value> {
        let answer = self
            .ask(key, (Method::GET, path, 200), "text/plain", Body::empty())
            .await?;
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    /// Sends JSON; the status must be the one that is named.
    pub(crate) async fn send(
        &self,
        key: &str,
        wanted: (Method, &str, u16),
        body: &Value,
    ) -> anyhow::Result<Value> {
        let body = body.to_string().into();
        let answer = self.ask(key, wanted, "application/json", body).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn ask(
        &self,
        key: &str,
        (method, path, status): (Method, &str, u16),
        media_type: &str,
        body: Body,
    ) -> anyhow::Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, media_type);
        if !key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        self.answer(request.body(body)?, status).await
    }

    async fn answer(&self, request: Request<Body>, status: u16) -> anyhow::Result<Bytes> {
        let path = request.uri().to_string();
        let answer = self.router.clone().oneshot(request).await?;
        let got = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await?;
        let text = String::from_utf8_lossy(&bytes);
        anyhow::ensure!(got == status, "{path}: {got} in place of {status}: {text}");
        Ok(bytes)
    }
}

async fn tenant(platform: &Platform, slug: &str) -> anyhow::Result<Tenant> {
    if let Ok(another) = bootstrap::another_key(platform, slug).await {
        return Ok(Tenant {
            id: another.tenant,
            key: another.api_key.expose().to_owned(),
        });
    }
    let input = Bootstrap {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        audience: "https://api.example.com".to_owned(),
        signing_alg: Algorithm::Es256,
    };
    let made = bootstrap::bootstrap(platform, input).await?;
    Ok(Tenant {
        id: made.tenant,
        key: made.api_key.expose().to_owned(),
    })
}

fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .with_context(|| format!("no text at {pointer} of {answer}"))
}

fn number(answer: &Value, pointer: &str) -> anyhow::Result<i64> {
    let found = answer.pointer(pointer).and_then(Value::as_i64);
    found.with_context(|| format!("no number at {pointer} of {answer}"))
}

/// A database on a server, until it is dropped.
pub(crate) struct Postgres {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Postgres {
    /// Makes one; `name` tells it from others of this process.
    pub(crate) async fn make(server: &str, name: &str) -> anyhow::Result<Self> {
        let name = format!("plinto_size_{}_{name}", std::process::id());
        let mut url: url::Url = server.parse()?;
        url.set_path(&name);
        let made = Self {
            server: server.to_owned(),
            name,
            url: url.to_string(),
        };
        made.execute("create database").await?;
        Ok(made)
    }

    async fn execute(&self, what: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.server).await?;
        let sql = format!("{what} {}", self.name);
        connection.execute(AssertSqlSafe(sql)).await?;
        Ok(())
    }

    /// Drops it.
    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        self.execute("drop database").await
    }

    /// The same database, through a relay that lets everything sent to it wait.
    pub(crate) async fn a_millisecond_away(&self) -> anyhow::Result<String> {
        let mut url: url::Url = self.url.parse()?;
        let host = url.host_str().context("no host")?;
        let server = format!("{host}:{}", url.port().unwrap_or(5432));
        let relay = TcpListener::bind("127.0.0.1:0").await?;
        url.set_host(Some("127.0.0.1"))?;
        url.set_port(Some(relay.local_addr()?.port())).ok();
        #[expect(
            clippy::disallowed_methods,
            reason = "lives as long as the bench, not as the platform"
        )]
        tokio::spawn(async move {
            while let Ok((near, _)) = relay.accept().await {
                let Ok(far) = TcpStream::connect(&server).await else {
                    return;
                };
                let (from_near, to_near) = near.into_split();
                let (from_far, to_far) = far.into_split();
                tokio::spawn(copy(from_near, to_far, Duration::from_millis(1)));
                tokio::spawn(copy(from_far, to_near, Duration::ZERO));
            }
        });
        Ok(url.to_string())
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
) {
    let mut bytes = vec![0_u8; 64 * 1024];
    while let Ok(many @ 1..) = from.read(&mut bytes).await {
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let read = bytes.get(..many).unwrap_or_default();
        if to.write_all(read).await.is_err() {
            return;
        }
    }
}
