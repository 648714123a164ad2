//! Tokens whose signature was checked a moment ago, so that it is not checked for every request.
//!
//! A hit saves the signature and the parsing, nothing else: the caller still checks expiry, that
//! the key is still published, and the revocation feed (T13).

use std::{collections::HashMap, rc::Rc};

use plinto_contract::{claims::AccessToken, limits::CLOCK_LEEWAY_S, time::UnixMillis};
use plinto_jose::Algorithm;
use plinto_policy::engine::Value;
use sha2::{Digest as _, Sha256};

/// 60 s: longest a signature check is remembered. Source: T13.
const LIFETIME_MS: i64 = 60_000;
/// 1024: tokens of one generation; two are kept, some 4 MiB at most.
const GENERATION: usize = 1_024;

/// Names one token as presented to one verifier: SHA-256 of issuer, audience and the whole token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Source: T13.
    pub fn of(token: &str, issuer: &str, audience: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [issuer, audience, token] {
            hash.update(part.as_bytes());
            // no part can hold a NUL, so no two triples read alike
            hash.update([0]);
        }
        Self(hash.finalize().into())
    }
}

/// What a verified token says, and the policy subject built from it.
#[derive(Debug)]
pub struct VerifiedToken {
    /// What it says, all of it checked.
    pub claims: AccessToken,
    /// The subject of a policy input.
    pub subject: Value,
    /// The key that signed it.
    pub kid: String,
    /// With this algorithm.
    pub alg: Algorithm,
    /// When its signature was checked.
    pub checked_at: UnixMillis,
}

/// The tokens of the last minute, at most two generations of them.
#[derive(Debug, Default)]
pub struct Tokens {
    young: HashMap<Fingerprint, Rc<VerifiedToken>>,
    old: HashMap<Fingerprint, Rc<VerifiedToken>>,
}

impl Tokens {
    /// A token seen before and still good as far as time goes.
    pub fn find(&mut self, fingerprint: Fingerprint, now: UnixMillis) -> Option<Rc<VerifiedToken>> {
        let token = match self.young.get(&fingerprint) {
            Some(token) => Rc::clone(token),
            None => Rc::clone(self.old.get(&fingerprint)?),
        };
        let age = now.millis_since(token.checked_at);
        let expires = token.claims.exp.plus_seconds(CLOCK_LEEWAY_S).to_millis();
        if !(0..LIFETIME_MS).contains(&age) || now >= expires {
            self.forget(fingerprint);
            return None;
        }
        // what is in use stays when the generations change
        if !self.young.contains_key(&fingerprint) {
            self.keep(fingerprint, Rc::clone(&token));
        }
        Some(token)
    }

    /// Remembers a token whose signature was found right.
    pub fn keep(&mut self, fingerprint: Fingerprint, token: Rc<VerifiedToken>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(fingerprint, token);
    }

    /// Drops a token, because its key is gone.
    pub fn forget(&mut self, fingerprint: Fingerprint) {
        self.young.remove(&fingerprint);
        self.old.remove(&fingerprint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{input::Vocabulary, testing};

    fn token(checked_at: UnixMillis) -> Rc<VerifiedToken> {
        let claims = testing::claims();
        Rc::new(VerifiedToken {
            subject: Vocabulary::default().user(&claims),
            claims,
            kid: "k".to_owned(),
            alg: Algorithm::Es256,
            checked_at,
        })
    }

    fn print(number: usize) -> Fingerprint {
        Fingerprint::of(&number.to_string(), "i", "a")
    }

    #[test]
    fn a_fingerprint_covers_token_issuer_and_audience() {
        // T13
        let whole = Fingerprint::of("t", "i", "a");
        for other in [
            Fingerprint::of("t.", "i", "a"),
            Fingerprint::of("t", "j", "a"),
            Fingerprint::of("t", "i", "b"),
            Fingerprint::of("t", "ia", ""),
        ] {
            assert_ne!(whole, other);
        }
    }

    #[test]
    fn a_check_is_remembered_for_a_minute_and_never_past_expiry() {
        // T13
        let mut tokens = Tokens::default();
        let now = testing::now();
        tokens.keep(print(1), token(now));
        assert!(tokens.find(print(1), now.plus_seconds(59)).is_some());
        assert!(tokens.find(print(1), now.plus_seconds(60)).is_none());
        let exp = testing::claims()
            .exp
            .plus_seconds(CLOCK_LEEWAY_S)
            .to_millis();
        tokens.keep(print(2), token(exp.plus_millis(-2)));
        assert!(tokens.find(print(2), exp.plus_millis(-1)).is_some());
        assert!(tokens.find(print(2), exp).is_none());
    }

    #[test]
    fn memory_is_bounded_and_what_is_in_use_stays() {
        let mut tokens = Tokens::default();
        let now = testing::now();
        for number in 0..GENERATION * 5 {
            tokens.keep(print(number), token(now));
            assert!(tokens.find(print(0), now).is_some());
            assert!(tokens.young.len() + tokens.old.len() <= 2 * GENERATION);
        }
        assert!(tokens.find(print(1), now).is_none());
    }
}
