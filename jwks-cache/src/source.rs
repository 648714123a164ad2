//! What an answer must be like before keys are taken from it (T14).

use plinto_jose::{JwkSet, MAX_JWK_SET_BYTES};

/// Why an answer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The answer came from elsewhere.
    #[error("the key set's address redirects")]
    Redirected,
    /// Any status but 200.
    #[error("the issuer answered with status {0}")]
    Status(u16),
    /// More than 64 KiB.
    #[error("the key set is too large")]
    TooLarge,
    /// Not a key set we accept.
    #[error("the key set is not acceptable")]
    KeySet(#[source] plinto_jose::Error),
    /// A set that verifies nothing: it counts as no answer, and what is held stays.
    #[error("none of the key set's {0} keys can be used")]
    NothingUsable(usize),
}

/// The parts of an HTTP answer that matter here.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Whether redirects were followed; fetch with redirects off in the first place.
    pub redirected: bool,
    /// The body; stop reading after 64 KiB.
    pub body: &'a [u8],
}

impl Response<'_> {
    /// The keys, if the answer is one to trust.
    /// Errors: `Redirected`, `Status`, `TooLarge`, `KeySet`, `NothingUsable`.
    pub fn keys(&self) -> Result<JwkSet, SourceError> {
        if self.redirected || (300..400).contains(&self.status) {
            return Err(SourceError::Redirected);
        }
        if self.status != 200 {
            return Err(SourceError::Status(self.status));
        }
        if self.body.len() > MAX_JWK_SET_BYTES {
            return Err(SourceError::TooLarge);
        }
        let set = JwkSet::parse(self.body).map_err(SourceError::KeySet)?;
        if set.keys.iter().any(|key| key.kid.is_some()) {
            Ok(set)
        } else {
            let published = set.keys.len().saturating_add(set.skipped);
            Err(SourceError::NothingUsable(published))
        }
    }
}

/// The freshness a `Cache-Control` header grants, in seconds: `max-age`, 0 for `no-store` and
/// `no-cache`, `None` when it says nothing of use.
/// Source: RFC 9111 §5.2.2.
pub fn max_age_s(cache_control: &str) -> Option<i64> {
    let mut max_age_s = None;
    for directive in cache_control.split(',') {
        let directive = directive.trim().to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Some(0);
        }
        if let Some(value) = directive.strip_prefix("max-age=") {
            // Repeated directives: the shortest, as the cautious reading.
            let value = value.trim_matches('"');
            let digits = Some(value).filter(|value| value.bytes().all(|it| it.is_ascii_digit()));
            let seconds = digits
                .and_then(|digits| digits.parse::<u32>().ok())
                .map(i64::from);
            max_age_s = match (max_age_s, seconds) {
                (Some(known), Some(new)) => Some(new.min(known)),
                (known, new) => new.or(known),
            };
        }
    }
    max_age_s
}
