//! How long requests wait, in virtual time: for a control plane that is slow, silent or wrong,
//! side by side, and when one of them is given up.

use std::rc::Rc;

use edge_worker::{
    document::{Document, Documents},
    freshness::WAIT_MS,
    gate::AccessDecision,
    health,
    keys::KeySet,
};
use futures_util::future::join;
use plinto_contract::time::UnixMillis;
use plinto_tests::authority::Authority;

use super::{
    offline::{code, passed},
    simulated::{Centre, Conduct},
};

const HOUR_MS: i64 = 3_600_000;

/// Longer than this is a wait for somebody who does not answer.
const SLOW_MS: i64 = 1_000;

/// N14: whatever and however much is missing, a request waits once, for the slowest.
#[test]
fn a_cold_edge_before_a_silent_control_plane_refuses_within_one_time_out() {
    for silent in Document::ALL {
        let centre = Centre::new();
        centre.behave_at(silent, Conduct::Silent);
        let (decision, waited_ms) = centre.isolate().timed(&centre.token());
        let code = code(decision);
        assert!(
            ["edge_not_ready", "revocation_unknown"].contains(&code),
            "{silent:?}: {code}"
        );
        assert!(waited_ms <= WAIT_MS, "{silent:?}: {waited_ms} ms");
    }
    let centre = Centre::new();
    centre.behave(Conduct::Silent);
    let (decision, waited_ms) = centre.isolate().timed(&centre.token());
    assert_eq!(code(decision), "edge_not_ready");
    assert!(waited_ms <= WAIT_MS, "{waited_ms} ms");
}

/// A control plane that falls silent costs a warm edge one time-out per document, and not another
/// one after each pause.
#[test]
fn under_traffic_a_silent_control_plane_is_waited_for_once_per_document() {
    // policy and feed become due, fail and pause at different moments
    for gap_ms in [0, 130, 260, 390] {
        let centre = Centre::new();
        let edge = centre.isolate();
        let token = centre.token();
        passed(edge.timed(&token).0);
        centre.wait_ms(600);
        centre.behave_at(Document::Policy, Conduct::Silent);
        passed(edge.timed(&token).0);
        centre.wait_ms(gap_ms);
        centre.behave(Conduct::Silent);
        let (mut slow, began) = (Vec::new(), centre.now());
        while centre.now().millis_since(began) < 50_000 {
            let (decision, waited_ms) = edge.timed(&token);
            passed(decision);
            assert!(waited_ms <= WAIT_MS, "{waited_ms} ms");
            if waited_ms > SLOW_MS {
                slow.push((centre.now().millis_since(began), waited_ms));
            }
            centre.wait_ms(25);
        }
        assert!(slow.len() <= 2, "gap {gap_ms}: {slow:?}");
    }
}

/// After a quiet nobody knows whether the control plane still fails: the bound holds again.
#[test]
fn after_a_quiet_a_request_waits_for_the_feed_again() {
    let centre = Centre::new();
    let edge = centre.isolate();
    let token = centre.token();
    passed(edge.timed(&token).0);
    centre.behave_at(Document::Revocations, Conduct::Silent);
    centre.wait_ms(5_000);
    passed(edge.timed(&token).0);
    centre.behave(Conduct::Answers(40));
    centre.wait_ms(10_000);
    let (decision, waited_ms) = edge.timed(&token);
    passed(decision);
    assert!((40..SLOW_MS).contains(&waited_ms), "{waited_ms} ms");
    let age = edge
        .memory
        .borrow()
        .revocations
        .freshness
        .age_ms(centre.now());
    assert!(age.unwrap() < SLOW_MS, "{age:?}");
}

