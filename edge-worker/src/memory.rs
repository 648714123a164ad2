//! What one isolate remembers between requests.

use plinto_contract::{revocation::Feed, time::UnixMillis};

use crate::{
    bundles::{BundleError, Policy, SignedBundle},
    config::Config,
    document::{Copy, Document, Documents, PerDocument},
    freshness::Use,
    input::Vocabulary,
    keys::{KeySet, Keys, Known},
    revocations::{FeedError, Reliance, Revocations, SignedFeed},
    tokens::Tokens,
};

/// What there is to refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// Before anything is decided.
    pub wait: Documents,
    /// Behind the answer.
    pub behind: Documents,
}

/// Keys, policy, revocations and verified tokens. It holds no promise and no request's state, so
/// any request may read and write it between two of its own waits.
#[derive(Debug)]
pub struct Memory {
    /// The key sets.
    pub keys: Keys,
    /// The policy in force.
    pub policy: Policy,
    /// The revocation feed.
    pub revocations: Revocations,
    /// Tokens verified in the last minute.
    pub tokens: Tokens,
    /// Member names of policy inputs.
    pub vocabulary: Vocabulary,
    /// The documents that were accepted last, as they came.
    pub held: PerDocument<Option<Copy>>,
}

impl Memory {
    /// Nothing is known yet: the first request waits for every document it needs.
    pub fn new(config: &Config) -> Self {
        Self {
            keys: Keys::new(config),
            policy: Policy::default(),
            revocations: Revocations::default(),
            tokens: Tokens::default(),
            vocabulary: Vocabulary::default(),
            held: PerDocument::default(),
        }
    }

    /// What of the policy and, for a token, of the revocation feed is due; and the keys that sign
    /// them, when they would have to be fetched then.
    pub fn due(&self, config: &Config, has_token: bool, now: UnixMillis) -> Due {
        let mut due = Due::default();
        let is_usable = || {
            self.policy
                .latest()
                .is_some_and(|latest| latest.is_valid(now))
        };
        match self.policy.freshness.judge(config.policy_max_age_ms, now) {
            Use::Fresh | Use::Overdue => {}
            Use::Retry if !is_usable() => {
                due.wait.insert(Document::Policy);
            }
            Use::Wait => {
                due.wait.insert(Document::Policy);
            }
            Use::Behind | Use::Retry => {
                due.behind.insert(Document::Policy);
            }
        }
        if has_token {
            match self.revocations.reliance(config, false, now) {
                Reliance::Wait => {
                    due.wait.insert(Document::Revocations);
                }
                Reliance::Good { is_due: true } | Reliance::Flagged => {
                    due.behind.insert(Document::Revocations);
                }
                Reliance::Good { is_due: false } | Reliance::Unknown => {}
            }
        }
        if !due.wait.is_empty() && self.keys.age_ms(KeySet::Bundle, now).is_none() {
            due.wait.insert(Document::BundleKeys);
        }
        due
    }

    /// Takes a bundle over. Call it only after its signature was found right.
    /// Errors: what it says is not acceptable; the old one stays.
    pub fn accept_bundle(
        &mut self,
        bundle: SignedBundle,
        config: &Config,
        now: UnixMillis,
    ) -> Result<(), BundleError> {
        self.policy.accept(bundle, config, now)
    }

    /// Takes a feed over, and drops what was signed by the keys that it withdraws. Call it only after its
    /// signature was found right.
    /// Errors: what it says is not acceptable; the old one stays.
    pub fn accept_feed(
        &mut self,
        signed: SignedFeed,
        config: &Config,
        now: UnixMillis,
    ) -> Result<(), FeedError> {
        let feed = signed.feed(config, now)?;
        let is_bound = self.is_bound(&feed, now);
        let withdrawn = feed.withdrawn_keys.clone();
        self.revocations.accept(signed, feed, is_bound)?;
        self.drop_signed_by(&withdrawn);
        Ok(())
    }

    /// Whether the version of the feed in hand binds another feed. What a key said that is withdrawn, or
    /// published no more, binds nobody: whoever stole it could have named a version that never comes.
    fn is_bound(&mut self, feed: &Feed, now: UnixMillis) -> bool {
        let Some((kid, alg)) = self.revocations.signer() else {
            return false;
        };
        !feed.withdrawn_keys.iter().any(|withdrawn| withdrawn == kid)
            && self.keys.find(KeySet::Bundle, kid, alg, now) != Known::Unknown
    }

    /// Whether what this key signs is refused, though a published set in hand may hold it.
    pub fn is_withdrawn(&mut self, kid: &str, now: UnixMillis) -> bool {
        self.revocations.is_withdrawn(kid)
            && self.revocations.signer().is_some_and(|(kid, alg)| {
                self.keys.find(KeySet::Bundle, kid, alg, now) != Known::Unknown
            })
    }

    /// Drops the policy if one of these keys signed it, and with it the sequence that binds the next one.
    fn drop_signed_by(&mut self, withdrawn: &[String]) {
        let is_gone = self
            .policy
            .latest()
            .is_some_and(|policy| withdrawn.contains(&policy.kid));
        if is_gone {
            self.policy = Policy::default();
            *self.held.get_mut(Document::Policy) = None;
        }
    }

    /// Whether somebody is fetching a document right now.
    pub fn is_refreshing(&self, document: Document, now: UnixMillis) -> bool {
        match document {
            Document::TokenKeys => self.keys.is_refreshing(KeySet::Token, now),
            Document::BundleKeys => self.keys.is_refreshing(KeySet::Bundle, now),
            Document::Policy => self.policy.freshness.is_leased(now),
            Document::Revocations => self.revocations.freshness.is_leased(now),
        }
    }
}
