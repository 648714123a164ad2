//! What ended before its token did, as the control plane last told.

use std::collections::{BTreeMap, HashSet};

use plinto_contract::{
    claims::AccessToken,
    ids::{SessionId, UserId},
    limits::{CLOCK_LEEWAY_S, FEED_PERIOD_S},
    revocation::{Feed, TYP_REVOCATIONS},
    time::{UnixMillis, UnixSeconds},
};
use plinto_jose::{Algorithm, Error as JoseError, Jwk, Jws, SignatureJob};

use crate::{
    config::{Config, OnStale},
    freshness::{Freshness, Use},
    signed::SignedDocument,
};

/// 4 MiB: some 100,000 revoked sessions, far more than end in ten minutes.
pub(crate) const FEED_BYTES: usize = 4 * 1024 * 1024;

/// Why an offered feed was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Bytes that are no text.
    #[error("the revocation feed is not text")]
    Text,
    /// Not a signed document of this kind.
    #[error("the revocation feed is not a signed one: {0}")]
    Jws(#[from] JoseError),
    /// Signed, but of another type.
    #[error("the document is not a revocation feed")]
    Type,
    /// Signed, but not of the feed's shape.
    #[error("the revocation feed is malformed")]
    Shape,
    /// Another tenant's or issuer's.
    #[error("the revocation feed is another tenant's")]
    Tenant,
    /// Past its expiry, or from the future.
    #[error("the revocation feed is not valid at this time")]
    Time,
    /// Older than the one in hand.
    #[error("the revocation feed is older than the one in hand")]
    Older,
    /// Of the version in hand, but it says something else: nobody can say which is true.
    #[error("the revocation feed says something else under the version in hand")]
    Changed,
}

/// 10 s: how far behind the edge's clock the control plane's may be before "not modified" is doubted.
const BEHIND_S: i64 = 10;

#[derive(Debug)]
struct Known {
    /// The key that signed it.
    kid: String,
    alg: Algorithm,
    version: u64,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
    issued_before: UnixSeconds,
    outdated_before: UnixSeconds,
    sessions: HashSet<SessionId>,
    subjects: BTreeMap<UserId, u64>,
    outdated: BTreeMap<UserId, u64>,
    withdrawn_keys: HashSet<String>,
}

/// Why a token is void before it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Void {
    /// Its session has ended: alone, with all of its user's, or with all of the tenant's.
    Ended,
    /// Its session goes on, but what the token says of its user is true no more: a refresh helps.
    Outdated,
    /// The key that signed it was withdrawn: whose token it is, nobody can say. Who has a session
    /// refreshes.
    KeyWithdrawn,
}

/// How far the feed can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliance {
    /// Use it; `is_due` asks for a refresh behind the request.
    Good {
        /// Whether it should be refreshed.
        is_due: bool,
    },
    /// Older than the bound: a request waits for a refresh first.
    Wait,
    /// Past the hard limit, and the configuration lets such requests pass, flagged.
    Flagged,
    /// Past the hard limit, or never had: nobody can say who is revoked.
    Unknown,
}

/// The feed in hand and how fresh it is.
#[derive(Debug, Default)]
pub struct Revocations {
    known: Option<Known>,
    /// When the control plane was last asked.
    pub freshness: Freshness,
}

impl Revocations {
    /// How far the feed can be relied on at `now`.
    /// `has_waited`: whether this request waited for a refresh already.
    pub fn reliance(&self, config: &Config, has_waited: bool, now: UnixMillis) -> Reliance {
        let age = self.freshness.age_ms(now).filter(|_| self.known.is_some());
        // the hard limit comes first, whatever else is set
        let hard_limit_ms = config.revocation_hard_limit_ms;
        let is_within = age.is_some_and(|age| age < hard_limit_ms);
        // flagging needs a feed at all: a cold edge lets nobody pass
        let is_flagged = self.known.is_some() && config.on_stale == OnStale::Allow;
        let bound_ms = config.revocation_max_age_ms.min(hard_limit_ms);
        let usage = self.freshness.judge(bound_ms, now);
        let should_wait = match usage {
            Use::Wait => true,
            Use::Retry => !is_within && !is_flagged,
            Use::Fresh | Use::Behind | Use::Overdue => false,
        };
        if should_wait && !has_waited {
            Reliance::Wait
        } else if is_within {
            Reliance::Good {
                is_due: usage != Use::Fresh,
            }
        } else if is_flagged {
            Reliance::Flagged
        } else {
            Reliance::Unknown
        }
    }

    /// Why the feed voids this token, if it does.
    /// `kid`: the key that signed it.
    pub fn voids(&self, claims: &AccessToken, kid: &str) -> Option<Void> {
        let known = self.known.as_ref()?;
        if known.withdrawn_keys.contains(kid) {
            return Some(Void::KeyWithdrawn);
        }
        let is_earlier = |epochs: &BTreeMap<UserId, u64>| {
            epochs
                .get(&claims.sub)
                .is_some_and(|least| claims.epoch < *least)
        };
        if claims.iat < known.issued_before
            || known.sessions.contains(&claims.sid)
            || is_earlier(&known.subjects)
        {
            Some(Void::Ended)
        } else if claims.iat < known.outdated_before || is_earlier(&known.outdated) {
            Some(Void::Outdated)
        } else {
            None
        }
    }

