//! Chains of certificates, built and checked. Source: RFC 5280 §6, as Go does it, `x509.Verify`.

use super::{
    algorithm::{ANY_PURPOSE, SERVER_AUTH},
    certificate::Certificate,
    constraints,
    extensions::{Extension, SUBJECT_ALT_NAME},
    policies,
};
use crate::{
    budget::Exhausted,
    builtins::{
        Context,
        crypto::signature::{Family, Strictness, verifies},
        crypto::{der::Reader, ecdsa::Signature, keys::PublicKey, signature},
    },
};

/// What a chain must be good for.
pub(super) struct Options {
    /// Empty: any host.
    pub(super) host: String,
    /// Nanoseconds since 1970.
    pub(super) now_ns: i64,
    /// Go's `x509.ExtKeyUsage`. Empty: for servers.
    pub(super) purposes: Vec<i64>,
}

/// 100: how many signatures are checked at most.
const SIGNATURES: u32 = 100;
/// `keyCertSign`
const SIGNS_CERTIFICATES: i64 = 1 << 5;

/// The place of a certificate in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Leaf,
    Intermediate,
    Root,
}

struct Search<'a> {
    context: &'a Context<'a>,
    root: &'a Certificate<'a>,
    intermediates: Vec<&'a Certificate<'a>>,
    options: &'a Options,
    signatures: u32,
    chains: Vec<Vec<&'a Certificate<'a>>>,
}

/// The first good chain from the last certificate to the first one, over those between. `None`:
/// there is none.
/// Errors: the steps are spent.
pub(super) fn chain<'a>(
    context: &'a Context<'a>,
    certificates: &'a [Certificate<'a>],
    options: &'a Options,
) -> Result<Option<Vec<&'a Certificate<'a>>>, Exhausted> {
    let [root, between @ .., leaf] = certificates else {
        return Ok(None);
    };
    if !leaf.is_valid(Place::Leaf, &[], options) || !is_for_host(leaf, &options.host) {
        return Ok(None);
    }
    let mut search = Search {
        context,
        root,
        intermediates: without_repeats(between),
        options,
        signatures: 0,
        chains: Vec::new(),
    };
    if leaf.raw == root.raw {
        search.chains.push(vec![leaf]);
    } else {
        search.extend(&mut vec![leaf])?;
    }
    for chain in search.chains {
        let is_usable = options.purposes.contains(&ANY_PURPOSE) || has_purpose(&chain, options);
        context
            .budget
            .pay_bytes(chain.iter().fold(0, |bytes, certificate| {
                bytes.saturating_add(certificate.raw.len())
            }))?;
        if policies::are_valid(&chain) && is_usable && constraints::are_kept(context, &chain)? {
            return Ok(Some(chain));
        }
    }
    Ok(None)
}

/// As Go's pools hold them: each once.
fn without_repeats<'a>(certificates: &'a [Certificate<'a>]) -> Vec<&'a Certificate<'a>> {
    let mut seen = std::collections::BTreeSet::new();
    certificates
        .iter()
        .filter(|certificate| seen.insert(certificate.raw))
        .collect()
}

impl<'a> Search<'a> {
    /// All chains that begin like this one.
    fn extend(&mut self, chain: &mut Vec<&'a Certificate<'a>>) -> Result<(), Exhausted> {
        let Some(child) = chain.last().copied() else {
            return Ok(());
        };
        if self.root.raw_subject == child.raw_issuer
            && self.is_next(child, self.root, Place::Root, chain)?
        {
            let mut found = chain.clone();
            found.push(self.root);
            self.chains.push(found);
        }
        for parent in possible_parents(child, &self.intermediates) {
            if self.is_next(child, parent, Place::Intermediate, chain)? {
                chain.push(parent);
                self.extend(chain)?;
                chain.pop();
            }
        }
        Ok(())
    }

    fn is_next(
        &mut self,
        child: &Certificate<'_>,
        parent: &Certificate<'_>,
        place: Place,
        chain: &[&Certificate<'_>],
    ) -> Result<bool, Exhausted> {
        self.signatures = self.signatures.saturating_add(1);
        if self.signatures > SIGNATURES
            || parent.key.key.is_none()
            || chain.iter().any(|other| is_same_subject(parent, other))
        {
            return Ok(false);
        }
        Ok(is_signed_by(self.context, child, parent)?
            && parent.is_valid(place, chain, self.options))
    }
}

/// Those with the issuer's name; first those whose key is the one that is named.
fn possible_parents<'a>(
    child: &Certificate<'_>,
    all: &[&'a Certificate<'a>],
) -> Vec<&'a Certificate<'a>> {
    let rank = |parent: &&Certificate<'_>| match (
        child.extensions.authority_key,
        parent.extensions.subject_key,
    ) {
        (Some(wanted), Some(own)) if wanted == own => 0,
        (None, None) => 0,
        (None, Some(_)) | (Some(_), None) => 1,
        (Some(_), Some(_)) => 2_u8,
    };
    let mut parents: Vec<_> = all
        .iter()
        .copied()
        .filter(|parent| parent.raw_subject == child.raw_issuer)
        .collect();
    parents.sort_by_key(rank);
    parents
}

fn alternative_names<'a>(certificate: &Certificate<'a>) -> Option<&'a [u8]> {
    let is_names = |extension: &&Extension<'a>| extension.oid == SUBJECT_ALT_NAME;
    let extension = certificate.raw_extensions.iter().find(is_names)?;
    Some(extension.value)
}

