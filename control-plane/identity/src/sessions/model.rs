//! What a session is, when it lives, and how its tokens are made. Pure.

use std::fmt;

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_contract::{
    claims::{AccessToken, Audience},
    ids::{OrganizationId, RefreshTokenId, SessionId, TenantId, TokenId, UserId},
    time::{UnixMillis, UnixSeconds},
};
use plinto_directory::users::UserState;
use plinto_tenancy::tenants::{self, Tenant};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Says what a string is when it turns up where it should not.
const REFRESH_PREFIX: &str = "plinto_rt_";
/// 256 bits. Source: statement S1.
pub(super) const SECRET_BYTES: usize = 32;
/// Separates this use of the spent token as a key from any other.
const SUCCESSOR_LABEL: &[u8] = b"plinto refresh token successor v1";

/// The software that a session belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client(String);

impl Client {
    /// Reads a client id: 1 to 64 of `A–Z a–z 0–9 . _ ~ -`. Whether the tenant has such a client is
    /// asked where tokens are issued.
    pub fn parse(text: &str) -> Option<Self> {
        tenants::is_client_id(text).then(|| Self(text.to_owned()))
    }

    /// The client id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Client {
    /// The tenant's own first-party client.
    fn default() -> Self {
        Self(tenants::DEFAULT_CLIENT.to_owned())
    }
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevokedReason {
    /// Its user signed out of it.
    SignedOut,
    /// Its user ended it from another session.
    ByUser,
    /// An API key ended it.
    ByApiKey,
    /// An administrator ended it.
    ByAdministrator,
    /// Its client gave a token back. Source: RFC 7009.
    TokenRevoked,
    /// A spent refresh token came again.
    RefreshTokenReused,
    /// The password was changed elsewhere.
    PasswordChanged,
    /// It goes on under another id, in another organization.
    OrganizationSwitched,
    /// All sessions of its user or tenant ended at once: the user was disabled or signed out
    /// everywhere, or somebody with the right ended them.
    AllEnded,
}

impl RevokedReason {
    const ALL: [Self; 9] = [
        Self::SignedOut,
        Self::ByUser,
        Self::ByApiKey,
        Self::ByAdministrator,
        Self::TokenRevoked,
        Self::RefreshTokenReused,
        Self::PasswordChanged,
        Self::OrganizationSwitched,
        Self::AllEnded,
    ];

    /// The text in the table, on the wire and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::ByUser => "by_user",
            Self::ByApiKey => "by_api_key",
            Self::ByAdministrator => "by_administrator",
            Self::TokenRevoked => "token_revoked",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::PasswordChanged => "password_changed",
            Self::OrganizationSwitched => "organization_switched",
            Self::AllEnded => "all_ended",
        }
    }

    /// Reads the text of the table.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// One sign-in of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Where.
    pub tenant: TenantId,
    /// Names the session in tokens (`sid`).
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The organization it acts in.
    pub organization: Option<OrganizationId>,
    /// The software it belongs to.
    pub client_id: String,
    /// The tenant's session epoch when it began.
    pub tenant_epoch: i64,
    /// The user's session epoch when it began.
    pub user_epoch: i64,
    /// How the user proved who they are. Source: RFC 8176.
    pub amr: Vec<String>,
    /// When they last did.
    pub authenticated_at: UnixMillis,
    /// When the session began.
    pub created_at: UnixMillis,
    /// When it was last refreshed.
    pub last_used_at: UnixMillis,
    /// When it ends whatever happens.
    pub expires_at: UnixMillis,
    /// The network address it began from.
    pub ip: Option<String>,
    /// What the software called itself.
    pub user_agent: Option<String>,
    /// Whether its access tokens are for the management API instead of the tenant's own.
    pub is_for_management: bool,
    /// When and why it ended before its time.
    pub revoked: Option<(UnixMillis, RevokedReason)>,
}

impl Session {
    /// Whether the session lives.
    /// `tenant`: its own. `user_state`: its user's, `None` when the user is gone.
    pub fn is_live(&self, tenant: &Tenant, user_state: Option<UserState>, now: UnixMillis) -> bool {
        self.revoked.is_none()
            && now < self.expires_at
            && tenant.is_current_epoch(self.tenant_epoch)
            && user_state.is_some_and(|user_state| user_state.is_current_epoch(self.user_epoch))
    }

    /// Where it stands in a list.
    pub(super) fn position(&self) -> Position {
        Position {
            expires_at: self.expires_at,
            id: self.id.to_string(),
        }
    }

