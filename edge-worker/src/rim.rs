//! What a platform does for the edge, and what passes between the two.

use std::cell::RefMut;

use futures_util::future::LocalBoxFuture;
use jwks_cache::Lease;
use plinto_contract::time::UnixMillis;
use plinto_jose::SignatureJob;

use crate::{
    config::Config,
    document::{Copy, Document},
    keys::KeySet,
    memory::Memory,
};

/// What a platform does for the edge.
pub trait Rim {
    /// What is set from outside.
    fn config(&self) -> &Config;

    /// What is remembered between requests. Never held over a wait.
    fn memory(&self) -> RefMut<'_, Memory>;

    /// Milliseconds since the Unix epoch; in a Worker they move with I/O only.
    fn now(&self) -> UnixMillis;

    /// Resolves after this many milliseconds.
    fn pause(&self, millis: i64) -> impl Future<Output = ()>;

    /// Asks the control plane. Redirects are refused, since the address is pinned (T14).
    /// `etag`: of the copy in hand.
    /// Errors: one line for the log.
    fn fetch(
        &self,
        place: &Place,
        etag: Option<&str>,
        timeout_ms: i64,
    ) -> impl Future<Output = Result<Fetched, String>>;

    /// The data centre's copy. Whatever goes wrong, there is none.
    fn cached(&self, place: &Place) -> impl Future<Output = Option<Copy>>;

    /// Leaves a copy for the data centre. It is a courtesy: failing is not an error.
    fn share(&self, place: &Place, copy: &Copy) -> impl Future<Output = ()>;

    /// Checks one signature.
    fn verify(&self, job: &SignatureJob<'_>) -> impl Future<Output = bool>;

    /// Takes the lease over: begins [`crate::refresh::refresh`] at once and runs it to its end, also when nobody waits
    /// for that end any more.
    fn run(&self, lease: RefreshLease) -> LocalBoxFuture<'static, ()>;

    /// Tells the operator what went wrong.
    fn log(&self, line: &str);
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The document that is fetched from there.
    pub document: Document,
    /// Its pinned address.
    pub url: String,
    /// The body is not read further.
    pub max_bytes: usize,
}

/// What the control plane answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// A document.
    New(Copy),
    /// The one whose `ETag` was sent was still right at this moment.
    NotModified(UnixMillis),
}

/// The right and duty to refresh one document.
#[derive(Debug)]
pub enum RefreshLease {
    /// A set of keys.
    Keys(KeySet, Lease),
    /// The policy or the feed.
    Signed(Document),
}
