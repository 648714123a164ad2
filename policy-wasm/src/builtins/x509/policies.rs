//! Whether the policies of a chain of certificates allow it. Source: RFC 5280 §6.1, RFC 9618.

use std::collections::{BTreeMap, BTreeSet};

use super::certificate::Certificate;

/// `anyPolicy`
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

/// The policies that are valid at one depth of the chain, each with those that are expected next.
type Level<'a> = BTreeMap<&'a [u8], BTreeSet<&'a [u8]>>;

/// How many more certificates something holds for.
struct Countdown {
    explicit: i64,
    mapping: i64,
    any: i64,
}

/// Whether a chain, the leaf first, is valid when any policy will do.
pub(super) fn are_valid(chain: &[&Certificate<'_>]) -> bool {
    let Some(links) = chain.len().checked_sub(1).filter(|links| *links > 0) else {
        return true;
    };
    let limit = i64::try_from(chain.len()).unwrap_or(i64::MAX);
    let mut countdown = Countdown {
        explicit: limit,
        mapping: limit,
        any: limit,
    };
    // `None`: no policy can be valid any more.
    let mut level = Some(Level::from([(ANY, BTreeSet::from([ANY]))]));
    let below_root = chain.get(..links).unwrap_or_default();
    for (index, certificate) in below_root.iter().enumerate().rev() {
        let is_leaf = index == 0;
        match descend(level.take(), certificate, &countdown, is_leaf) {
            Ok(next) => level = next,
            Err(InvalidMapping) => return false,
        }
        if countdown.explicit == 0 && level.is_none() {
            return false;
        }
        if !is_leaf {
            countdown.pass(certificate);
        }
    }
    countdown.explicit = countdown.explicit.saturating_sub(1).max(0);
    let leaf = chain.first();
    if leaf.is_some_and(|leaf| leaf.extensions.require_explicit_policy.0 == Some(0)) {
        countdown.explicit = 0;
    }
    countdown.explicit > 0 || level.is_some_and(|level| !level.is_empty())
}

/// Any policy is mapped, or mapped to.
struct InvalidMapping;

impl Countdown {
    /// Source: RFC 5280 §6.1.4 (h) to (j).
    fn pass(&mut self, certificate: &Certificate<'_>) {
        if certificate.raw_issuer != certificate.raw_subject {
            for count in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *count = count.saturating_sub(1).max(0);
            }
        }
        let extensions = &certificate.extensions;
        let limits = [
            (&mut self.explicit, extensions.require_explicit_policy),
            (&mut self.mapping, extensions.inhibit_policy_mapping),
            (&mut self.any, extensions.inhibit_any_policy),
        ];
        for (count, limit) in limits {
            if let Some(limit) = limit.0.filter(|limit| *limit >= 0) {
                *count = limit.min(*count);
            }
        }
    }
}

/// The level of the next certificate.
fn descend<'a>(
    above: Option<Level<'a>>,
    certificate: &Certificate<'a>,
    countdown: &Countdown,
    is_leaf: bool,
) -> Result<Option<Level<'a>>, InvalidMapping> {
    let policies = certificate
        .extensions
        .policies
        .as_deref()
        .unwrap_or_default();
    let Some(above) = above.filter(|_| !policies.is_empty()) else {
        return Ok(None);
    };
    let mut level = expected(&above, policies);
    let is_self_signed = certificate.raw_issuer == certificate.raw_subject;
    if policies.contains(&ANY) && (countdown.any > 0 || (!is_leaf && is_self_signed)) {
        for policy in above.values().flatten().copied() {
            level
                .entry(policy)
                .or_insert_with(|| BTreeSet::from([policy]));
        }
    }
    if !is_leaf {
        map(certificate, countdown, &mut level)?;
    }
    Ok(Some(level))
}

/// Source: RFC 9618 §5.2, (d) (1).
fn expected<'a>(above: &Level<'a>, policies: &[&'a [u8]]) -> Level<'a> {
    let is_expected = |policy: &&'a [u8]| {
        above.contains_key(ANY) || above.values().any(|expected| expected.contains(policy))
    };
    policies
        .iter()
        .copied()
        .filter(|policy| *policy != ANY)
        .filter(is_expected)
        .map(|policy| (policy, BTreeSet::from([policy])))
        .collect()
}

/// Source: RFC 9618 §5.4.
fn map<'a>(
    certificate: &Certificate<'a>,
    countdown: &Countdown,
    level: &mut Level<'a>,
) -> Result<(), InvalidMapping> {
    let mut mappings: Level<'a> = BTreeMap::new();
    for (issuer, subject) in &certificate.extensions.policy_mappings {
        if countdown.mapping == 0 {
            level.remove(issuer);
            continue;
        }
        if *issuer == ANY || *subject == ANY {
            return Err(InvalidMapping);
        }
        mappings.entry(issuer).or_default().insert(subject);
    }
    for (issuer, subjects) in mappings {
        if level.contains_key(issuer) || level.contains_key(ANY) {
            level.insert(issuer, subjects);
        }
    }
    Ok(())
}
