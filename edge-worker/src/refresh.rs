//! Refreshing a document: who may, from where, and what is accepted. The same code in a Worker and
//! natively; what differs between them is the [`Rim`].

use std::{pin::pin, sync::Arc};

use futures_util::future::{join_all, select};
use jwks_cache::{Lease, Response, max_age_s};
use plinto_contract::{limits, time::UnixMillis};
use plinto_jose::{Algorithm, Jwk, JwkSet, MAX_JWK_SET_BYTES};

use crate::{
    config::Config,
    document::{Copy, Document, Documents},
    freshness::{Freshness, WAIT_MS},
    keys::{KeySet, Known},
    memory::Memory,
    revocations::FEED_BYTES,
    rim::{Fetched, Place, RefreshLease, Rim},
    signed::SignedDocument,
};

/// 2.5 s: longest an answer of the control plane is waited for. It comes in milliseconds, or not at
/// all. What is left of [`WAIT_MS`] is for what the data centre has instead.
const ANSWER_MS: i64 = 2_500;
/// 2 ms, doubled each time up to 32 ms: how soon a request looks again whether somebody else's
/// refresh has ended.
const FIRST_LOOK_MS: i64 = 2;
const LAST_LOOK_MS: i64 = 32;
/// A bundle key may be newer than the set in hand, and the set's refresh may have begun earlier.
const KEY_ROUNDS: usize = 3;

/// Waits until these documents were refreshed, by this request or by those who are at it, but not
/// beyond `deadline`.
pub async fn settle<R: Rim>(rim: &R, documents: Documents, deadline: UnixMillis) {
    let waits = documents.iter().map(|document| async move {
        match begin(rim, document) {
            Some(lease) => rim.run(lease).await,
            None => wait_for_others(rim, document).await,
        }
    });
    let left_ms = deadline.millis_since(rim.now());
    select(pin!(join_all(waits)), pin!(rim.pause(left_ms))).await;
}

/// Refreshes a document behind the answer, unless somebody is at it or it failed just now.
pub fn start<R: Rim>(rim: &R, document: Document) {
    if let Some(lease) = begin(rim, document) {
        drop(rim.run(lease));
    }
}

/// Takes the lease, if it is to be had.
pub fn begin<R: Rim>(rim: &R, document: Document) -> Option<RefreshLease> {
    let now = rim.now();
    let mut memory = rim.memory();
    let keys = |memory: &mut Memory, set| {
        let lease = memory.keys.begin(set, now)?;
        Some(RefreshLease::Keys(set, lease))
    };
    match document {
        Document::TokenKeys => keys(&mut memory, KeySet::Token),
        Document::BundleKeys => keys(&mut memory, KeySet::Bundle),
        Document::Policy | Document::Revocations => freshness(&mut memory, document)
            .lease(now)
            .then_some(RefreshLease::Signed(document)),
    }
}

/// A Worker's request can't await another request's promise, so it looks again and again.
async fn wait_for_others<R: Rim>(rim: &R, document: Document) {
    let mut look_ms = FIRST_LOOK_MS;
    loop {
        let now = rim.now();
        if !rim.memory().is_refreshing(document, now) {
            return;
        }
        rim.pause(look_ms).await;
        look_ms = look_ms.saturating_mul(2).min(LAST_LOOK_MS);
    }
}

/// Refreshes one document.
/// Errors: one line for the log; what was in hand stays.
pub async fn refresh<R: Rim>(rim: &R, lease: RefreshLease) -> Result<(), String> {
    let document = match lease {
        RefreshLease::Keys(KeySet::Token, _) => Document::TokenKeys,
        RefreshLease::Keys(KeySet::Bundle, _) => Document::BundleKeys,
        RefreshLease::Signed(document) => document,
    };
    let place = place(rim, document);
    let outcome = match lease {
        RefreshLease::Keys(set, lease) => refresh_keys(rim, &place, set, lease).await,
        RefreshLease::Signed(_) => refresh_signed(rim, &place).await,
    };
    outcome.map_err(|error| format!("{}: {error}", place.url))
}

async fn refresh_keys<R: Rim>(
    rim: &R,
    place: &Place,
    set: KeySet,
    lease: Lease,
) -> Result<(), String> {
    let max_age = |copy: &Copy| copy.cache_control.as_deref().and_then(max_age_s);
    let asked_at = rim.now();
    let answer = newest(rim, place)
        .await
        .and_then(|copy| Ok((key_set(&copy)?, copy)));
    let error = match answer {
        Ok((keys, copy)) => {
            let lease = lease.older_by(asked_at.millis_since(copy.confirmed_at));
            let is_taken = rim.memory().keys.store(lease, keys, max_age(&copy));
            if !is_taken {
                return Err("the answer is older than what is in hand".to_owned());
            }
            *rim.memory().held.get_mut(place.document) = Some(copy.clone());
            rim.share(place, &copy).await;
            return Ok(());
        }
        Err(error) => error,
    };
    let now = rim.now();
    let has_some = rim.memory().keys.age_ms(set, now).is_some();
    if !has_some
        && let Some(copy) = rim.cached(place).await
        && let Ok(keys) = key_set(&copy)
    {
        let mut memory = rim.memory();
        let confirmed_at = copy.confirmed_at;
        memory.keys.restore(set, keys, max_age(&copy), confirmed_at);
        *memory.held.get_mut(place.document) = Some(copy);
    }
    let now = rim.now();
    rim.memory().keys.failed(lease, now);
    Err(error)
}