/// S3: a control plane whose database is away answers with what it knows; an edge takes that for as old
/// as it is said to be, waits for nothing better, and refuses past the hard limit.
#[test]
fn a_feed_that_is_said_to_be_old_counts_as_old() {
    let centre = Centre::new();
    let edge = centre.isolate();
    let token = centre.token();
    passed(edge.timed(&token).0);
    centre.wait_ms(5_000);
    centre.behave_at(Document::Revocations, Conduct::Remembers(5_000));
    for _ in 0..100 {
        let (decision, waited_ms) = edge.timed(&token);
        passed(decision);
        assert!(waited_ms < SLOW_MS, "{waited_ms} ms");
    }
    let asked = centre.asked.borrow();
    let feeds = asked
        .iter()
        .filter(|(document, _)| *document == Document::Revocations);
    assert_eq!(feeds.count(), 2, "asked again and again for the same");
    drop(asked);
    centre.behave_at(Document::Revocations, Conduct::Remembers(60_000));
    let (decision, _) = centre.isolate().timed(&token);
    assert_eq!(code(decision), "revocation_unknown");
}

/// A new isolate lives on what its data centre had last, within one time-out, although the policy
/// and the feed need keys that don't come either.
#[test]
fn a_new_isolate_before_a_silent_control_plane_answers_from_the_cache() {
    let centre = Centre::new();
    let token = centre.token();
    passed(centre.isolate().timed(&token).0);
    centre.behave(Conduct::Silent);
    centre.wait_ms(20_000);
    let (decision, waited_ms) = centre.isolate().timed(&token);
    passed(decision);
    assert!(waited_ms < WAIT_MS, "{waited_ms} ms");
    // and so it does when the answer is no document at all
    centre.behave(Conduct::Babbles);
    let (decision, waited_ms) = centre.isolate().timed(&token);
    passed(decision);
    assert!(waited_ms < SLOW_MS, "{waited_ms} ms");
}

/// What another isolate has just fetched is taken; when it turns out to be bad, the control plane
/// is asked, and nothing counts as a failure.
#[test]
fn a_bad_copy_in_the_cache_costs_one_question() {
    let centre = Centre::new();
    let token = centre.token();
    passed(centre.isolate().timed(&token).0);
    centre.asked.borrow_mut().clear();
    passed(centre.isolate().timed(&token).0);
    let asked: Vec<_> = centre
        .asked
        .borrow()
        .iter()
        .map(|(document, _)| *document)
        .collect();
    assert!(!asked.contains(&Document::Policy), "{asked:?}");

    for copy in centre.cache.borrow_mut().values_mut() {
        copy.body = Rc::new(b"poison".to_vec());
        copy.confirmed_at = centre.now();
    }
    let edge = centre.isolate();
    let (decision, waited_ms) = edge.timed(&token);
    passed(decision);
    assert!(waited_ms < 200, "{waited_ms} ms");
    let now = centre.now();
    assert!(
        edge.memory.borrow_mut().policy.freshness.lease(now),
        "it pauses"
    );
}

/// T15: keys from the cache are as old as they are, so that they end when they would have.
#[test]
fn keys_from_the_cache_are_as_old_as_they_are() {
    let centre = Centre::new();
    passed(centre.isolate().timed(&centre.token()).0);
    centre.behave_at(Document::TokenKeys, Conduct::Silent);
    centre.wait_ms(23 * HOUR_MS);
    let edge = centre.isolate();
    let token = centre.token();
    passed(edge.timed(&token).0);
    let age = edge
        .memory
        .borrow()
        .keys
        .age_ms(KeySet::Token, centre.now());
    assert!(age.unwrap() >= 23 * HOUR_MS, "{age:?}");
    assert!(
        !edge
            .memory
            .borrow()
            .keys
            .is_fresh(KeySet::Token, centre.now())
    );
    centre.wait_ms(HOUR_MS);
    assert_eq!(code(edge.timed(&centre.token()).0), "edge_not_ready");
}

/// A client that goes away leaves its refresh to the others: they wait for the answer, not for the
/// lease to lapse.
#[test]
fn a_client_that_goes_away_does_not_hold_the_others_up() {
    let centre = Centre::new();
    centre.behave(Conduct::Answers(300));
    let (edge, token) = (centre.isolate(), centre.token());
    let mut given_up = Box::pin(edge.read(&token));
    assert!(
        centre
            .poll(&mut |context| given_up.as_mut().poll(context))
            .is_pending()
    );
    drop(given_up);
    centre.wait_ms(10);
    let (decision, waited_ms) = edge.timed(&token);
    passed(decision);
    assert!(waited_ms < 400, "{waited_ms} ms");
}

