//! Extensions of certificates, read. Source: RFC 5280 §4.2; what is accepted as in Go.

use super::{
    algorithm::key_purpose,
    constraints::NameConstraints,
    name::{ascii, is_domain},
};
use crate::builtins::{
    crypto::der::{Reader, arcs, tag},
    uri::Uri,
};

/// One extension as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub(super) oid: &'a [u8],
    pub(super) is_critical: bool,
    pub(super) value: &'a [u8],
}

/// `id-ce`: 2.5.29
const CERTIFICATE_EXTENSION: [u8; 2] = [0x55, 0x1d];
/// `id-pe-authorityInfoAccess`
const AUTHORITY_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// `id-ad-ocsp`
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// `id-ad-caIssuers`
const ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];
/// `id-ce-subjectAltName`
pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];

impl<'a> Extension<'a> {
    /// Extensions, each once.
    pub(super) fn list(mut reader: Reader<'a>) -> Option<Vec<Self>> {
        let mut all: Vec<Self> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while !reader.is_empty() {
            let extension = Self::read(reader.sequence()?)?;
            if !seen.insert(extension.oid) {
                return None;
            }
            all.push(extension);
        }
        Some(all)
    }

    pub(super) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let oid = reader.oid()?;
        let is_critical = if reader.peek() == Some(tag::BOOLEAN) {
            reader.boolean()?
        } else {
            false
        };
        Some(Self {
            oid,
            is_critical,
            value: reader.octets()?,
        })
    }
}

/// A number that an extension may set, and set to zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counter(pub(super) Option<i64>);

/// Names besides the subject's.
#[derive(Debug, Default)]
pub(super) struct AlternativeNames<'a> {
    pub(super) dns: Vec<&'a str>,
    pub(super) emails: Vec<&'a str>,
    /// 4 or 16 bytes each.
    pub(super) addresses: Vec<&'a [u8]>,
    pub(super) uris: Vec<Uri>,
}

/// Whether a certificate may sign others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BasicConstraints {
    pub(super) is_ca: bool,
    /// -1: any number.
    pub(super) path_length: i64,
}

