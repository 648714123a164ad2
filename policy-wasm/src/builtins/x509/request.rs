//! Requests for certificates, read. Source: RFC 2986; what is accepted as in Go,
//! `x509.ParseCertificateRequest`.

use super::{
    algorithm::{SignatureAlgorithm, signature_algorithm},
    certificate::{SubjectKey, right_aligned},
    extensions::{AlternativeNames, Extension, SUBJECT_ALT_NAME},
    name::{self, Attribute},
};
use crate::builtins::crypto::{
    der::{Broken, Element, Reader, tag},
    keys::Algorithm,
};

/// `extensionRequest`
const EXTENSIONS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];

#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) raw: &'a [u8],
    pub(super) to_be_signed: &'a [u8],
    pub(super) raw_subject: &'a [u8],
    pub(super) version: i64,
    pub(super) subject: Vec<Attribute<'a>>,
    pub(super) key: SubjectKey<'a>,
    pub(super) attributes: Vec<Requested<'a>>,
    pub(super) extensions: Vec<Extension<'a>>,
    pub(super) names: AlternativeNames<'a>,
    pub(super) signature_algorithm: SignatureAlgorithm,
    pub(super) signature: Vec<u8>,
}

/// An attribute whose values are lists of pairs; Go passes over all others.
#[derive(Debug)]
pub(super) struct Requested<'a> {
    pub(super) oid: &'a [u8],
    pub(super) values: Vec<Vec<Pair<'a>>>,
}

/// An identifier and what follows it.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) oid: &'a [u8],
    pub(super) value: Element<'a>,
}

impl<'a> Request<'a> {
    /// The request that is all of `der`. `None`: it is none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader(der);
        let mut input = outer.sequence().filter(|_| outer.is_empty())?;
        let to_be_signed = input.element(tag::SEQUENCE)?;
        let mut inner = Reader(to_be_signed.content);
        let version = inner.small()?;
        let raw_subject = inner.element(tag::SEQUENCE)?.whole;
        let key = SubjectKey::read(inner.element(tag::SEQUENCE)?.whole)?;
        let mut attributes = Vec::new();
        let mut extensions = Vec::new();
        let mut rest = inner.inner(tag::constructed(0))?;
        while !rest.is_empty() {
            let attribute = rest.any()?;
            attributes.extend(Requested::read(attribute));
            if let Some(list) = requested_extensions(attribute).ok()? {
                extensions.extend(Extension::list(list)?);
            }
        }
        let identifier = Algorithm::read(input.sequence()?)?;
        let (bits, unused) = input.bits()?;
        let names = extensions
            .iter()
            .rfind(|extension| extension.oid == SUBJECT_ALT_NAME)
            .map_or(Some(AlternativeNames::default()), |extension| {
                AlternativeNames::read(Reader(extension.value))
            })?;
        Some(Self {
            raw: der,
            to_be_signed: to_be_signed.whole,
            raw_subject,
            version,
            subject: name::parse(raw_subject)?,
            key,
            attributes,
            extensions,
            names,
            signature_algorithm: signature_algorithm(&identifier),
            signature: right_aligned(bits, unused),
        })
    }
}

/// The list of extensions that an attribute asks for, if it does. Errors: it is no list.
fn requested_extensions(attribute: Element<'_>) -> Result<Option<Reader<'_>>, Broken> {
    let mut inner = Reader(attribute.content);
    if inner.oid() != Some(EXTENSIONS) {
        return Ok(None);
    }
    match inner.inner(tag::SET) {
        Some(mut values) if !values.is_empty() => values.sequence().map(Some).ok_or(Broken),
        _ => Ok(None),
    }
}

impl<'a> Requested<'a> {
    fn read(attribute: Element<'a>) -> Option<Self> {
        let mut inner = Reader(attribute.content);
        let oid = inner.oid()?;
        let mut set = inner.inner(tag::SET)?;
        let mut values = Vec::new();
        while !set.is_empty() {
            let mut list = set.sequence()?;
            let mut pairs = Vec::new();
            while !list.is_empty() {
                let mut pair = list.sequence()?;
                pairs.push(Pair {
                    oid: pair.oid()?,
                    value: pair.any()?,
                });
            }
            values.push(pairs);
        }
        Some(Self { oid, values })
    }
}
