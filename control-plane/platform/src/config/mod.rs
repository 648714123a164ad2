//! Settings: a TOML file, then `PLINTO_*` variables, read once and typed. Unknown keys are errors.
//!
//! Every field says its unit and default. Times are whole seconds and end in `_s`.

mod check;
mod load;
mod public_url;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use plinto_contract::problem::PAGES;
use serde::Deserialize;

pub use check::KNOWN_FOR_S;
pub use load::{ConfigError, SETTINGS, Setting};
pub use public_url::PublicUrl;

use crate::secret::Secret;

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on. Default `127.0.0.1:7400`.
    pub listen: SocketAddr,
    /// Where clients reach us; issuers start with it. Default `http://127.0.0.1:7400`.
    pub public_url: PublicUrl,
    /// Where the pages about problem codes stand, which `type` of every problem points to; a slash
    /// and the code follow. Default: this server's own, under `{public_url}/docs/errors`.
    pub problem_pages_url: Option<PublicUrl>,
    /// 32 bytes in base64url that seal secrets at rest. Default: a key file next to the `SQLite`
    /// file, made at the first start.
    pub master_key: Option<Secret>,
    /// File that holds the master key.
    pub master_key_file: Option<PathBuf>,
    /// Earlier master keys, which still open what they sealed.
    pub previous_master_keys: Vec<Secret>,
    /// Where the data is.
    pub database: DatabaseConfig,
    /// Limits and habits of the HTTP server.
    pub http: HttpConfig,
    /// What is logged and how.
    pub log: LogConfig,
    /// Keys that sign tokens and bundles.
    pub signing_keys: SigningKeysConfig,
    /// Passwords.
    pub credentials: CredentialsConfig,
    /// Sessions and their tokens.
    pub sessions: SessionsConfig,
    /// Policy bundles.
    pub policies: PoliciesConfig,
}

/// Where the data is.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:<path>` or `postgres://…`. Default `sqlite:plinto.sqlite`.
    pub url: Secret,
    /// Connections to a `PostgreSQL` server at most, beside 4 for the documents that edges fetch.
    /// Default 16.
    pub max_connections: u32,
    /// Whether `SQLite` transactions share disk flushes. Default true; false is for measuring.
    pub group_commits: bool,
}

/// Limits and habits of the HTTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Body of a request at most, bytes; bundle uploads have their own limit. Default 65,536.
    pub body_bytes: usize,
    /// A request's time, seconds. Default 30.
    pub timeout_s: u64,
    /// Time for a client to send its headers, and an idle connection's time, seconds. Default 30.
    pub header_timeout_s: u64,
    /// Time for a client to send its body once its headers are there, seconds. Default 10.
    pub body_timeout_s: u64,
    /// Requests handled at once, once their bodies are there; more are answered 503. As many again
    /// for public documents. Default 1,024.
    pub concurrency: usize,
    /// Requests per minute and client address; 0 switches the limit off. Ten times as many for the
    /// documents under `.well-known` and `edge`, fifty times as many for a good API key, whatever
    /// its address; none for probes. Default 1,200.
    pub requests_per_minute: u32,
    /// Header in which a trusted proxy names the client's address; the last entry counts. Default
    /// none: the peer's address.
    pub client_ip_header: Option<String>,
    /// Time for everything to end at shutdown, seconds. Default 20.
    pub shutdown_s: u64,
}

/// What is logged and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Default `json`.
    pub format: LogFormat,
    /// Levels by module, as `tracing_subscriber`'s `EnvFilter` reads them. Default `info`.
    pub filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Keys that sign tokens and bundles.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigningKeysConfig {
    /// How long a new key is published before it may sign, seconds. At least 60: that long a cache
    /// in between and the edge may show the set from before. Default 900.
    pub publish_ahead_s: i64,
    /// Age at which the worker rotates a key, seconds. Default 90 days.
    pub rotate_after_s: i64,
}

/// Passwords.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialsConfig {
    /// Passwords hashed at once; 0 means one per core. Default 0.
    pub hashing_threads: usize,
    /// Hashings that may wait for a thread; more are answered 503. Default 256.
    pub hashing_queue: usize,
}

/// Sessions and their tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// Life of an access token, seconds, at most 600. Default 600.
    pub access_token_s: i64,
    /// A session ends when it is not refreshed for this long, seconds. Default 7 days.
    pub idle_s: i64,
    /// A session ends after this long whatever happens, seconds. Default 30 days.
    pub absolute_s: i64,
    /// How long a spent refresh token gives the same successor again, seconds, at most 10.
    /// Default 10.
    pub refresh_grace_s: i64,
}

