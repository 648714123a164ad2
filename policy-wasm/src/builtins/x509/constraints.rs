//! Which names those may have that a certificate vouches for. Source: RFC 5280 §4.2.1.10, as Go
//! reads and checks it.

use super::{
    certificate::Certificate,
    extensions::AlternativeNames,
    name::{ascii, is_domain, mailbox},
};
use crate::budget::Exhausted;
use crate::builtins::{
    Context,
    crypto::der::{Reader, tag},
    uri::Uri,
};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network<'a> {
    pub(super) address: &'a [u8],
    pub(super) mask: &'a [u8],
}

/// Names under which others stand.
#[derive(Debug, Default)]
pub(super) struct Subtrees<'a> {
    pub(super) dns: Vec<&'a str>,
    pub(super) networks: Vec<Network<'a>>,
    pub(super) emails: Vec<&'a str>,
    pub(super) uris: Vec<&'a str>,
}

#[derive(Debug)]
pub(super) struct NameConstraints<'a> {
    pub(super) is_critical: bool,
    /// Whether all kinds of names in it are known.
    pub(super) is_understood: bool,
    pub(super) permitted: Subtrees<'a>,
    pub(super) excluded: Subtrees<'a>,
}

impl<'a> NameConstraints<'a> {
    /// `None`: it is broken, or says nothing.
    pub(super) fn read(mut reader: Reader<'a>, is_critical: bool) -> Option<Self> {
        let mut inner = reader.sequence()?;
        let permitted = inner.optional(tag::constructed(0)).ok()?;
        let excluded = inner.optional(tag::constructed(1)).ok()?;
        let empty = |part: Option<Reader<'_>>| part.is_none_or(|part| part.is_empty());
        if !reader.is_empty() || !inner.is_empty() || (empty(permitted) && empty(excluded)) {
            return None;
        }
        let mut is_understood = true;
        let mut read = |part: Option<Reader<'a>>| {
            Subtrees::read(part.unwrap_or(Reader(&[])), &mut is_understood)
        };
        let (permitted, excluded) = (read(permitted)?, read(excluded)?);
        Some(Self {
            is_critical,
            is_understood,
            permitted,
            excluded,
        })
    }
}

impl<'a> Subtrees<'a> {
    fn read(mut reader: Reader<'a>, is_understood: &mut bool) -> Option<Self> {
        let mut out = Self::default();
        while !reader.is_empty() {
            let base = reader.sequence()?.any()?;
            let domain = || ascii(base.content).filter(|name| is_domain(name, true));
            match base.tag ^ tag::primitive(0) {
                1 => {
                    let name = ascii(base.content)?;
                    let is_right = if name.contains('@') {
                        mailbox(name).is_some()
                    } else {
                        is_domain(name, true)
                    };
                    out.emails.push(is_right.then_some(name)?);
                }
                2 => out.dns.push(domain()?),
                6 => {
                    let name = domain()?;
                    if name.parse::<std::net::IpAddr>().is_ok() {
                        return None;
                    }
                    out.uris.push(name);
                }
                7 => out.networks.push(Network::read(base.content)?),
                _ => *is_understood = false,
            }
        }
        Some(out)
    }
}

impl<'a> Network<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        if !matches!(bytes.len(), 8 | 32) {
            return None;
        }
        let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
        let zero = mask.iter().position(|byte| *byte != 0xff);
        let (first, rest) = mask
            .get(zero.unwrap_or(mask.len())..)?
            .split_first()
            .unwrap_or((&0, &[]));
        let is_mask = first.leading_ones() == 8_u32.saturating_sub(first.trailing_zeros().min(8))
            && rest.iter().all(|byte| *byte == 0);
        is_mask.then_some(Self { address, mask })
    }

    fn contains(&self, address: &[u8]) -> bool {
        let pairs = self.address.iter().zip(address).zip(self.mask);
        self.address.len() == address.len()
            && pairs
                .into_iter()
                .all(|((own, other), mask)| own & mask == other & mask)
    }
}

/// Whether a domain stands under another one; under `.a.b` only what has a label more.
fn is_under(domain: &str, top: &str) -> bool {
    let Some(start) = domain.len().checked_sub(top.len()) else {
        return false;
    };
    let ends = domain.as_bytes().get(start..);
    let before = start
        .checked_sub(1)
        .and_then(|index| domain.as_bytes().get(index));
    ends.is_some_and(|end| end.eq_ignore_ascii_case(top.as_bytes()))
        && (top.is_empty() || top.starts_with('.') || before.is_none_or(|byte| *byte == b'.'))
}

/// Whether a wildcard may stand for an excluded name.
fn covers(wildcard: &str, excluded: &str) -> bool {
    let parent = |name: &str| {
        let dot = name.find('.')?;
        name.get(dot..).map(str::to_ascii_lowercase)
    };
    wildcard.starts_with('*') && parent(excluded).is_some_and(|own| parent(wildcard) == Some(own))
}