    /// When the session ends if it is not refreshed again, but for `idle_s` seconds.
    pub fn idle_end(&self, idle_s: i64, now: UnixMillis) -> UnixMillis {
        now.plus_seconds(idle_s).min(self.expires_at)
    }

    /// The claims of an access token with these rights. Lives at most as long as the session.
    /// Source: RFC 9068 §2.2.
    pub(super) fn claims(&self, origin: &Origin, jti: TokenId, rights: &Rights) -> AccessToken {
        let end = rights.at.plus_seconds(origin.access_token_s);
        AccessToken {
            iss: origin.issuer.clone(),
            sub: self.user,
            // The issuer is a resource server too: `/t/{tenant}/v1/me` takes the same token.
            aud: Audience::Many(vec![origin.audience.clone(), origin.issuer.clone()]),
            exp: end.min(self.expires_at).to_seconds(),
            iat: rights.at.to_seconds().max(origin.issued_from),
            jti,
            client_id: self.client_id.clone(),
            sid: self.id,
            tenant: self.tenant,
            org: self.organization,
            roles: rights.roles.clone(),
            epoch: rights.token_epoch.try_into().unwrap_or_default(),
            amr: self.amr.clone(),
            auth_time: self.authenticated_at.to_seconds(),
        }
    }
}

/// A place in a list of sessions, which goes by the end that no refresh moves: so those that have
/// ended are all in front, and never looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// When the session there ends.
    pub(super) expires_at: UnixMillis,
    /// Its id; empty: before every session that ends then.
    pub(super) id: String,
}

impl Position {
    /// As a cursor carries it.
    pub(super) fn to_text(&self) -> String {
        format!("{} {}", self.expires_at.0, self.id)
    }

    /// Reads it from a cursor; before everything when there is none.
    pub(super) fn parse(text: &str) -> Self {
        let parts = text.split_once(' ');
        let read = parts.and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())));
        let (at, id) = read.unwrap_or_default();
        Self {
            expires_at: UnixMillis(at),
            id,
        }
    }

    /// The same, but not before the first session that has not ended by `now`.
    pub(super) fn among_the_living(self, now: UnixMillis) -> Self {
        let first = Self {
            expires_at: UnixMillis(now.0.saturating_add(1)),
            id: String::new(),
        };
        self.max(first)
    }
}

/// What a tenant's tokens say of where they come from and whom they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The tenant's issuer URL.
    pub issuer: String,
    /// The API that the session's tokens are for, beside the issuer itself.
    pub audience: String,
    /// Life of an access token, seconds.
    pub access_token_s: i64,
    /// No token says it was issued before: such ones are refused.
    pub issued_from: UnixSeconds,
}

/// What a user's next access token says beyond its session, read in one transaction.
///
/// INVARIANT: the moment and the epoch are read before the roles. A change that commits in between
/// then outdates a token with its own roles, which costs a refresh; the other way round, a token with
/// the old roles would carry the new epoch and outlive the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rights {
    /// When reading began: `iat`.
    pub at: UnixMillis,
    /// The user's token epoch.
    pub token_epoch: i64,
    /// Keys of the roles in the session's organization.
    pub roles: Vec<String>,
}

/// A refresh token: a prefix and 256 bits. Never stored, never printed.
#[derive(Clone)]
pub struct RefreshToken(Zeroizing<[u8; SECRET_BYTES]>);

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RefreshToken(…)")
    }
}

impl RefreshToken {
    /// A first token of a family.
    /// `secret`: 256 random bits.
    pub fn new(secret: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// Reads a token; `None` for what we could not have issued.
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(REFRESH_PREFIX)?;
        let mut secret = Zeroizing::new([0_u8; SECRET_BYTES]);
        let decoded = Base64UrlUnpadded::decode(encoded, secret.as_mut()).ok()?;
        (decoded.len() == SECRET_BYTES).then_some(Self(secret))
    }

    /// The token as its client holds it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(Base64UrlUnpadded::encode_string(self.0.as_ref()));
        Zeroizing::new(format!("{REFRESH_PREFIX}{}", encoded.as_str()))
    }

    /// What the table knows it by: SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.to_text().as_bytes()))
    }

    /// The token that follows this one.
    /// `nonce`: 256 random bits, stored while the grace lasts. Both are needed to make it again.
    #[must_use]
    pub fn successor(&self, nonce: &[u8; SECRET_BYTES]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_ref());
        let mut context = hmac::Context::with_key(&key);
        context.update(SUCCESSOR_LABEL);
        context.update(nonce);
        let mut secret = Zeroizing::new([0_u8; SECRET_BYTES]);
        secret.copy_from_slice(context.sign().as_ref());
        Self(secret)
    }
}

