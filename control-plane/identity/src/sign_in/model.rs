//! How long somebody who keeps failing has to wait. Pure.

use std::net::IpAddr;

use plinto_contract::time::UnixMillis;
use sha2::{Digest, Sha256};

/// What failed attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// The e-mail address that was tried, whether anybody has it or not.
    Account,
    /// The network address the attempts come from.
    Address,
}

/// 10: failures in a row that cost no wait; people mistype, and several devices may try at once.
const FREE_ACCOUNT: i64 = 10;
/// 50: many people share an address.
const FREE_ADDRESS: i64 = 50;
/// 100 failures in a row, then nothing more. Source: NIST SP 800-63B-4 §3.2.2.
const MOST_ACCOUNT: i64 = 100;
/// 15 min: the longest wait.
const LONGEST_WAIT_S: i64 = 15 * 60;
/// 1 h without an attempt, and an address starts anew. An account does not: its failures count
/// until its password comes.
const ADDRESS_FORGETS_AFTER_S: i64 = 60 * 60;

impl Kind {
    /// The text in the table.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
        }
    }

    /// How many failures in a row end it until somebody helps.
    pub(super) const fn most(self) -> i64 {
        match self {
            Self::Account => MOST_ACCOUNT,
            Self::Address => i64::MAX,
        }
    }

    /// Before which moment the last attempt must lie for the count to begin anew.
    pub(super) fn forgotten_before(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::Account => UnixMillis(i64::MIN),
            Self::Address => now.plus_seconds(-ADDRESS_FORGETS_AFTER_S),
        }
    }

    /// When the next attempt is allowed after `failures` in a row, this one included.
    pub(super) fn next_attempt(self, failures: i64, now: UnixMillis) -> UnixMillis {
        let free = match self {
            Self::Account => FREE_ACCOUNT,
            Self::Address => FREE_ADDRESS,
        };
        let Ok(doublings) = u32::try_from(failures - free - 1) else {
            return now;
        };
        let wait_s = 1_i64
            .checked_shl(doublings.min(20))
            .unwrap_or(LONGEST_WAIT_S);
        now.plus_seconds(wait_s.min(LONGEST_WAIT_S))
    }
}

/// What an attempt is counted under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Subject {
    /// Which kind of thing.
    pub(super) kind: Kind,
    /// SHA-256 of the thing, 64 hexadecimal characters.
    pub(super) hash: String,
}

impl Subject {
    /// An e-mail address, normalised, of any length.
    pub(super) fn account(email_normalized: &str) -> Self {
        Self::of(Kind::Account, email_normalized)
    }

    /// A network: an IPv4 address, or the /64 that an IPv6 host has to itself.
    pub(super) fn address(ip: Option<IpAddr>) -> Option<Self> {
        let network = match ip? {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("{:x}/64", ip.to_bits() >> 64),
        };
        Some(Self::of(Kind::Address, &network))
    }

    fn of(kind: Kind, text: &str) -> Self {
        Self {
            kind,
            hash: hex::encode(Sha256::digest(text.as_bytes())),
        }
    }
}

/// Seconds to wait, rounded up, at least one. `until`: the moment an attempt is allowed again.
pub(super) fn wait_s(until: UnixMillis, now: UnixMillis) -> i64 {
    let millis = until.millis_since(now).clamp(0, 24 * 60 * 60 * 1_000);
    (millis.saturating_add(999) / 1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn waits(kind: Kind, failures: i64) -> i64 {
        kind.next_attempt(failures, NOW).millis_since(NOW) / 1_000
    }

    /// A5: progressive delay.
    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let account: Vec<i64> = (8..24)
            .map(|failures| waits(Kind::Account, failures))
            .collect();
        let expected = [
            0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900,
        ];
        assert_eq!(account, expected);
        assert_eq!(waits(Kind::Account, 1_000_000), 900);
        assert_eq!(waits(Kind::Address, 50), 0);
        assert_eq!(waits(Kind::Address, 53), 4);
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds() {
        assert_eq!(wait_s(NOW, NOW), 1);
        assert_eq!(wait_s(NOW.plus_millis(1_001), NOW), 2);
        assert_eq!(wait_s(UnixMillis(i64::MAX), NOW), 86_400);
    }
}
