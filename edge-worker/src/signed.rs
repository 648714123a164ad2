//! What the policy and the revocation feed have in common: each is offered signed, and nothing of it is
//! believed before its signature was found right.

use std::error::Error;

use plinto_jose::{Algorithm, Jwk, SignatureJob};

/// A signed document that was read, and whose signature is still to be checked.
pub trait SignedDocument: Sized {
    /// Why it is not taken.
    type Error: Error;

    /// Parses it under limits.
    fn read(body: &[u8]) -> Result<Self, Self::Error>;

    /// The bundle key to look up; a signature without a key id is refused.
    fn kid(&self) -> Option<&str>;

    /// The algorithm it is for.
    fn alg(&self) -> Algorithm;

    /// The check to make with that key.
    /// Errors: the key does not fit the algorithm.
    fn signature_job<'a>(&'a self, key: &'a Jwk) -> Result<SignatureJob<'a>, Self::Error>;
}
