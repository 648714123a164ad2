//! What one isolate remembers between requests.

use plinto_contract::{revocation::Feed, time::UnixMillis};

use crate::{
    bundles::Policy,
    config::Config,
    freshness::Use,
    input::Vocabulary,
    keys::{KeySet, Keys, Known},
    revocations::{Reliance, Revocations},
    rim::Copy,
    tokens::Tokens,
};

/// A document the edge gets from the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The keys that sign tokens.
    TokenKeys,
    /// The keys that sign the policy and the revocation feed.
    BundleKeys,
    /// The policy in force.
    Policy,
    /// The revocation feed.
    Revocations,
}

impl Document {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::TokenKeys,
        Self::BundleKeys,
        Self::Policy,
        Self::Revocations,
    ];
}

/// Something per document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerDocument<T>([T; 4]);

impl<T> PerDocument<T> {
    /// That of one document.
    pub const fn get(&self, document: Document) -> &T {
        let [token_keys, bundle_keys, policy, revocations] = &self.0;
        match document {
            Document::TokenKeys => token_keys,
            Document::BundleKeys => bundle_keys,
            Document::Policy => policy,
            Document::Revocations => revocations,
        }
    }

    /// That of one document, to be changed.
    pub const fn get_mut(&mut self, document: Document) -> &mut T {
        let [token_keys, bundle_keys, policy, revocations] = &mut self.0;
        match document {
            Document::TokenKeys => token_keys,
            Document::BundleKeys => bundle_keys,
            Document::Policy => policy,
            Document::Revocations => revocations,
        }
    }
}

/// A few documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Documents(PerDocument<bool>);

impl Documents {
    /// Adds one; says whether it was new.
    pub const fn insert(&mut self, document: Document) -> bool {
        !std::mem::replace(self.0.get_mut(document), true)
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: Self) {
        for document in others.iter() {
            self.insert(document);
        }
    }

    /// These.
    pub fn of(documents: impl Iterator<Item = Document>) -> Self {
        let mut all = Self::default();
        for document in documents {
            all.insert(document);
        }
        all
    }

    /// Whether one is among them.
    pub const fn contains(self, document: Document) -> bool {
        *self.0.get(document)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Document> {
        Document::ALL
            .into_iter()
            .filter(move |document| self.contains(*document))
    }
}

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
    /// Empty.
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

    /// Whether the version of the feed in hand binds another feed. What a key said that is withdrawn, or
    /// published no more, binds nobody: whoever stole it could have named a version that never comes.
    pub fn is_bound(&mut self, feed: &Feed, now: UnixMillis) -> bool {
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
    pub fn drop_signed_by(&mut self, withdrawn: &[String]) {
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