async fn refresh_signed<R: Rim>(rim: &R, place: &Place) -> Result<(), String> {
    let began = rim.now();
    let until = began.plus_millis(WAIT_MS);
    let cached = rim.cached(place).await;
    let Err(error) = renew(rim, place, cached.as_ref(), until).await else {
        return young_enough(rim, place, began);
    };
    if held(rim, place).is_none()
        && let Some(copy) = cached
    {
        match accept(rim, place, &copy, until).await {
            Ok(()) => keep(rim, place, copy),
            Err(error) => rim.log(&format!("{}: the last copy: {error}", place.url)),
        }
    }
    let now = rim.now();
    freshness(&mut rim.memory(), place.document).failed(now);
    Err(error)
}

/// A control plane that cannot reach its database answers with what it knows, and says how old that
/// is. Asking again at once brings nothing better, so it counts as a failure: requests go on with it
/// up to the hard limit, and the pauses between attempts grow.
fn young_enough<R: Rim>(rim: &R, place: &Place, began: UnixMillis) -> Result<(), String> {
    let (now, bound_ms) = (rim.now(), bound_ms(rim, place.document));
    let mut memory = rim.memory();
    let freshness = freshness(&mut memory, place.document);
    match freshness.age_ms(began) {
        Some(age_ms) if age_ms >= bound_ms => {
            freshness.failed(now);
            Err(format!("what the control plane knows is {age_ms} ms old"))
        }
        _ => Ok(()),
    }
}

/// Takes the data centre's copy if it is young enough, else the control plane's.
async fn renew<R: Rim>(
    rim: &R,
    place: &Place,
    cached: Option<&Copy>,
    until: UnixMillis,
) -> Result<(), String> {
    let young_ms = bound_ms(rim, place.document) / 2;
    let is_young = |copy: &&Copy| rim.now().millis_since(copy.confirmed_at) < young_ms;
    if let Some(copy) = cached.filter(is_young) {
        match accept(rim, place, copy, until).await {
            Ok(()) => {
                keep(rim, place, copy.clone());
                return Ok(());
            }
            Err(error) => rim.log(&format!("{}: the shared copy: {error}", place.url)),
        }
    }
    let copy = newest(rim, place).await?;
    accept(rim, place, &copy, until).await?;
    keep(rim, place, copy.clone());
    rim.share(place, &copy).await;
    Ok(())
}

/// What the control plane has now.
async fn newest<R: Rim>(rim: &R, place: &Place) -> Result<Copy, String> {
    let held = held(rim, place).filter(|_| may_keep(rim, place.document));
    let etag = held.as_ref().and_then(|copy| copy.etag.clone());
    match rim.fetch(place, etag.as_deref(), ANSWER_MS).await? {
        Fetched::New(copy) => Ok(copy),
        Fetched::NotModified(confirmed_at) => match held {
            Some(copy) => Ok(Copy {
                confirmed_at,
                ..copy
            }),
            None => Err("not modified, but nothing is in hand".to_owned()),
        },
    }
}

/// 2^31 s: an age too large to be told. Source: RFC 9111 §1.2.2.
const OLDEST_S: u32 = 1 << 31;

/// How old an answer says it is (RFC 9111 §5.1), in milliseconds. The RFC takes the first of several
/// and leaves out one that can't be read; here the oldest counts, and what can't be read is too old:
/// what decides who gets in is never taken for younger than somebody says it is.
pub fn age_ms(header: Option<&str>) -> i64 {
    let ages = header.into_iter().flat_map(|text| text.split(','));
    let seconds = ages.map(|age| age.trim().parse::<u32>().unwrap_or(OLDEST_S));
    i64::from(seconds.max().unwrap_or_default()).saturating_mul(1_000)
}

fn keep<R: Rim>(rim: &R, place: &Place, copy: Copy) {
    let mut memory = rim.memory();
    let at_most = match place.document {
        Document::Revocations => memory.revocations.confirmed_at_most(),
        _ => None,
    };
    let confirmed_at = at_most.map_or(copy.confirmed_at, |at_most| copy.confirmed_at.min(at_most));
    freshness(&mut memory, place.document).confirmed(confirmed_at);
    *memory.held.get_mut(place.document) = Some(copy);
}

fn key_set(copy: &Copy) -> Result<JwkSet, String> {
    let answer = Response {
        status: 200,
        redirected: false,
        body: &copy.body,
    };
    answer.keys().map_err(|error| error.to_string())
}

