//! What a signing key is and how it ages.

use std::str::FromStr;

use plinto_contract::{
    ids::{SigningKeyId, TenantId},
    limits::{BUNDLE_LIFETIME_S, CLOCK_LEEWAY_S},
    time::UnixMillis,
};
use plinto_jose::{Algorithm, Jwk};

/// 60 s: other instances of the control plane may still sign with a key that has just been
/// succeeded, for as long as they keep it decrypted.
pub(super) const CACHE_TTL_S: u64 = 60;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$word_doc])* $variant,)+ }

        impl $name {
            /// The word in the table and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
    };
}

words! {
    /// What a key signs.
    Purpose {
        /// Access tokens.
        Token = "token",
        /// Policy bundles and revocation feeds.
        Bundle = "bundle",
    }
}

words! {
    /// Where a key stands in its life.
    State {
        /// Published, does not sign yet.
        Next = "next",
        /// Published, and the only one that signs.
        Active = "active",
        /// Published while what it signed lives.
        Retiring = "retiring",
        /// Gone from the published set in its time; its private part is erased.
        Retired = "retired",
        /// Ended before its time: gone from the published set, its private part erased, and what it
        /// signed is refused.
        Withdrawn = "withdrawn",
    }
}

impl Purpose {
    /// Every purpose; a tenant has keys for each.
    pub const ALL: [Self; 2] = [Self::Token, Self::Bundle];

    /// What keys of this purpose sign with.
    pub const fn algorithm(self, token_algorithm: Algorithm) -> Algorithm {
        match self {
            Self::Token => token_algorithm,
            Self::Bundle => Algorithm::Es256,
        }
    }

    /// How long after its last signature a key must stay published, seconds.
    pub fn lifetime_s(self, access_token_s: i64, bundle_s: i64) -> i64 {
        let signed = match self {
            Self::Token => access_token_s,
            // Bundles in the hands of an edge are checked once, when they come in; the worker
            // signs the active one anew after a rotation. Until then it must still verify.
            Self::Bundle => bundle_s.min(BUNDLE_LIFETIME_S),
        };
        let cached = i64::try_from(CACHE_TTL_S).unwrap_or(i64::MAX);
        signed.saturating_add(CLOCK_LEEWAY_S).saturating_add(cached)
    }
}

/// A key as it stands in the table, without its private part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// Names it in the API; tokens name its `kid`.
    pub id: SigningKeyId,
    /// The tenant that alone signs with it.
    pub tenant: TenantId,
    /// What it signs.
    pub purpose: Purpose,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Its thumbprint (RFC 7638), by which verifiers find it.
    pub kid: String,
    /// Its public half.
    pub public: Jwk,
    /// Where it stands in its life.
    pub state: State,
    /// When it was made, and published.
    pub created_at: UnixMillis,
    /// From here on every cache of the published set contains it.
    pub usable_at: UnixMillis,
    /// When it began to sign.
    pub activated_at: Option<UnixMillis>,
    /// When what it signed has run out.
    pub retires_at: Option<UnixMillis>,
    /// When it was ended before its time.
    pub withdrawn_at: Option<UnixMillis>,
}

impl SigningKeyRecord {
    /// Seconds until the key may sign; `None` when it may.
    pub fn wait_s(&self, now: UnixMillis) -> Option<i64> {
        let left = self.usable_at.millis_since(now);
        (left > 0).then(|| left.saturating_add(999) / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_published_longer_than_anything_it_signed() {
        assert!(Purpose::Token.lifetime_s(600, 0) >= 600 + 30 + 60);
        assert!(Purpose::Bundle.lifetime_s(600, 3_600) >= 3_600);
    }

    #[test]
    fn words_read_back() {
        for state in [
            State::Next,
            State::Active,
            State::Retiring,
            State::Retired,
            State::Withdrawn,
        ] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
    }
}