/// The host of a URI, without its port. `None`: no name constrains it.
fn domain_of(uri: &Uri) -> Option<String> {
    let host = uri.host.to_lowercase();
    let host = match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') && !name.contains(':') => name.to_owned(),
        Some(_) if !host.ends_with(']') => return None,
        _ => host,
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.starts_with('[');
    (!host.is_empty() && !is_address).then_some(host)
}

/// Names to be checked.
struct Names<'a> {
    dns: Vec<&'a str>,
    emails: Vec<(String, String)>,
    addresses: &'a [&'a [u8]],
    uris: Vec<String>,
}

impl<'a> Names<'a> {
    /// `None`: one of them can't be checked.
    fn of(names: &'a AlternativeNames<'a>) -> Option<Self> {
        let email = |text: &&str| {
            let (local, domain) = mailbox(text)?;
            Some((local, domain.to_lowercase()))
        };
        let out = Self {
            dns: names.dns.clone(),
            emails: names.emails.iter().map(email).collect::<Option<_>>()?,
            addresses: &names.addresses,
            uris: names.uris.iter().map(domain_of).collect::<Option<_>>()?,
        };
        let domains = out
            .dns
            .iter()
            .copied()
            .chain(out.uris.iter().map(String::as_str));
        let are_right = domains
            .chain(out.emails.iter().map(|(_, domain)| domain.as_str()))
            .all(|domain| is_domain(domain, false));
        are_right.then_some(out)
    }

    fn count(&self) -> usize {
        self.dns
            .len()
            .saturating_add(self.emails.len())
            .saturating_add(self.addresses.len())
            .saturating_add(self.uris.len())
    }

    fn are_allowed(&self, constraints: &NameConstraints<'_>) -> bool {
        let (permitted, excluded) = (&constraints.permitted, &constraints.excluded);
        let addresses = self.addresses.iter().all(|address| {
            let is_in =
                |networks: &[Network<'_>]| networks.iter().any(|network| network.contains(address));
            (permitted.networks.is_empty() || is_in(&permitted.networks))
                && !is_in(&excluded.networks)
        });
        let uris: Vec<&str> = self.uris.iter().map(String::as_str).collect();
        addresses
            && are_domains_allowed(&self.dns, &permitted.dns, &excluded.dns)
            && are_domains_allowed(&uris, &permitted.uris, &excluded.uris)
            && self.emails.iter().all(|email| {
                (permitted.emails.is_empty() || is_email_under(email, &permitted.emails))
                    && !is_email_under(email, &excluded.emails)
            })
    }
}

fn are_domains_allowed(names: &[&str], permitted: &[&str], excluded: &[&str]) -> bool {
    names.iter().all(|name| {
        let is_permitted = permitted.is_empty() || permitted.iter().any(|top| is_under(name, top));
        let is_excluded = excluded
            .iter()
            .any(|top| is_under(name, top) || covers(name, top));
        is_permitted && !is_excluded
    })
}

fn is_email_under((local, domain): &(String, String), tops: &[&str]) -> bool {
    tops.iter().any(|top| match mailbox(top) {
        Some((own, of_domain)) if top.contains('@') => {
            own == *local && of_domain.to_lowercase() == *domain
        }
        _ => is_under(domain, top),
    })
}

/// Whether each certificate of a chain, the leaf first, has only names that all above it allow.
/// Errors: the steps are spent.
pub(super) fn are_kept(
    context: &Context<'_>,
    chain: &[&Certificate<'_>],
) -> Result<bool, Exhausted> {
    for (index, certificate) in chain.iter().enumerate() {
        let above = chain.get(index.saturating_add(1)..).unwrap_or_default();
        let above: Vec<&NameConstraints<'_>> = above
            .iter()
            .filter_map(|issuer| issuer.extensions.constraints.as_ref())
            .collect();
        if above.is_empty() || !certificate.has_alternative_names() {
            continue;
        }
        let Some(names) = Names::of(&certificate.extensions.names) else {
            return Ok(false);
        };
        for constraints in above {
            let bytes = constraints.count().saturating_mul(names.count());
            context
                .budget
                .pay(u64::try_from(bytes).unwrap_or(u64::MAX))?;
            if !names.are_allowed(constraints) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

impl NameConstraints<'_> {
    fn count(&self) -> usize {
        [&self.permitted, &self.excluded]
            .into_iter()
            .fold(0_usize, |count, part| {
                count
                    .saturating_add(part.dns.len())
                    .saturating_add(part.networks.len())
                    .saturating_add(part.emails.len())
                    .saturating_add(part.uris.len())
            })
    }
}
