//! Which values of the settings cannot work, and what to write instead. Bounds that hang on no other
//! setting stand with their fields.

use http::HeaderName;
use plinto_contract::limits::{JWKS_EDGE_AGE_S, JWKS_MAX_AGE_S};

use super::{Config, ConfigError};

pub(super) const DAY_S: i64 = 24 * 60 * 60;
/// 30 s: how long an instance of the control plane serves a document that it cannot read anew. A
/// revocation feed is valid for 60 s and signed anew every 15, so one of that age still is.
pub const KNOWN_FOR_S: u32 = 30;
/// 10 years: nothing here is meant to outlive that.
pub(super) const LONGEST_S: i64 = 3_650 * DAY_S;

impl Config {
    /// Errors: the first value that cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_bounds("")?;
        self.check_database()?;
        self.check_http()?;
        self.check_times()
    }

    fn check_database(&self) -> Result<(), ConfigError> {
        let url = self.database.url.expose();
        if !["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return invalid("database.url", "must start with `sqlite:` or `postgres://`");
        }
        if self.database.sqlite_path().is_none()
            && self.master_key.is_none()
            && self.master_key_file.is_none()
        {
            return invalid(
                "master_key",
                "or `master_key_file` is needed with a PostgreSQL server",
            );
        }
        Ok(())
    }

    fn check_http(&self) -> Result<(), ConfigError> {
        if let Some(name) = &self.http.client_ip_header
            && HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            return invalid(
                "http.client_ip_header",
                "must be the name of a header, such as `x-forwarded-for`",
            );
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let (keys, sessions, policies) = (&self.signing_keys, &self.sessions, &self.policies);
        if keys.rotate_after_s < keys.publish_ahead_s {
            return invalid(
                "signing_keys.rotate_after_s",
                "must be at least `signing_keys.publish_ahead_s`: the next key cannot sign sooner",
            );
        }
        if !(1..=sessions.absolute_s).contains(&sessions.idle_s) {
            return invalid(
                "sessions.idle_s",
                "must lie between 1 and `sessions.absolute_s`",
            );
        }
        if !(0..policies.bundle_s).contains(&policies.renew_before_s) {
            return invalid(
                "policies.renew_before_s",
                "must lie between 0 and less than `policies.bundle_s`",
            );
        }
        Ok(())
    }
}

/// 60 s: the oldest key set that a verifier may still go by. It was kept by a cache in between, which
/// may show it as long again while it asks anew, and then by the edge. The time for which an instance
/// that cannot read it anew serves it is no longer, and caches count it, for it is told as `Age`.
/// Before that, a verifier could meet a token whose key it has not fetched. Statement T15.
pub(super) fn key_set_age_s() -> i64 {
    i64::from(KNOWN_FOR_S.max(2 * JWKS_MAX_AGE_S)) + JWKS_EDGE_AGE_S
}

fn invalid(key: &str, reason: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid {
        key: key.to_owned(),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_can_work() {
        Config::default().check().unwrap();
    }

    /// T15: the bound is what caches in between and our own edge may keep the published set for.
    #[test]
    fn a_key_is_published_until_every_cache_has_it() {
        let line = refused(|config| config.signing_keys.publish_ahead_s = 59);
        assert_eq!(
            line,
            "`signing_keys.publish_ahead_s` must lie between 60 and 315360000"
        );
    }

    #[test]
    fn a_value_that_cannot_work_is_named_with_the_way_out() {
        let lines = [
            refused(|config| config.database.max_connections = 0),
            refused(|config| config.http.timeout_s = 0),
            refused(|config| config.http.header_timeout_s = 0),
            refused(|config| config.http.body_timeout_s = 0),
            refused(|config| config.http.shutdown_s = u64::MAX),
            refused(|config| config.http.body_bytes = 0),
            refused(|config| config.http.concurrency = 0),
            refused(|config| config.http.client_ip_header = Some("Real-IP ".to_owned())),
            refused(|config| config.signing_keys.rotate_after_s = 100),
            refused(|config| config.sessions.access_token_s = 601),
            refused(|config| config.sessions.refresh_grace_s = 11),
            refused(|config| config.sessions.absolute_s = 0),
            refused(|config| config.sessions.idle_s = 0),
            refused(|config| config.sessions.idle_s = 31 * DAY_S),
            refused(|config| config.policies.bundle_s = 0),
            refused(|config| config.policies.renew_before_s = 31 * DAY_S),
        ];
        let named = [
            "database.max_connections",
            "http.timeout_s",
            "http.header_timeout_s",
            "http.body_timeout_s",
            "http.shutdown_s",
            "http.body_bytes",
            "http.concurrency",
            "http.client_ip_header",
            "signing_keys.rotate_after_s",
            "sessions.access_token_s",
            "sessions.refresh_grace_s",
            "sessions.absolute_s",
            "sessions.idle_s",
            "sessions.idle_s",
            "policies.bundle_s",
            "policies.renew_before_s",
        ];
        for (line, key) in lines.iter().zip(named) {
            assert!(line.starts_with(&format!("`{key}` must ")), "{line}");
        }
    }
}