/// A refresh token's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredRefreshToken {
    /// Names the row.
    pub id: RefreshTokenId,
    /// The session, and so the family.
    pub session: SessionId,
    /// When it was issued.
    pub created_at: UnixMillis,
    /// When it ends unused.
    pub expires_at: UnixMillis,
    /// When it was spent.
    pub used_at: Option<UnixMillis>,
    /// What gives the successor once more, together with the token.
    pub successor_nonce: Option<[u8; SECRET_BYTES]>,
}

/// What to do with a refresh token that could not be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondUse {
    /// Give the same successor again.
    Grace([u8; SECRET_BYTES]),
    /// Somebody holds a copy: end the family.
    Reuse,
}

impl StoredRefreshToken {
    /// Judges the second use of a spent token.
    /// `grace_s`: how long the same successor is given again. Whether that successor was itself
    /// used is for the caller to find out.
    pub(super) fn second_use(&self, grace_s: i64, now: UnixMillis) -> SecondUse {
        match (self.used_at, self.successor_nonce) {
            (Some(used_at), Some(nonce)) if now <= used_at.plus_seconds(grace_s) => {
                SecondUse::Grace(nonce)
            }
            _ => SecondUse::Reuse,
        }
    }
}

/// What a client gets.
#[derive(Debug)]
pub struct IssuedTokens {
    /// The session, for the caller's information.
    pub session: Session,
    /// A JWT, `typ: at+jwt`.
    pub access_token: Zeroizing<String>,
    /// Life of the access token in seconds.
    pub expires_in_s: i64,
    /// Opaque.
    pub refresh_token: RefreshToken,
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinto_directory::users::Status;
    use plinto_tenancy::tenants::CreateTenant;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const DAY_S: i64 = 24 * 60 * 60;

    fn session() -> Session {
        Session {
            tenant: TenantId::from_parts(1, [1; 10]),
            id: SessionId::from_parts(2, [2; 10]),
            user: UserId::from_parts(3, [3; 10]),
            organization: None,
            client_id: "plinto".to_owned(),
            tenant_epoch: 2,
            user_epoch: 4,
            amr: vec!["pwd".to_owned()],
            authenticated_at: NOW,
            created_at: NOW,
            last_used_at: NOW,
            expires_at: NOW.plus_seconds(30 * DAY_S),
            ip: None,
            user_agent: None,
            is_for_management: false,
            revoked: None,
        }
    }

    fn tenant(session_epoch: i64) -> Tenant {
        let input = CreateTenant {
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            audience: "api".to_owned(),
            signing_alg: plinto_jose::Algorithm::Es256,
        };
        Tenant {
            session_epoch,
            ..input.into_tenant(TenantId::from_parts(1, [1; 10]), NOW)
        }
    }

    const USER_STATE: Option<UserState> = Some(UserState {
        status: Status::Active,
        session_epoch: 4,
        token_epoch: 6,
    });

    #[test]
    fn a_list_goes_on_where_it_was_and_leaves_out_what_ended_meanwhile() {
        let position = Position {
            expires_at: UnixMillis(50),
            id: "sess_a".to_owned(),
        };
        assert_eq!(Position::parse(&position.to_text()), position);
        assert_eq!(position.clone().among_the_living(UnixMillis(49)), position);
        let first = Position::parse("").among_the_living(UnixMillis(50));
        assert_eq!(first.to_text(), "51 ");
        assert_eq!(position.among_the_living(UnixMillis(50)), first);
    }

    #[test]
    fn a_session_lives_until_one_thing_ends_it() {
        let tenant = tenant(2);
        assert!(session().is_live(&tenant, USER_STATE, NOW));
        assert!(!session().is_live(&tenant, None, NOW));
        assert!(!session().is_live(&tenant, USER_STATE, session().expires_at));
        assert!(!session().is_live(&self::tenant(3), USER_STATE, NOW));
        let moved = Some(UserState {
            session_epoch: 5,
            ..USER_STATE.unwrap()
        });
        assert!(!session().is_live(&tenant, moved, NOW));
        let revoked = Session {
            revoked: Some((NOW, RevokedReason::SignedOut)),
            ..session()
        };
        assert!(!revoked.is_live(&tenant, USER_STATE, NOW));
    }

