//! Settings: a TOML file, then `PLINTO_*` variables, read once and typed. Unknown keys are errors.
//!
//! A setting is one field below, with its unit, default and bounds; its variable follows from its
//! place. Times are whole seconds and end in `_s`.

mod check;
mod load;
mod public_url;
mod settings;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use plinto_contract::{
    limits::{ACCESS_TOKEN_LIFETIME_S, BUNDLE_LIFETIME_S},
    problem::PAGES,
};
use serde::Deserialize;

use check::{DAY_S, LONGEST_S, key_set_age_s};
use settings::{SettingValue, settings, within};

pub use check::KNOWN_FOR_S;
pub use load::ConfigError;
pub use public_url::PublicUrl;
pub use settings::{Kind, Section, Setting};

use crate::secret::Secret;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// As it is written in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

settings! {
    /// All settings.
    pub struct Config {
        /// Address and port to listen on.
        pub listen: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7400);
        /// Where clients reach us; issuers start with it.
        pub public_url: PublicUrl = PublicUrl::default();
        /// Where the pages about problem codes stand, which `type` of every problem points to; a
        /// slash and the code follow. Without it: this server's own, under
        /// `{public_url}/docs/errors`.
        pub problem_pages_url: Option<PublicUrl> = None;
        /// 32 bytes in base64url that seal secrets at rest. Without it: a key file next to the
        /// `SQLite` file, made at the first start.
        pub master_key: Option<Secret> = None;
        /// File that holds the master key.
        pub master_key_file: Option<PathBuf> = None;
        /// Earlier master keys, which still open what they sealed.
        pub previous_master_keys: Vec<Secret> = Vec::new();
        section database: DatabaseConfig;
        section http: HttpConfig;
        section log: LogConfig;
        section signing_keys: SigningKeysConfig;
        section credentials: CredentialsConfig;
        section sessions: SessionsConfig;
        section policies: PoliciesConfig;
    }
}

settings! {
    /// Where the data is.
    pub struct DatabaseConfig {
        /// `sqlite:<path>` or `postgres://…`.
        pub url: Secret = Secret::new("sqlite:plinto.sqlite");
        /// Connections to a `PostgreSQL` server at most, beside 4 for the documents that edges
        /// fetch.
        pub max_connections: u32 = 16, within 1..=1_000;
        /// Whether `SQLite` transactions share disk flushes; false is for measuring.
        pub group_commits: bool = true;
    }
}

settings! {
    /// Limits and habits of the HTTP server.
    pub struct HttpConfig {
        /// Body of a request at most, bytes; bundle uploads have their own limit.
        pub body_bytes: usize = 64 * 1024, within 1_024..=1_048_576;
        /// A request's time, seconds.
        pub timeout_s: u64 = 30, within 1..=600;
        /// Time for a client to send its headers, and an idle connection's time, seconds.
        pub header_timeout_s: u64 = 30, within 1..=600;
        /// Time for a client to send its body once its headers are there, seconds.
        pub body_timeout_s: u64 = 10, within 1..=600;
        /// Requests handled at once, once their bodies are there; more are answered 503. As many
        /// again for public documents.
        pub concurrency: usize = 1_024, within 1..=1_000_000;
        /// Requests per minute and client address; 0 switches the limit off. Ten times as many for
        /// the documents under `.well-known` and `edge`, fifty times as many for a good API key,
        /// whatever its address; none for probes.
        pub requests_per_minute: u32 = 1_200;
        /// Header in which a trusted proxy names the client's address; the last entry counts.
        /// Without it: the peer's address.
        pub client_ip_header: Option<String> = None;
        /// Time for everything to end at shutdown, seconds.
        pub shutdown_s: u64 = 20, within 1..=3_600;
    }
}

settings! {
    /// What is logged and how.
    pub struct LogConfig {
        /// `json`, one object a line, or `text`, for people.
        pub format: LogFormat = LogFormat::Json;
        /// Levels by module, as `tracing_subscriber`'s `EnvFilter` reads them.
        pub filter: String = "info".to_owned();
    }
}

settings! {
    /// Keys that sign tokens and bundles.
    pub struct SigningKeysConfig {
        /// How long a new key is published before it may sign, seconds. The least is how
        /// long a cache in between and the edge may show the set from before.
        pub publish_ahead_s: i64 = 900, within key_set_age_s()..=LONGEST_S;
        /// Age at which the worker rotates a key, seconds; at least `publish_ahead_s`.
        pub rotate_after_s: i64 = 90 * DAY_S, within 1..=LONGEST_S;
    }
}

settings! {
    /// How passwords are hashed.
    pub struct CredentialsConfig {
        /// Passwords hashed at once; 0 means one per core.
        pub hashing_threads: usize = 0;
        /// Hashings that may wait for a thread; more are answered 503.
        pub hashing_queue: usize = 256;
    }
}

settings! {
    /// Sessions and their tokens.
    pub struct SessionsConfig {
        /// Life of an access token, seconds.
        pub access_token_s: i64 = ACCESS_TOKEN_LIFETIME_S, within 1..=ACCESS_TOKEN_LIFETIME_S;
        /// A session ends when it is not refreshed for this long, seconds; at most `absolute_s`.
        pub idle_s: i64 = 7 * DAY_S;
        /// A session ends after this long whatever happens, seconds.
        pub absolute_s: i64 = 30 * DAY_S, within 1..=LONGEST_S;
        /// How long a spent refresh token gives the same successor again, seconds.
        pub refresh_grace_s: i64 = 10, within 0..=10;
    }
}

settings! {
    /// Policy bundles.
    pub struct PoliciesConfig {
        /// How long a signed bundle is valid, seconds.
        pub bundle_s: i64 = BUNDLE_LIFETIME_S, within 60..=BUNDLE_LIFETIME_S;
        /// When the worker signs the active bundle anew before it runs out, seconds; less than
        /// `bundle_s`.
        pub renew_before_s: i64 = 7 * DAY_S;
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
    /// All settings, by the table of the file that they stand in; the top level first.
    pub fn sections() -> Vec<Section> {
        Self::tables("")
    }

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
