//! Certificates, read. Source: RFC 5280 §4.1; what is accepted as in Go, `x509.ParseCertificate`.

use super::{
    algorithm::{SignatureAlgorithm, public_key_algorithm, signature_algorithm},
    extensions::{Extension, Extensions},
    name::{self, Attribute},
};
use crate::builtins::{
    crypto::{
        der::{Reader, tag},
        keys::{self, Algorithm, PublicKey},
    },
    time::seconds_since_1970,
};

/// A moment, with the zone in which it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since 1970.
    pub(super) seconds: i64,
    /// East of UTC.
    pub(super) offset: i64,
}

#[derive(Debug)]
pub(super) struct Certificate<'a> {
    pub(super) raw: &'a [u8],
    pub(super) to_be_signed: &'a [u8],
    pub(super) version: i64,
    pub(super) serial: &'a [u8],
    pub(super) signature_algorithm: SignatureAlgorithm,
    pub(super) raw_issuer: &'a [u8],
    pub(super) issuer: Vec<Attribute<'a>>,
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
    pub(super) raw_subject: &'a [u8],
    pub(super) subject: Vec<Attribute<'a>>,
    pub(super) key: SubjectKey<'a>,
    pub(super) raw_extensions: Vec<Extension<'a>>,
    pub(super) extensions: Extensions<'a>,
    pub(super) signature: Vec<u8>,
}

/// The key that is certified.
#[derive(Debug)]
pub(super) struct SubjectKey<'a> {
    pub(super) raw: &'a [u8],
    /// Go's `x509.PublicKeyAlgorithm`.
    pub(super) algorithm: i64,
    /// `None`: of an algorithm that is not known.
    pub(super) key: Option<PublicKey>,
}

/// One certificate after the other. `None`: one of them is none.
pub(super) fn parse_all(der: &[u8]) -> Option<Vec<Certificate<'_>>> {
    let mut rest = Reader(der);
    let mut certificates = Vec::new();
    while !rest.is_empty() {
        certificates.push(Certificate::parse(rest.element(tag::SEQUENCE)?.whole)?);
    }
    Some(certificates)
}

impl<'a> Certificate<'a> {
    /// The certificate that is all of `der`.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(der);
        let mut input = outer.sequence().filter(|_| outer.is_empty())?;
        let to_be_signed = input.element(tag::SEQUENCE)?;
        let mut inner = Reader(to_be_signed.content);
        let version = match inner.optional(tag::constructed(0)).ok()? {
            Some(mut version) => version.small().filter(|_| version.is_empty())?,
            None => 0,
        };
        if !(0..=2).contains(&version) {
            return None;
        }
        let serial = inner.unsigned()?;
        let signed_with = inner.sequence()?;
        if input.sequence()? != signed_with {
            return None;
        }
        let signature_algorithm = signature_algorithm(&Algorithm::read(signed_with)?);
        let raw_issuer = inner.element(tag::SEQUENCE)?.whole;
        let mut validity = inner.sequence()?;
        let not_before = moment(&mut validity)?;
        let not_after = moment(&mut validity)?;
        let raw_subject = inner.element(tag::SEQUENCE)?.whole;
        let key = SubjectKey::read(inner.element(tag::SEQUENCE)?.whole)?;
        let raw_extensions = extensions_of(version, &mut inner)?;
        let (bits, unused) = input.bits()?;
        Some(Self {
            raw: der,
            to_be_signed: to_be_signed.whole,
            version: version.saturating_add(1),
            serial,
            signature_algorithm,
            raw_issuer,
            issuer: name::parse(raw_issuer)?,
            not_before,
            not_after,
            raw_subject,
            subject: name::parse(raw_subject)?,
            key,
            extensions: Extensions::parse(&raw_extensions)?,
            raw_extensions,
            signature: right_aligned(bits, unused),
        })
    }
}

fn extensions_of<'a>(version: i64, inner: &mut Reader<'a>) -> Option<Vec<Extension<'a>>> {
    if version > 0 {
        inner.optional(tag::primitive(1)).ok()?;
        inner.optional(tag::primitive(2)).ok()?;
    }
    if version < 2 {
        return Some(Vec::new());
    }
    match inner.optional(tag::constructed(3)).ok()? {
        Some(mut outer) => Extension::list(outer.sequence()?),
        None => Some(Vec::new()),
    }
}

impl<'a> SubjectKey<'a> {
    /// A `SubjectPublicKeyInfo`.
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        let mut info = Reader(raw).sequence()?;
        let identifier = Algorithm::read(info.sequence()?)?;
        let (bits, unused) = info.bits()?;
        let algorithm = public_key_algorithm(identifier.oid);
        let key = if algorithm == 0 {
            None
        } else {
            Some(keys::public_key_of(
                &identifier,
                &right_aligned(bits, unused),
            )?)
        };
        Some(Self {
            raw,
            algorithm,
            key,
        })
    }
}

/// The bits moved to the end of their bytes.
pub(super) fn right_aligned(bytes: &[u8], unused: u8) -> Vec<u8> {
    let mut carry = 0_u16;
    let shift = |byte: &u8| {
        let wide = carry.wrapping_shl(8) | u16::from(*byte);
        carry = u16::from(*byte);
        let [_, low] = wide.wrapping_shr(u32::from(unused)).to_be_bytes();
        low
    };
    bytes.iter().map(shift).collect()
}

/// A `Time`, in a form that is the only one for that moment.
fn moment(reader: &mut Reader<'_>) -> Option<Moment> {
    let element = reader.any()?;
    let text = std::str::from_utf8(element.content).ok()?;
    match element.tag {
        tag::UTC_TIME => {
            let (year, rest) = number(text, 2)?;
            // Source: RFC 5280 §4.1.2.5.1.
            let century = if year >= 50 { 1900 } else { 2000 };
            rest_of_moment(year.checked_add(century)?, rest, true)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = number(text, 4)?;
            rest_of_moment(year, rest, false)
        }
        _ => None,
    }
}

/// What follows the year. `may_end`: seconds may be missing.
fn rest_of_moment(year: i64, text: &str, may_end: bool) -> Option<Moment> {
    let (month, text) = number(text, 2)?;
    let (day, text) = number(text, 2)?;
    let (hour, text) = number(text, 2)?;
    let (minute, text) = number(text, 2)?;
    let (second, text) = match number(text, 2) {
        Some(second) => second,
        None if may_end => (0, text),
        None => return None,
    };
    let offset = match text.split_at_checked(1)? {
        ("Z", "") => 0,
        (sign @ ("+" | "-"), text) => {
            let (hours, text) = number(text, 2)?;
            let (minutes, text) = number(text, 2)?;
            let seconds = hours
                .checked_mul(60)?
                .checked_add(minutes)?
                .checked_mul(60)?;
            if !text.is_empty() || hours > 24 || minutes > 59 || seconds == 0 {
                return None;
            }
            seconds.checked_mul(if sign == "-" { -1 } else { 1 })?
        }
        _ => return None,
    };
    let local = seconds_since_1970([year, month, day, hour, minute, second])?;
    Some(Moment {
        seconds: local.checked_sub(offset)?,
        offset,
    })
}

fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Some((number.parse().ok()?, rest)))?
}