/// Whether both are for the same one and the same key.
fn is_same_subject(left: &Certificate<'_>, right: &Certificate<'_>) -> bool {
    left.raw_subject == right.raw_subject
        && left.key.raw == right.key.raw
        && alternative_names(left) == alternative_names(right)
}

fn is_signed_by(
    context: &Context<'_>,
    child: &Certificate<'_>,
    parent: &Certificate<'_>,
) -> Result<bool, Exhausted> {
    let basic = parent.extensions.basic_constraints;
    let may_sign = match basic {
        Some(basic) => basic.is_ca,
        None => parent.version != 3,
    };
    let usage = parent.extensions.key_usage;
    if !may_sign || (usage != 0 && usage & SIGNS_CERTIFICATES == 0) {
        return Ok(false);
    }
    let (Some(algorithm), Some(key)) = (child.signature_algorithm.usable, &parent.key.key) else {
        return Ok(false);
    };
    if let (Family::Ecdsa, PublicKey::Ec(key)) = (algorithm.family, key) {
        context.budget.pay_bytes(child.to_be_signed.len())?;
        signature::pay_for_curve(context, key.curve)?;
        let digest = algorithm.hash.digest(&[child.to_be_signed]);
        return Ok(ecdsa_numbers(&child.signature)
            .is_some_and(|signature| key.verifies(&digest, signature)));
    }
    let message = child.to_be_signed;
    verifies(
        context,
        algorithm,
        key,
        message,
        &child.signature,
        Strictness::Strict,
    )
}

/// `r` and `s`.
fn ecdsa_numbers(der: &[u8]) -> Option<Signature<'_>> {
    let mut outer = Reader(der);
    let mut numbers = outer.sequence()?;
    let (r, s) = (numbers.unsigned()?, numbers.unsigned()?);
    (outer.is_empty() && numbers.is_empty()).then_some(Signature { r, s })
}

impl Certificate<'_> {
    pub(super) fn has_alternative_names(&self) -> bool {
        alternative_names(self).is_some()
    }

    fn is_valid(&self, place: Place, chain: &[&Self], options: &Options) -> bool {
        if !self.extensions.unhandled_critical.is_empty() {
            return false;
        }
        let seconds = options.now_ns.div_euclid(1_000_000_000);
        let is_exact = options.now_ns.rem_euclid(1_000_000_000) == 0;
        let ends = self.not_after.seconds;
        if seconds < self.not_before.seconds || seconds > ends || (seconds == ends && !is_exact) {
            return false;
        }
        let Some(basic) = self.extensions.basic_constraints else {
            return place != Place::Intermediate;
        };
        let between = i64::try_from(chain.len().saturating_sub(1)).unwrap_or(i64::MAX);
        (place != Place::Intermediate || basic.is_ca)
            && (basic.path_length < 0 || between <= basic.path_length || chain.is_empty())
    }
}

/// Whether all of a chain may be used for one of the purposes.
fn has_purpose(chain: &[&Certificate<'_>], options: &Options) -> bool {
    let mut purposes = options.purposes.clone();
    if purposes.is_empty() {
        purposes.push(SERVER_AUTH);
    }
    for certificate in chain.iter().rev() {
        let own = &certificate.extensions.purposes;
        let says_nothing = own.is_empty() && certificate.extensions.unknown_purposes.is_empty();
        if !says_nothing && !own.contains(&ANY_PURPOSE) {
            purposes.retain(|purpose| own.contains(purpose));
        }
    }
    !purposes.is_empty()
}

/// Whether a certificate is one for a host. Source: RFC 6125, as Go, `VerifyHostname`.
fn is_for_host(certificate: &Certificate<'_>, host: &str) -> bool {
    if host.is_empty() {
        return true;
    }
    let names = &certificate.extensions.names;
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = crate::builtins::net::parse_address(bare.unwrap_or(host)) {
        return names
            .addresses
            .iter()
            .any(|own| mapped(own) == Some(address));
    }
    let host = host.to_ascii_lowercase();
    names.dns.iter().any(|name| {
        if is_host_name(&host, false) && is_host_name(name, true) {
            is_host_match(name, host.strip_suffix('.').unwrap_or(&host))
        } else {
            !matches!(*name, "" | ".") && host != "." && name.eq_ignore_ascii_case(&host)
        }
    })
}

/// An address in its 128-bit form.
fn mapped(address: &[u8]) -> Option<u128> {
    if let Ok(v4) = <[u8; 4]>::try_from(address) {
        return Some(std::net::Ipv4Addr::from(v4).to_ipv6_mapped().to_bits());
    }
    address.try_into().ok().map(u128::from_be_bytes)
}

fn is_host_match(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let (own, wanted) = (pattern.split('.'), host.split('.'));
    own.clone().count() == wanted.clone().count()
        && own
            .zip(wanted)
            .enumerate()
            .all(|(index, (own, wanted))| (index == 0 && own == "*") || own == wanted)
}

/// Whether it can be a host's name; as a pattern, with a `*` for the first label.
fn is_host_name(name: &str, is_pattern: bool) -> bool {
    let name = if is_pattern {
        name
    } else {
        name.strip_suffix('.').unwrap_or(name)
    };
    if name == "*" {
        return false;
    }
    let is_label = |label: &str| {
        let mut letters = label.bytes();
        letters
            .next()
            .is_some_and(|first| first == b'_' || first.is_ascii_alphanumeric())
            && letters.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.split('.')
        .enumerate()
        .all(|(index, label)| is_label(label) || (is_pattern && index == 0 && label == "*"))
}