    fn claims_at(at: UnixMillis, issued_from: UnixSeconds) -> AccessToken {
        let origin = Origin {
            issuer: "https://id.example/t/acme".to_owned(),
            audience: "api".to_owned(),
            access_token_s: 600,
            issued_from,
        };
        let rights = Rights {
            at,
            token_epoch: 6,
            roles: Vec::new(),
        };
        session().claims(&origin, TokenId::from_parts(5, [5; 10]), &rights)
    }

    /// T16: ten minutes, and never beyond the session.
    #[test]
    fn an_access_token_lives_ten_minutes_and_never_beyond_its_session() {
        let claims = claims_at(NOW, UnixSeconds(0));
        assert_eq!(claims.exp.0 - claims.iat.0, 600);
        assert!(claims.aud.contains("api") && claims.aud.contains("https://id.example/t/acme"));
        assert_eq!(claims.epoch, 6);
        let late = session().expires_at.plus_seconds(-60);
        let claims = claims_at(late, UnixSeconds(0));
        assert_eq!(claims.exp.0 - claims.iat.0, 60);
    }

    /// A token made in the second in which all earlier ones were revoked is not one of them.
    #[test]
    fn no_token_says_it_was_issued_before_the_tenants_epoch() {
        let claims = claims_at(NOW.plus_millis(500), NOW.to_seconds().plus_seconds(1));
        assert_eq!(claims.iat, NOW.to_seconds().plus_seconds(1));
        assert_eq!(claims.exp, NOW.to_seconds().plus_seconds(600));
    }

    /// S6: idle time slides, but not past the absolute end.
    #[test]
    fn the_idle_end_slides_up_to_the_absolute_end() {
        assert_eq!(
            session().idle_end(7 * DAY_S, NOW),
            NOW.plus_seconds(7 * DAY_S)
        );
        let late = session().expires_at.plus_seconds(-60);
        assert_eq!(session().idle_end(7 * DAY_S, late), session().expires_at);
    }

    /// S1: 256 bits, and only SHA-256 is kept.
    #[test]
    fn a_refresh_token_reads_back_and_prints_nothing() {
        let token = RefreshToken::new([7; 32]);
        let text = token.to_text();
        assert_eq!(text.len(), "plinto_rt_".len() + 43);
        assert_eq!(RefreshToken::parse(&text).unwrap().hash(), token.hash());
        assert_eq!(token.hash().len(), 64);
        assert_eq!(format!("{token:?}"), "RefreshToken(…)");
        let padded = format!("{}=", text.as_str());
        let cut = text.strip_prefix('p').unwrap();
        for other in ["", "plinto_rt_", "x", padded.as_str(), cut] {
            assert!(RefreshToken::parse(other).is_none(), "{other}");
        }
    }

    /// S8: the same successor from the same two halves, another from any other half.
    #[test]
    fn the_successor_needs_both_the_spent_token_and_the_nonce() {
        let token = RefreshToken::new([7; 32]);
        let successor = token.successor(&[9; 32]).hash();
        assert_eq!(token.successor(&[9; 32]).hash(), successor);
        assert_ne!(token.successor(&[8; 32]).hash(), successor);
        assert_ne!(
            RefreshToken::new([6; 32]).successor(&[9; 32]).hash(),
            successor
        );
        assert_ne!(token.hash(), successor);
    }

    /// S8: ten seconds, and not once the family has moved on.
    #[test]
    fn grace_ends_after_ten_seconds_or_with_the_nonce() {
        let spent = StoredRefreshToken {
            id: RefreshTokenId::from_parts(1, [1; 10]),
            session: SessionId::from_parts(2, [2; 10]),
            created_at: NOW,
            expires_at: NOW.plus_seconds(60),
            used_at: Some(NOW),
            successor_nonce: Some([9; 32]),
        };
        let at = |millis| spent.second_use(10, NOW.plus_millis(millis));
        assert_eq!(at(0), SecondUse::Grace([9; 32]));
        assert_eq!(at(10_000), SecondUse::Grace([9; 32]));
        assert_eq!(at(10_001), SecondUse::Reuse);
        let forgotten = StoredRefreshToken {
            successor_nonce: None,
            ..spent
        };
        assert_eq!(forgotten.second_use(10, NOW), SecondUse::Reuse);
    }

    #[test]
    fn client_ids_are_plain() {
        assert_eq!(Client::default().as_str(), "plinto");
        assert!(Client::parse("web-app_1.2~x").is_some());
        for text in ["", "a b", "a\n", "é", &"x".repeat(65)] {
            assert!(Client::parse(text).is_none(), "{text:?}");
        }
    }
}
