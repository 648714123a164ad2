//! JWT claims and header against what a verifier expects (RFC 7519, RFC 8725).

use serde_json::{Map, Value};

use crate::{Algorithm, Error, Header, json};
#[cfg(any(feature = "rust-crypto", feature = "aws-lc"))]
use crate::{JwkSet, Jws};

/// 30 s: the most clock difference ever granted (T7).
const MAX_LEEWAY_S: i64 = 30;
/// 2^53: the largest integer that all JSON parsers read alike. Source: RFC 8259 §6.
const MAX_NUMERIC_DATE: i64 = 9_007_199_254_740_992;

/// What one kind of token must say to be accepted by one verifier.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// The `typ` of this kind, such as `at+jwt`; `application/at+jwt` says the same.
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
    let typ = header.typ.as_deref().ok_or(Error::Type)?;
    if typ.strip_prefix("application/").unwrap_or(typ) == expected.typ {
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
    numeric_date(claims, "iat")?;
    if now_s >= exp.saturating_add(leeway_s) {
        return Err(Error::Expired);
    }
    if nbf.is_some_and(|nbf| now_s.saturating_add(leeway_s) < nbf) {
        return Err(Error::NotYetValid);
    }
    Ok(())
}

/// A whole, non-negative number of seconds; strings, fractions and exponents are refused.
fn numeric_date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Error> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    value
        .as_i64()
        .filter(|seconds| (0..=MAX_NUMERIC_DATE).contains(seconds))
        .map(Some)
        .ok_or(Error::Claim)
}