/// Lets the memory take a copy over, once its signature is checked; one that it has already counts as good.
async fn accept<R: Rim>(
    rim: &R,
    place: &Place,
    copy: &Copy,
    until: UnixMillis,
) -> Result<(), String> {
    let is_held = held(rim, place).is_some_and(|held| held.body == copy.body);
    if is_held && may_keep(rim, place.document) {
        return Ok(());
    }
    match place.document {
        Document::Policy => verify(rim, &copy.body, until, Memory::accept_bundle).await,
        _ => verify(rim, &copy.body, until, Memory::accept_feed).await,
    }
}

/// Checks a signed document, and lets `accept` take it over.
async fn verify<R: Rim, D: SignedDocument>(
    rim: &R,
    body: &[u8],
    until: UnixMillis,
    accept: impl FnOnce(&mut Memory, D, &Config, UnixMillis) -> Result<(), D::Error>,
) -> Result<(), String> {
    let document = D::read(body).map_err(|error| error.to_string())?;
    let kid = document.kid().ok_or("the signature names no key")?;
    let key = bundle_key(rim, kid, document.alg(), until).await?;
    let job = document
        .signature_job(&key)
        .map_err(|error| error.to_string())?;
    if !rim.verify(&job).await {
        return Err("the signature is not valid".to_owned());
    }
    let now = rim.now();
    let mut memory = rim.memory();
    // Only now: a feed that withdraws the key may have come during the check.
    if memory.is_withdrawn(kid, now) {
        return Err("the signing key was withdrawn".to_owned());
    }
    accept(&mut memory, document, rim.config(), now).map_err(|error| error.to_string())
}

/// The key that signed a document, fetched if need be.
async fn bundle_key<R: Rim>(
    rim: &R,
    kid: &str,
    alg: Algorithm,
    until: UnixMillis,
) -> Result<Arc<Jwk>, String> {
    for _ in 0..KEY_ROUNDS {
        let now = rim.now();
        let found = rim.memory().keys.find(KeySet::Bundle, kid, alg, now);
        match found {
            Known::Key { key, is_due } => {
                if is_due {
                    start(rim, Document::BundleKeys);
                }
                return Ok(key);
            }
            Known::Wait => {
                let mut keys = Documents::default();
                keys.insert(Document::BundleKeys);
                settle(rim, keys, until).await;
            }
            Known::Unknown => return Err("the signing key is not published".to_owned()),
            Known::NoKeys => break,
        }
    }
    Err("the bundle keys could not be fetched".to_owned())
}

/// The copy in hand, which was accepted.
fn held<R: Rim>(rim: &R, place: &Place) -> Option<Copy> {
    rim.memory().held.get(place.document).clone()
}

/// Whether what is in hand would be accepted again.
fn may_keep<R: Rim>(rim: &R, document: Document) -> bool {
    let now = rim.now();
    document != Document::Revocations || rim.memory().revocations.is_acceptable(now)
}

fn place<R: Rim>(rim: &R, document: Document) -> Place {
    let at = |path| format!("{}{path}", rim.config().control_plane);
    let (url, max_bytes) = match document {
        Document::TokenKeys => (
            rim.memory().keys.url(KeySet::Token).to_owned(),
            MAX_JWK_SET_BYTES,
        ),
        Document::BundleKeys => (
            rim.memory().keys.url(KeySet::Bundle).to_owned(),
            MAX_JWK_SET_BYTES,
        ),
        Document::Policy => (at("/edge/bundle"), limits::ACTIVATED_PACKED_BYTES),
        Document::Revocations => (at("/edge/revocations"), FEED_BYTES),
    };
    Place {
        document,
        url,
        max_bytes,
    }
}

/// Age from which on a document is waited for; keys have their own rules.
fn bound_ms<R: Rim>(rim: &R, document: Document) -> i64 {
    match document {
        Document::TokenKeys | Document::BundleKeys => 0,
        Document::Policy => rim.config().policy_max_age_ms,
        Document::Revocations => rim.config().revocation_max_age_ms,
    }
}

/// How fresh the policy or the feed is.
const fn freshness(memory: &mut Memory, document: Document) -> &mut Freshness {
    match document {
        Document::Policy => &mut memory.policy.freshness,
        _ => &mut memory.revocations.freshness,
    }
}

#[cfg(test)]
mod tests {
    use super::age_ms;

    #[test]
    fn an_age_that_cannot_be_read_is_no_youth() {
        for (header, seconds) in [
            (None, 0),
            (Some("7"), 7),
            (Some("50, 60"), 60),
            (Some("60,50"), 60),
            (Some("4294967296"), 1_i64 << 31),
            (Some("-1"), 1 << 31),
            (Some("soon"), 1 << 31),
        ] {
            assert_eq!(age_ms(header), seconds * 1_000, "{header:?}");
        }
    }
}