/// What the extensions of a certificate say.
#[derive(Debug, Default)]
pub(super) struct Extensions<'a> {
    pub(super) unhandled_critical: Vec<&'a [u8]>,
    pub(super) key_usage: i64,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) names: AlternativeNames<'a>,
    pub(super) constraints: Option<NameConstraints<'a>>,
    pub(super) revocation_lists: Vec<&'a [u8]>,
    pub(super) authority_key: Option<&'a [u8]>,
    pub(super) subject_key: Option<&'a [u8]>,
    pub(super) require_explicit_policy: Counter,
    pub(super) inhibit_policy_mapping: Counter,
    pub(super) inhibit_any_policy: Counter,
    pub(super) purposes: Vec<i64>,
    pub(super) unknown_purposes: Vec<&'a [u8]>,
    pub(super) policies: Option<Vec<&'a [u8]>>,
    pub(super) policy_mappings: Vec<(&'a [u8], &'a [u8])>,
    pub(super) ocsp_servers: Vec<&'a [u8]>,
    pub(super) issuer_urls: Vec<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    pub(super) fn parse(list: &[Extension<'a>]) -> Option<Self> {
        let mut out = Self::default();
        for extension in list {
            let is_handled = out.read(extension)?;
            if extension.is_critical && !is_handled {
                out.unhandled_critical.push(extension.oid);
            }
        }
        Some(out)
    }

    /// Whether the extension is understood. `None`: it is broken.
    fn read(&mut self, extension: &Extension<'a>) -> Option<bool> {
        let mut value = Reader(extension.value);
        if extension.oid == AUTHORITY_INFO {
            if extension.is_critical {
                return None;
            }
            self.read_authority_info(value.sequence()?)?;
            return Some(true);
        }
        let Some([number]) = extension.oid.strip_prefix(&CERTIFICATE_EXTENSION) else {
            return Some(false);
        };
        match number {
            14 | 35 if extension.is_critical => return None,
            14 => self.subject_key = Some(value.octets()?),
            15 => self.key_usage = key_usage(value)?,
            17 => {
                self.names = AlternativeNames::read(value)?;
                return Some(!self.names.is_empty());
            }
            19 => self.basic_constraints = Some(basic_constraints(value)?),
            30 => {
                let constraints = NameConstraints::read(value, extension.is_critical)?;
                let is_handled = constraints.is_understood;
                self.constraints = Some(constraints);
                return Some(is_handled);
            }
            31 => self.read_revocation_lists(value.sequence()?)?,
            32 => self.policies = Some(policies(value.sequence()?)?),
            33 => self.read_policy_mappings(value.sequence()?)?,
            35 => {
                let key = value.sequence()?.optional(tag::primitive(0)).ok()?;
                self.authority_key = key.map(|key| key.0);
            }
            36 => self.read_policy_constraints(value.sequence()?)?,
            37 => self.read_purposes(value.sequence()?)?,
            54 => self.inhibit_any_policy = Counter(Some(value.small()?)),
            _ => return Some(false),
        }
        Some(true)
    }

    fn read_authority_info(&mut self, mut reader: Reader<'a>) -> Option<()> {
        while !reader.is_empty() {
            let mut access = reader.sequence()?;
            let method = access.oid()?;
            let Some(location) = access.optional(tag::primitive(6)).ok()? else {
                continue;
            };
            match method {
                OCSP => self.ocsp_servers.push(location.0),
                ISSUERS => self.issuer_urls.push(location.0),
                _ => {}
            }
        }
        Some(())
    }

    fn read_revocation_lists(&mut self, mut reader: Reader<'a>) -> Option<()> {
        while !reader.is_empty() {
            let mut point = reader.sequence()?;
            let Some(mut name) = point.optional(tag::constructed(0)).ok()? else {
                continue;
            };
            let mut names = name.inner(tag::constructed(0))?;
            while let Some(uri) = names.optional(tag::primitive(6)).ok()? {
                self.revocation_lists.push(uri.0);
            }
        }
        Some(())
    }

    fn read_policy_mappings(&mut self, mut reader: Reader<'a>) -> Option<()> {
        while !reader.is_empty() {
            let mut mapping = reader.sequence()?;
            let issuer = mapping.inner(tag::OID)?.0;
            self.policy_mappings
                .push((issuer, mapping.inner(tag::OID)?.0));
        }
        Some(())
    }

    fn read_policy_constraints(&mut self, mut reader: Reader<'a>) -> Option<()> {
        if reader.peek() == Some(tag::primitive(0)) {
            self.require_explicit_policy = Counter(Some(reader.small_with(tag::primitive(0))?));
        }
        if reader.peek() == Some(tag::primitive(1)) {
            self.inhibit_policy_mapping = Counter(Some(reader.small_with(tag::primitive(1))?));
        }
        Some(())
    }

    fn read_purposes(&mut self, mut reader: Reader<'a>) -> Option<()> {
        while !reader.is_empty() {
            let oid = reader.oid()?;
            match key_purpose(oid) {
                Some(purpose) => self.purposes.push(purpose),
                None => self.unknown_purposes.push(oid),
            }
        }
        Some(())
    }
}

/// The first nine bits, the first one lowest.
fn key_usage(mut reader: Reader<'_>) -> Option<i64> {
    let (bytes, _) = reader.bits()?;
    let byte = |index| bytes.get(index).copied().unwrap_or(0_u8);
    let low = i64::from(byte(0).reverse_bits());
    Some(low | i64::from(byte(1) >> 7) << 8)
}

fn basic_constraints(mut reader: Reader<'_>) -> Option<BasicConstraints> {
    let mut inner = reader.sequence()?;
    let is_ca = if inner.peek() == Some(tag::BOOLEAN) {
        inner.boolean()?
    } else {
        false
    };
    let path_length = if inner.peek() == Some(tag::INTEGER) {
        inner.small().filter(|length| *length >= 0)?
    } else {
        -1
    };
    Some(BasicConstraints { is_ca, path_length })
}

fn policies(mut reader: Reader<'_>) -> Option<Vec<&[u8]>> {
    let mut all = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    while !reader.is_empty() {
        let oid = reader.sequence()?.inner(tag::OID)?.0;
        arcs(oid)?;
        if !seen.insert(oid) {
            return None;
        }
        all.push(oid);
    }
    Some(all)
}

impl<'a> AlternativeNames<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.dns.is_empty()
            && self.emails.is_empty()
            && self.addresses.is_empty()
            && self.uris.is_empty()
    }

    pub(super) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let mut names = reader.sequence()?;
        let mut out = Self::default();
        while !names.is_empty() {
            let name = names.any()?;
            match name.tag ^ tag::primitive(0) {
                1 => out.emails.push(ascii(name.content)?),
                2 => out.dns.push(ascii(name.content)?),
                6 => {
                    let uri = Uri::parse(ascii(name.content)?)?;
                    if !is_domain(&uri.host, false) {
                        return None;
                    }
                    out.uris.push(uri);
                }
                7 if matches!(name.content.len(), 4 | 16) => out.addresses.push(name.content),
                7 => return None,
                _ => {}
            }
        }
        Some(out)
    }
}