    /// Whether the feed names a key as withdrawn.
    pub fn is_withdrawn(&self, kid: &str) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.withdrawn_keys.contains(kid))
    }

    /// The key that signed the feed in hand.
    pub fn signer(&self) -> Option<(&str, Algorithm)> {
        let known = self.known.as_ref()?;
        Some((&known.kid, known.alg))
    }

    /// The version in hand.
    pub fn version(&self) -> Option<u64> {
        self.known.as_ref().map(|known| known.version)
    }

    /// The latest moment at which an honest control plane can have confirmed the feed in hand: it signs
    /// anew in each period. What a cache calls "not modified" later than that confirms nothing, or the
    /// hard limit would begin anew with every such answer.
    pub fn confirmed_at_most(&self) -> Option<UnixMillis> {
        let issued_at = self.known.as_ref()?.issued_at;
        Some(issued_at.plus_seconds(FEED_PERIOD_S + BEHIND_S).to_millis())
    }

    /// Takes over what a feed says, whose signature was found right.
    /// `is_bound`: whether the version in hand binds it.
    /// Errors: `Older`, `Changed`.
    pub fn accept(
        &mut self,
        signed: SignedFeed,
        feed: Feed,
        is_bound: bool,
    ) -> Result<(), FeedError> {
        let header = signed.0.header;
        let offered = Known {
            alg: header.alg,
            kid: header.kid.unwrap_or_default(),
            version: feed.version,
            issued_at: feed.iat,
            expires_at: feed.exp,
            issued_before: feed.issued_before,
            outdated_before: feed.outdated_before,
            sessions: feed.sessions.into_iter().collect(),
            subjects: feed.subjects,
            outdated: feed.outdated,
            withdrawn_keys: feed.withdrawn_keys.into_iter().collect(),
        };
        if let Some(known) = self.known.as_ref().filter(|_| is_bound) {
            if offered.version < known.version {
                return Err(FeedError::Older);
            }
            if offered.version == known.version && !offered.says_what(known) {
                return Err(FeedError::Changed);
            }
        }
        self.known = Some(offered);
        Ok(())
    }

    /// Whether the feed in hand would be accepted again. If not, "not modified" and the same bytes
    /// once more are a replay: an honest control plane signs anew in time. How long the feed is
    /// relied on when nobody answers is the hard limit's business, not its expiry's.
    pub fn is_acceptable(&self, now: UnixMillis) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| now.to_seconds() < known.expires_at)
    }
}

/// An offered feed whose signature is still to be checked.
#[derive(Debug)]
pub struct SignedFeed(Jws);

impl SignedDocument for SignedFeed {
    type Error = FeedError;

    /// Errors: `Text`, `Jws`, `Type`.
    fn read(body: &[u8]) -> Result<Self, FeedError> {
        let compact = str::from_utf8(body)
            .map_err(|_| FeedError::Text)?
            .trim_end();
        let jws = Jws::parse_within(compact, FEED_BYTES)?;
        if jws.header.is_of(TYP_REVOCATIONS) {
            Ok(Self(jws))
        } else {
            Err(FeedError::Type)
        }
    }

    fn kid(&self) -> Option<&str> {
        self.0.header.kid.as_deref()
    }

    fn alg(&self) -> Algorithm {
        self.0.header.alg
    }

    fn signature_job<'a>(&'a self, key: &'a Jwk) -> Result<SignatureJob<'a>, FeedError> {
        Ok(self.0.signature_job(key)?)
    }
}

impl SignedFeed {
    /// What it says. Call it only after its signature was found right.
    /// Errors: `Shape`, `Tenant`, `Time`.
    pub fn feed(&self, config: &Config, now: UnixMillis) -> Result<Feed, FeedError> {
        let feed: Feed = serde_json::from_slice(&self.0.payload).map_err(|_| FeedError::Shape)?;
        if feed.tenant != config.tenant || feed.iss != config.issuer {
            return Err(FeedError::Tenant);
        }
        let now_s = now.to_seconds();
        if feed.exp <= now_s || feed.iat > now_s.plus_seconds(CLOCK_LEEWAY_S) {
            return Err(FeedError::Time);
        }
        Ok(feed)
    }
}

impl Known {
    fn says_what(&self, other: &Self) -> bool {
        self.issued_before == other.issued_before
            && self.outdated_before == other.outdated_before
            && self.sessions == other.sessions
            && self.subjects == other.subjects
            && self.outdated == other.outdated
            && self.withdrawn_keys == other.withdrawn_keys
    }
}
