//! What the revocation feed says: only what tokens still alive could contradict, and never more
//! than an edge can take.

use std::collections::{BTreeMap, BTreeSet};

use plinto_contract::{
    ids::{SessionId, TenantId, UserId},
    limits::{CLOCK_LEEWAY_S, FEED_PERIOD_S},
    revocation::Feed,
    time::{UnixMillis, UnixSeconds},
};
use plinto_directory::users::Outdated;
use plinto_platform::envelope::sha256_hex;

/// 60 s: how long a signed feed is valid. Far above an edge's own bound on its age, so that only a
/// replayed one meets it.
pub(crate) const LIFETIME_S: i64 = 60;
/// 2 s: how old the signature of a feed gets that says something new. Instances' clocks agree to the
/// second, so the next signature has a version above whatever edges have seen.
const SIGNED_ANEW_MS: i64 = 2_000;
/// 2 d: how long a feed names a withdrawn key. An edge that gets no other goes by a key set for a day.
const WITHDRAWN_SAID_S: i64 = 2 * 24 * 60 * 60;
/// 16,384: entries of a feed, about 700 KiB as a token. What does not fit is covered by
/// refusing everything issued before it.
pub(crate) const ENTRIES_MAX: usize = 16_384;

/// What was revoked within the life of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Revoked {
    /// Tokens of the whole tenant issued before this second are refused; 0 refuses none.
    pub issued_before: UnixSeconds,
    /// Sessions that ended, and when.
    pub sessions: Vec<(SessionId, UnixMillis)>,
    /// Users whose earlier tokens are refused.
    pub subjects: Vec<Outdated>,
    /// Ids of keys that were withdrawn, each as long as an edge may go by a set that holds it.
    pub withdrawn_keys: Vec<String>,
}

/// What a feed says, without when it says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Content {
    issued_before: UnixSeconds,
    outdated_before: UnixSeconds,
    sessions: BTreeSet<SessionId>,
    subjects: BTreeMap<UserId, u64>,
    outdated: BTreeMap<UserId, u64>,
    withdrawn_keys: BTreeSet<String>,
}

/// From when on the withdrawal of a key still matters.
pub(crate) fn keys_since(now: UnixMillis) -> UnixMillis {
    now.plus_seconds(-WITHDRAWN_SAID_S)
}

/// From when on a revocation still matters: no token issued before is alive.
/// `access_token_s`: life of an access token.
pub(crate) fn since(now: UnixMillis, access_token_s: i64) -> UnixMillis {
    // One leeway for the verifier's clock, one for the clocks of our own instances.
    let leeway = CLOCK_LEEWAY_S.saturating_mul(2);
    now.plus_seconds(access_token_s.saturating_add(leeway).saturating_neg())
}

/// The period of a second. All instances begin a new one together, so that an edge which asks now
/// one and now another is told "not modified" by both.
pub(crate) fn period(at: UnixSeconds) -> i64 {
    at.0.div_euclid(FEED_PERIOD_S)
}

/// Whether a feed that still says the same is served as it was signed at `signed_at`. One that says
/// something new since `changed_at` is signed anew every two seconds for a period: an instance whose
/// clock is behind another's would else offer edges a version that they have passed already.
pub(crate) fn is_settled(changed_at: UnixMillis, signed_at: UnixMillis, now: UnixMillis) -> bool {
    now.millis_since(changed_at) >= FEED_PERIOD_S.saturating_mul(1_000)
        || now.millis_since(signed_at) < SIGNED_ANEW_MS
}

/// The version of a feed read at a moment: that moment, in milliseconds, but always above the one
/// before. A later reading has the higher version whichever instance made it, as far as their clocks
/// agree.
pub(crate) fn version(read_at: UnixMillis, before: Option<u64>) -> u64 {
    let next = before.map_or(0, |before| before.saturating_add(1));
    u64::try_from(read_at.0).unwrap_or_default().max(next)
}

impl Content {
    /// Names what is said and in which period. Whose signature it has makes no difference: two instances
    /// that sign with different keys for a minute after a rotation still say the same.
    /// Errors: content that is no JSON; there is none.
    pub(crate) fn etag(
        &self,
        tenant: TenantId,
        at: UnixSeconds,
    ) -> Result<String, serde_json::Error> {
        let undated = self.feed(String::new(), tenant, 0, UnixSeconds(0));
        let said = serde_json::to_vec(&undated)?;
        let mut digest = sha256_hex(said);
        digest.truncate(32);
        Ok(format!("{digest}.{}", period(at)))
    }

    /// Turns what was revoked into what an edge checks.
    pub(crate) fn of(revoked: Revoked, entries_max: usize) -> Self {
        let sessions = revoked.sessions.into_iter();
        let subjects = revoked.subjects.into_iter();
        let mut entries: Vec<(UnixMillis, Entry)> = sessions
            .map(|(session, at)| (at, Entry::Session(session)))
            .chain(subjects.flat_map(Entry::of_subject))
            .collect();
        entries.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
        // SECURITY: what does not fit must not be forgotten. Refusing every token issued until the
        // newest of those only costs their owners a refresh. The second after its own is included:
        // a token of then may still say what was read before the change was there.
        let mut outdated_before = UnixSeconds(0);
        if let Some((at, _)) = entries.get(entries_max) {
            outdated_before = at.to_seconds().plus_seconds(2);
            entries.truncate(entries_max);
        }
        let mut content = Self {
            issued_before: revoked.issued_before,
            outdated_before,
            withdrawn_keys: revoked.withdrawn_keys.into_iter().collect(),
            ..Self::default()
        };
        for (_, entry) in entries {
            match entry {
                Entry::Session(session) => {
                    content.sessions.insert(session);
                }
                Entry::Ended(user, epoch) => {
                    content.subjects.insert(user, epoch);
                }
                Entry::Outdated(user, epoch) => {
                    content.outdated.insert(user, epoch);
                }
            }
        }
        content
    }