/// Policy bundles.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoliciesConfig {
    /// How long a signed bundle is valid, seconds. Default 30 days.
    pub bundle_s: i64,
    /// When the worker signs the active bundle anew before it runs out, seconds. Default 7 days.
    pub renew_before_s: i64,
}

const DAY_S: i64 = 24 * 60 * 60;

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7400),
            public_url: PublicUrl::default(),
            problem_pages_url: None,
            master_key: None,
            master_key_file: None,
            previous_master_keys: Vec::new(),
            database: DatabaseConfig::default(),
            http: HttpConfig::default(),
            log: LogConfig::default(),
            signing_keys: SigningKeysConfig::default(),
            credentials: CredentialsConfig::default(),
            sessions: SessionsConfig::default(),
            policies: PoliciesConfig::default(),
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: Secret::new("sqlite:plinto.sqlite"),
            max_connections: 16,
            group_commits: true,
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            timeout_s: 30,
            header_timeout_s: 30,
            body_timeout_s: 10,
            concurrency: 1_024,
            requests_per_minute: 1_200,
            client_ip_header: None,
            shutdown_s: 20,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            filter: "info".to_owned(),
        }
    }
}

impl Default for SigningKeysConfig {
    fn default() -> Self {
        Self {
            publish_ahead_s: 900,
            rotate_after_s: 90 * DAY_S,
        }
    }
}

impl Default for CredentialsConfig {
    fn default() -> Self {
        Self {
            hashing_threads: 0,
            hashing_queue: 256,
        }
    }
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self {
            access_token_s: plinto_contract::limits::ACCESS_TOKEN_LIFETIME_S,
            idle_s: 7 * DAY_S,
            absolute_s: 30 * DAY_S,
            refresh_grace_s: 10,
        }
    }
}

impl Default for PoliciesConfig {
    fn default() -> Self {
        Self {
            bundle_s: plinto_contract::limits::BUNDLE_LIFETIME_S,
            renew_before_s: 7 * DAY_S,
        }
    }
}

impl DatabaseConfig {
    /// The file of a `sqlite:` URL.
    pub fn sqlite_path(&self) -> Option<&Path> {
        let rest = self.url.expose().strip_prefix("sqlite:")?;
        Some(Path::new(rest.strip_prefix("//").unwrap_or(rest)))
    }
}

impl Config {
    /// The issuer of a tenant: `{public_url}/t/{slug}`.
    pub fn issuer(&self, slug: &str) -> String {
        format!("{}/t/{slug}", self.base_url())
    }

    /// The slug in a tenant's issuer; `None` for what is no issuer of ours.
    pub fn slug_of<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        issuer.strip_prefix(self.base_url())?.strip_prefix("/t/")
    }

    /// Names the management API where tokens are asked for: `{public_url}/v1`. Source: RFC 8707 §2.
    pub fn management_resource(&self) -> String {
        format!("{}/v1", self.base_url())
    }

    /// Where problem codes are explained, without a slash at its end.
    pub fn problem_pages(&self) -> String {
        match &self.problem_pages_url {
            Some(url) => url.as_str().to_owned(),
            None => format!("{}{PAGES}", self.base_url()),
        }
    }

    /// The public URL, without a slash at its end.
    pub fn base_url(&self) -> &str {
        self.public_url.as_str()
    }

    /// What to say when nobody names `public_url`, and we listen elsewhere than it leads.
    pub fn lost_issuers(&self, listening: SocketAddr) -> Option<String> {
        let default = Self::default();
        let ip = listening.ip();
        let is_met =
            listening.port() == default.listen.port() && (ip.is_loopback() || ip.is_unspecified());
        if is_met || self.public_url != default.public_url {
            return None;
        }
        let url = self.base_url();
        Some(format!(
            "issuers begin with {url}, but this server listens on {listening}: set \
             PLINTO_PUBLIC_URL to where clients reach it"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing the address alone leaves issuers where nobody answers.
    #[test]
    fn issuers_that_lead_past_this_server_are_told() {
        let told = |listen: &str, public_url: Option<&str>| {
            let mut config = Config::default();
            if let Some(url) = public_url {
                config.public_url = url.parse().unwrap();
            }
            config.lost_issuers(listen.parse().unwrap())
        };
        for listen in ["127.0.0.1:7400", "0.0.0.0:7400", "[::]:7400"] {
            assert_eq!(told(listen, None), None, "{listen}");
        }
        for listen in ["127.0.0.1:7401", "0.0.0.0:8080", "192.0.2.1:7400"] {
            let text = told(listen, None).unwrap();
            for word in ["http://127.0.0.1:7400", listen, "PLINTO_PUBLIC_URL"] {
                assert!(text.contains(word), "{text}");
            }
            assert_eq!(told(listen, Some("https://id.example.com")), None);
        }
    }
}
