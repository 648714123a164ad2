//! JWT claims and header against what a verifier expects (RFC 7519, RFC 8725).

use serde_json::{Map, Value};

use crate::{Algorithm, Error, Header, json};
#[cfg(any(feature = "rust-crypto", feature = "aws-lc"))]
use crate::{JwkSet, Jws};

/// 30 s: the most clock difference ever granted (T7).
const MAX_LEEWAY_S: i64 = 30;
/// 2^53: the largest integer that all JSON parsers read alike. Source: RFC 8259 §6.
const MAX_NUMERIC_DATE: i64 = 9_007_199_254_740_992;
const MAX_FRACTIONAL_DATE: f64 = 9_007_199_254_740_992.0;

/// What one kind of token must say to be accepted by one verifier.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The `typ` of this kind, as [`Header::is_of`] takes it.
    pub typ: &'a str,
    /// The issuer whose keys are used.
    pub issuer: &'a str,
    /// This service's name among the audiences.
    pub audience: &'a str,
    /// The algorithms accepted from this issuer.
    pub algorithms: &'a [Algorithm],
    /// Clock difference granted, in seconds; values outside 0 to 30 count as the nearer bound.
    pub leeway_s: i64,
}

/// Checks algorithm and `typ` against the allow-list.
/// Errors: `Algorithm`, `Type`.
/// Source: RFC 8725 §3.1 and §3.11.
pub fn check_header(header: &Header, expected: &Expectations<'_>) -> Result<(), Error> {
    if !expected.algorithms.contains(&header.alg) {
        return Err(Error::Algorithm);
    }
    if header.is_of(expected.typ) {
        Ok(())
    } else {
        Err(Error::Type)
    }
}

/// Parses the claims set and checks `iss`, `aud`, `exp`, `nbf` and `iat`.
/// `now_s`: seconds since the epoch.
/// Errors: those of [`json::parse_object`]; `Claim`, `Issuer`, `Audience`, `Expired`,
/// `NotYetValid`.
/// Source: RFC 7519 §4.1, RFC 8725 §3.8 and §3.9.
pub fn check_claims(
    payload: &[u8],
    expected: &Expectations<'_>,
    now_s: i64,
) -> Result<Map<String, Value>, Error> {
    let claims = json::parse_object(payload)?;
    check_issuer(&claims, expected.issuer)?;
    check_audience(&claims, expected.audience)?;
    check_times(&claims, expected.leeway_s.clamp(0, MAX_LEEWAY_S), now_s)?;
    Ok(claims)
}

/// The issuer that a claims set names, to tell people of whom a token is when it is not of the one
/// expected. Nobody has verified it. `None` unless it is 1 to 200 printable ASCII characters without
/// quotes, so that it may be shown and logged.
pub fn claimed_issuer(payload: &[u8]) -> Option<String> {
    let claims = json::parse_object(payload).ok()?;
    let issuer = claims.get("iss")?.as_str()?;
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'`' | b'\\');
    let is_shown = (1..=200).contains(&issuer.len()) && issuer.bytes().all(is_plain);
    is_shown.then(|| issuer.to_owned())
}

/// Parses a token, picks its key, checks header, signature and claims, in this order.
/// `now_s`: seconds since the epoch.
/// Errors: any but those of keys and signing.
#[cfg(any(feature = "rust-crypto", feature = "aws-lc"))]
pub fn verify(
    compact: &str,
    keys: &JwkSet,
    expected: &Expectations<'_>,
    now_s: i64,
) -> Result<Map<String, Value>, Error> {
    let jws = Jws::parse(compact)?;
    check_header(&jws.header, expected)?;
    let key = keys.select(&jws.header)?;
    crate::verify::verify(&jws.signature_job(key)?)?;
    check_claims(&jws.payload, expected, now_s)
}

fn check_issuer(claims: &Map<String, Value>, issuer: &str) -> Result<(), Error> {
    let claimed = claims.get("iss").ok_or(Error::Claim)?;
    let claimed = claimed.as_str().ok_or(Error::Claim)?;
    if claimed == issuer {
        Ok(())
    } else {
        Err(Error::Issuer)
    }
}

fn check_audience(claims: &Map<String, Value>, audience: &str) -> Result<(), Error> {
    let found = match claims.get("aud").ok_or(Error::Claim)? {
        Value::String(one) => one == audience,
        Value::Array(many) => {
            if !many.iter().all(Value::is_string) {
                return Err(Error::Claim);
            }
            many.iter().any(|one| one == audience)
        }
        _ => return Err(Error::Claim),
    };
    if found { Ok(()) } else { Err(Error::Audience) }
}

fn check_times(claims: &Map<String, Value>, leeway_s: i64, now_s: i64) -> Result<(), Error> {
    let exp = numeric_date(claims, "exp")?.ok_or(Error::Claim)?;
    let nbf = numeric_date(claims, "nbf")?;
    let iat = numeric_date(claims, "iat")?;
    if now_s >= exp.floor.saturating_add(leeway_s) {
        return Err(Error::Expired);
    }
    let is_ahead = |date: NumericDate| now_s.saturating_add(leeway_s) < date.ceil;
    if nbf.is_some_and(is_ahead) || iat.is_some_and(is_ahead) {
        return Err(Error::NotYetValid);
    }
    Ok(())
}

/// The whole seconds around a moment, one twice where it has no fraction. The clock counts whole
/// seconds, so a token ends with the second its `exp` lies in, and begins after that of its `nbf`.
#[derive(Clone, Copy)]
struct NumericDate {
    floor: i64,
    ceil: i64,
}

/// A number of seconds from 0 to 2^53, perhaps with a fraction; strings are refused.
/// Source: RFC 7519 §2.
fn numeric_date(claims: &Map<String, Value>, name: &str) -> Result<Option<NumericDate>, Error> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    if let Some(seconds) = value.as_i64() {
        return (0..=MAX_NUMERIC_DATE)
            .contains(&seconds)
            .then_some(Some(NumericDate {
                floor: seconds,
                ceil: seconds,
            }))
            .ok_or(Error::Claim);
    }
    value
        .as_f64()
        .filter(|seconds| seconds.is_sign_positive() && *seconds < MAX_FRACTIONAL_DATE)
        .map(|seconds| {
            Some(NumericDate {
                floor: whole(seconds.floor()),
                ceil: whole(seconds.ceil()),
            })
        })
        .ok_or(Error::Claim)
}

fn whole(seconds: f64) -> i64 {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "a whole number of at most 2^53"
    )]
    let seconds = seconds as i64;
    seconds
}
