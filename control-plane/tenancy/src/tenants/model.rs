//! What a tenant is.

use plinto_contract::{
    ids::TenantId,
    problem::FieldError,
    time::{UnixMillis, UnixSeconds},
};
use plinto_jose::Algorithm;
use plinto_platform::config::SessionsConfig;
use serde_json::{Value, json};

pub(super) use settings::{Change, UpdateTenant};
pub use settings::{DEFAULT_CLIENT, SignUpMode, is_client_id};

mod settings;

/// 63 characters: a slug may become a DNS label.
const SLUG_MAX: usize = 63;

/// An isolation boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Names it in tokens and in every row; it never changes.
    pub id: TenantId,
    /// Its name in URLs: the issuer ends with it.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `aud` of its access tokens.
    pub audience: String,
    /// What its access tokens are signed with.
    pub signing_alg: Algorithm,
    /// Rises with every change of what stands here.
    pub version: i64,
    /// Who may sign up.
    pub sign_up: SignUpMode,
    /// Origins whose pages may call the tenant's endpoints. Source: RFC 6454.
    pub allowed_origins: Vec<String>,
    /// Names under which software asks for tokens; nobody gets one under another.
    pub client_ids: Vec<String>,
    /// A session ends when it is not refreshed for this long, seconds; `None`: as the server's
    /// settings say.
    pub session_idle_s: Option<i64>,
    /// A session ends after this long whatever happens, seconds; `None`: as the server's settings say.
    pub session_absolute_s: Option<i64>,
    /// Rises with every change of the tenant's signing keys.
    pub keys_version: i64,
    /// Rises when every session of the tenant ends.
    pub session_epoch: i64,
    /// When it last rose.
    pub sessions_ended_at: Option<UnixMillis>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
}

impl Tenant {
    /// The first second whose tokens are not refused. Tokens carry whole seconds: one issued earlier
    /// in the very second in which all sessions ended falls too.
    pub fn tokens_good_from(&self) -> UnixSeconds {
        self.sessions_ended_at
            .map_or(UnixSeconds(0), |at| at.plus_millis(999).to_seconds())
    }

    /// Whether pages of this origin may call the tenant's endpoints.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|known| known == origin)
    }

    /// Whether software may ask for tokens under this name.
    pub fn has_client(&self, client_id: &str) -> bool {
        self.client_ids.iter().any(|known| known == client_id)
    }

    /// How long sessions last: idle and at all, seconds.
    pub fn session_limits(&self, server: &SessionsConfig) -> (i64, i64) {
        let absolute_s = self.session_absolute_s.unwrap_or(server.absolute_s);
        let idle_s = self.session_idle_s.unwrap_or(server.idle_s);
        (idle_s.min(absolute_s), absolute_s)
    }

    /// Whether sessions that began under this epoch go on.
    pub const fn is_current_epoch(&self, session_epoch: i64) -> bool {
        self.session_epoch == session_epoch
    }

    /// What a client or verifier can know from the issuer alone. Only what is there is named: no
    /// authorization endpoint, hence no response types. Source: RFC 8414 §2.
    pub fn metadata(&self, issuer: &str) -> Value {
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "token_endpoint": format!("{issuer}/oauth/token"),
            "introspection_endpoint": format!("{issuer}/oauth/introspect"),
            "revocation_endpoint": format!("{issuer}/oauth/revoke"),
            "grant_types_supported": ["refresh_token"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "subject_types_supported": ["public"],
            "access_token_signing_alg_values_supported": [self.signing_alg.as_str()],
        })
    }
}

/// What is needed to make one.
#[derive(Debug, Clone)]
pub struct CreateTenant {
    /// Lower-case letters, digits and hyphens.
    pub slug: String,
    /// For people.
    pub name: String,
    /// `aud` of its access tokens.
    pub audience: String,
    /// `RS256`, `ES256` or `EdDSA`.
    pub signing_alg: Algorithm,
}

impl CreateTenant {
    /// The tenant that is made of it; its settings are those that a tenant begins with.
    pub fn into_tenant(self, id: TenantId, now: UnixMillis) -> Tenant {
        Tenant {
            id,
            slug: self.slug,
            name: self.name,
            audience: self.audience,
            signing_alg: self.signing_alg,
            version: 1,
            sign_up: SignUpMode::Open,
            allowed_origins: Vec::new(),
            client_ids: vec![DEFAULT_CLIENT.to_owned()],
            session_idle_s: None,
            session_absolute_s: None,
            keys_version: 0,
            session_epoch: 0,
            sessions_ended_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The values that cannot be.
    pub fn faults(&self) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if !is_slug(&self.slug) {
            faults.push(FieldError::new(
                "/slug",
                "invalid_value",
                "1 to 63 lower-case letters, digits and inner hyphens",
            ));
        }
        faults.extend(settings::text_faults(&self.name, &self.audience));
        if !is_signing_alg(self.signing_alg) {
            faults.push(FieldError::new(
                "/signing_alg",
                "invalid_value",
                "one of RS256, ES256, EdDSA",
            ));
        }
        faults
    }
}

/// Whether a text can be a tenant's name in URLs.
pub(super) fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= SLUG_MAX
        && text.bytes().all(|byte| inner(byte) || byte == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().next_back().is_some_and(inner)
}

fn is_signing_alg(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_issued_in_the_second_in_which_all_sessions_ended_falls() {
        let of = |ended_at: Option<i64>| {
            let input = CreateTenant {
                slug: String::new(),
                name: String::new(),
                audience: String::new(),
                signing_alg: Algorithm::Es256,
            };
            let id = TenantId::from_parts(1, [1; 10]);
            let mut tenant = input.into_tenant(id, UnixMillis(0));
            tenant.sessions_ended_at = ended_at.map(UnixMillis);
            tenant.tokens_good_from()
        };
        assert_eq!(of(None), UnixSeconds(0));
        assert_eq!(of(Some(10_000)), UnixSeconds(10));
        assert_eq!(of(Some(10_001)), UnixSeconds(11));
        assert_eq!(of(Some(10_999)), UnixSeconds(11));
    }

    #[test]
    fn slugs_are_dns_labels() {
        for good in ["a", "acme", "acme-2", "0"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "a/b",
            "ä",
            &"a".repeat(64),
        ] {
            assert!(!is_slug(bad), "{bad}");
        }
    }
}