    /// The feed as it is signed.
    pub(crate) fn feed(
        &self,
        iss: String,
        tenant: TenantId,
        version: u64,
        now: UnixSeconds,
    ) -> Feed {
        Feed {
            iss,
            tenant,
            version,
            iat: now,
            exp: now.plus_seconds(LIFETIME_S),
            issued_before: self.issued_before,
            outdated_before: self.outdated_before,
            sessions: self.sessions.iter().copied().collect(),
            subjects: self.subjects.clone(),
            outdated: self.outdated.clone(),
            withdrawn_keys: self.withdrawn_keys.iter().cloned().collect(),
        }
    }
}

enum Entry {
    Session(SessionId),
    Ended(UserId, u64),
    Outdated(UserId, u64),
}

impl Entry {
    /// What is to be said of a user: that their sessions ended, and whatever changed since.
    fn of_subject(subject: Outdated) -> impl Iterator<Item = (UnixMillis, Self)> {
        let Outdated {
            user,
            least,
            at,
            ended,
        } = subject;
        let ended_epoch = ended.map_or(0, |(epoch, _)| epoch);
        let ended = ended.map(|(epoch, at)| (at, Self::Ended(user, epoch)));
        let outdated = (least > ended_epoch).then_some((at, Self::Outdated(user, least)));
        ended.into_iter().chain(outdated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::from_parts(i64::from(number), [number; 10])
    }

    fn user(number: u8) -> UserId {
        UserId::from_parts(i64::from(number), [number; 10])
    }

    fn outdated(number: u8, least: u64, at: i64) -> Outdated {
        Outdated {
            user: user(number),
            least,
            at: UnixMillis(at),
            ended: None,
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_time_and_never_forgotten() {
        let revoked = Revoked {
            issued_before: UnixSeconds(1),
            sessions: vec![
                (session(1), UnixMillis(5_000)),
                (session(2), UnixMillis(7_500)),
                (session(3), UnixMillis(9_000)),
            ],
            subjects: vec![outdated(4, 7, 8_000)],
            withdrawn_keys: Vec::new(),
        };
        let content = Content::of(revoked.clone(), 2);
        assert_eq!(content.sessions, BTreeSet::from([session(3)]));
        assert_eq!(content.outdated, BTreeMap::from([(user(4), 7)]));
        // session 2 ended at 7.5 s: its tokens carry 7 or less, or 8 if signed across the turn
        assert_eq!(content.outdated_before, UnixSeconds(9));
        assert_eq!(content.issued_before, UnixSeconds(1));
        let whole = Content::of(revoked, 4);
        assert_eq!(whole.sessions.len(), 3);
        assert_eq!(whole.outdated_before, UnixSeconds(0));
    }

    #[test]
    fn ended_sessions_and_changed_roles_of_a_user_are_told_apart() {
        let said = |subject| {
            let revoked = Revoked {
                subjects: vec![subject],
                ..Revoked::default()
            };
            let content = Content::of(revoked, 10);
            let of = |map: &BTreeMap<UserId, u64>| map.get(&user(1)).copied();
            (of(&content.subjects), of(&content.outdated))
        };
        assert_eq!(said(outdated(1, 7, 9_000)), (None, Some(7)));
        let with = |epoch| Outdated {
            ended: Some((epoch, UnixMillis(8_000))),
            ..outdated(1, 7, 9_000)
        };
        assert_eq!(said(with(7)), (Some(7), None));
        assert_eq!(said(with(5)), (Some(5), Some(7)));
    }

    #[test]
    fn a_revocation_matters_for_a_tokens_life_and_both_leeways() {
        assert_eq!(since(UnixMillis(1_000_000), 600), UnixMillis(340_000));
    }

    #[test]
    fn a_version_rises_with_the_clock_and_also_when_it_stands_or_falls() {
        assert_eq!(version(UnixMillis(1_000), None), 1_000);
        assert_eq!(version(UnixMillis(1_001), Some(1_000)), 1_001);
        assert_eq!(version(UnixMillis(1_000), Some(1_000)), 1_001);
        assert_eq!(version(UnixMillis(5), Some(1_000)), 1_001);
    }

    #[test]
    fn two_instances_give_what_says_the_same_the_same_name() {
        let tenant = TenantId::from_parts(1, [1; 10]);
        let content = |number| {
            let sessions = vec![(session(number), UnixMillis(5))];
            let revoked = Revoked {
                sessions,
                ..Revoked::default()
            };
            Content::of(revoked, 10)
        };
        let name = |number, at| content(number).etag(tenant, UnixSeconds(at)).unwrap();
        assert_eq!(name(1, 30), name(1, 44));
        assert_ne!(name(1, 30), name(1, 45));
        assert_ne!(name(1, 30), name(2, 30));
    }

    #[test]
    fn the_order_in_which_things_were_revoked_does_not_change_what_is_said() {
        let one = Revoked {
            sessions: vec![(session(1), UnixMillis(5)), (session(2), UnixMillis(6))],
            ..Revoked::default()
        };
        let mut other = one.clone();
        other.sessions.reverse();
        assert_eq!(Content::of(one, 10), Content::of(other, 10));
    }
}