/// T12: requests side by side cause one question per document.
#[test]
fn requests_side_by_side_share_their_questions() {
    let centre = Centre::new();
    let (edge, token) = (centre.isolate(), centre.token());
    let pair = join(edge.read(&token), edge.read(&token));
    let (one, other) = centre.run(pair);
    passed(one);
    passed(other);
    for document in Document::ALL {
        let asked = centre.asked.borrow();
        let times = asked.iter().filter(|(asked, _)| *asked == document).count();
        assert_eq!(times, 1, "{document:?}");
    }
}

/// T15: after a quiet every request waits for the keys, not only the one that asks for them.
#[test]
fn a_withdrawn_key_is_refused_to_all_who_come_together() {
    let centre = Centre::new();
    let (edge, token) = (centre.isolate(), centre.token());
    passed(edge.timed(&token).0);
    centre.authority.borrow_mut().token_keys.remove(0);
    centre.wait_ms(120_000);
    let (one, other) = centre.run(join(edge.read(&token), edge.read(&token)));
    assert_eq!((code(one), code(other)), ("token_invalid", "token_invalid"));
}

/// T15: a stranger who names a key before its time does not keep it out once it signs.
#[test]
fn a_key_that_a_stranger_named_too_early_is_found_when_it_signs() {
    let centre = Centre::new();
    let edge = centre.isolate();
    let coming = centre.authority.borrow_mut().token_keys.pop().unwrap();
    passed(edge.timed(&centre.token()).0);
    centre.wait_ms(1_000);
    let claims = centre.authority.borrow().claims();
    let early = Authority::token_by(&coming, &serde_json::to_value(claims).unwrap());
    assert_eq!(code(edge.timed(&early).0), "token_invalid");
    // published half a minute before it signs; from then on nobody uses the old key any more
    centre.authority.borrow_mut().token_keys.push(coming);
    centre.wait_ms(30_000);
    centre.authority.borrow_mut().token_keys.swap(0, 1);
    for _ in 0..60 {
        passed(edge.timed(&centre.token()).0);
        centre.wait_ms(1_000);
    }
}

/// Unchanged documents are asked for with their `ETag`, and their age starts anew.
#[test]
fn not_modified_makes_a_document_young_again() {
    let centre = Centre::new();
    let (edge, token) = (centre.isolate(), centre.token());
    passed(edge.timed(&token).0);
    centre.asked.borrow_mut().clear();
    centre.wait_ms(1_500);
    passed(edge.timed(&token).0);
    let of = |document| -> Vec<bool> {
        let asked = centre.asked.borrow();
        let asked = asked.iter().filter(|(asked, _)| *asked == document);
        asked.map(|(_, is_known)| *is_known).collect()
    };
    assert_eq!(of(Document::Policy), [true]);
    assert_eq!(of(Document::Revocations), [false]);
    let age = edge.memory.borrow().policy.freshness.age_ms(centre.now());
    assert!(age.unwrap() < 100, "{age:?}");
}

/// T12: `/.plinto/health` makes nobody fetch what is fresh, however often it is asked for.
#[test]
fn the_health_report_refreshes_only_what_is_due() {
    let centre = Centre::new();
    let edge = centre.isolate();
    let due = |now: UnixMillis| health::due(&edge.config, &edge.memory.borrow(), now);
    let cold = due(centre.now());
    assert_eq!(cold.wait.iter().count(), 4);
    let (decision, _) = edge.timed(&centre.token());
    assert!(matches!(decision, AccessDecision::Pass(_)));
    assert_eq!(due(centre.now()).wait, Documents::default());
    assert_eq!(due(centre.now()).behind, Documents::default());
    centre.wait_ms(700);
    let behind: Vec<_> = due(centre.now()).behind.iter().collect();
    assert_eq!(behind, [Document::Policy, Document::Revocations]);
    centre.wait_ms(700);
    let wait: Vec<_> = due(centre.now()).wait.iter().collect();
    assert_eq!(wait, [Document::Policy, Document::Revocations]);
}
