//! The documents the edge gets from the control plane, and one as it came.

use std::rc::Rc;

use plinto_contract::time::UnixMillis;

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
    /// Every document there is.
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

    /// The set of these documents; one named twice is in it once.
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

/// A document as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The bytes of the answer, unjudged.
    pub body: Rc<Vec<u8>>,
    /// Its version, as the control plane names it.
    pub etag: Option<String>,
    /// The control plane's `Cache-Control`.
    pub cache_control: Option<String>,
    /// When the question left to which this, or "not modified", was the answer; earlier by as much as
    /// the answer said that it is old.
    pub confirmed_at: UnixMillis,
}
