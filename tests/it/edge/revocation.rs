//! The bound on revocation: who is refused, how soon, and what happens when nobody can say.

use edge_worker::{document::Document, refusal::Challenge};
use plinto_contract::{headers, revocation::Feed};

use super::offline::{Offline, code, header, passed, refused};

fn revoke(edge: &mut Offline, change: impl FnOnce(&mut Feed)) {
    let mut feed = edge.authority.feed(2);
    change(&mut feed);
    edge.served.revocations = Some(edge.authority.signed_feed(&feed).into_bytes());
}

/// S3, S4: session, user, whole tenant; also for a token that was verified before.
#[test]
fn what_is_revoked_is_refused_within_the_bound() {
    type Change = fn(&mut Feed, &Offline);
    let changes: [Change; 4] = [
        |feed, edge| {
            feed.sessions.push(edge.authority.claims().sid);
        },
        |feed, edge| {
            let claims = edge.authority.claims();
            feed.subjects.insert(claims.sub, claims.epoch + 1);
        },
        |feed, edge| feed.issued_before = edge.authority.now.plus_seconds(1),
        // and whatever else the feed says of them
        |feed, edge| {
            let claims = edge.authority.claims();
            feed.sessions.push(claims.sid);
            feed.outdated.insert(claims.sub, claims.epoch + 1);
            feed.outdated_before = edge.authority.now.plus_seconds(1);
        },
    ];
    for change in changes {
        let mut edge = Offline::new();
        passed(edge.read());
        let mut feed = edge.authority.feed(2);
        change(&mut feed, &edge);
        revoke(&mut edge, |served| *served = feed);
        edge.wait_ms(1_000);
        assert_eq!(code(edge.read()), "token_revoked");
    }
}

/// Z5: whose roles changed hears so, and that a refresh helps; to OAuth's clients it is a token that
/// is good no more, as ever (RFC 6750 §3.1).
#[test]
fn a_change_of_roles_is_not_told_as_a_revocation() {
    type Change = fn(&mut Feed, &Offline);
    let changes: [Change; 2] = [
        |feed, edge| {
            let claims = edge.authority.claims();
            feed.outdated.insert(claims.sub, claims.epoch + 1);
        },
        |feed, edge| feed.outdated_before = edge.authority.now.plus_seconds(1),
    ];
    for change in changes {
        let mut edge = Offline::new();
        passed(edge.read());
        let mut feed = edge.authority.feed(2);
        change(&mut feed, &edge);
        revoke(&mut edge, |served| *served = feed);
        edge.wait_ms(1_000);
        let refusal = refused(edge.read());
        assert_eq!(refusal.code.as_str(), "token_outdated");
        assert_eq!(refusal.challenge, Challenge::Error("invalid_token"));
        for word in ["roles", "refresh"] {
            assert!(refusal.detail.contains(word), "{}", refusal.detail);
        }
        passed(edge.read_as(|claims| {
            claims.epoch += 1;
            claims.iat = claims.iat.plus_seconds(1);
        }));
    }
}

#[test]
fn tokens_issued_after_the_revocation_pass() {
    let mut edge = Offline::new();
    passed(edge.read());
    let now = edge.authority.now;
    revoke(&mut edge, |feed| feed.issued_before = now.plus_seconds(1));
    edge.wait_ms(1_000);
    assert_eq!(code(edge.read()), "token_revoked");
    passed(edge.read_as(|claims| claims.iat = claims.iat.plus_seconds(1)));
}

/// Z5: what a token says decides, not its second: an old one is refused though it was signed after the
/// change, a new one passes though it was signed in the same second.
#[test]
fn a_users_tokens_are_told_apart_by_their_epoch_and_by_no_clock() {
    let mut edge = Offline::new();
    let claims = edge.authority.claims();
    revoke(&mut edge, |feed| {
        feed.subjects.insert(claims.sub, claims.epoch + 1);
    });
    let of = |epoch: u64, later_s: i64| {
        move |claims: &mut plinto_contract::claims::AccessToken| {
            claims.epoch = epoch;
            claims.iat = claims.iat.plus_seconds(later_s);
        }
    };
    assert_eq!(code(edge.read_as(of(claims.epoch, 5))), "token_revoked");
    passed(edge.read_as(of(claims.epoch + 1, 0)));
    passed(edge.read_as(of(claims.epoch + 2, -5)));
}

#[test]
fn under_traffic_the_feed_is_refreshed_behind_requests_and_after_a_quiet_before_them() {
    let mut edge = Offline::new();
    passed(edge.read());
    edge.served.asked.clear();
    edge.wait_ms(499);
    passed(edge.read());
    assert!(!edge.served.asked.contains(&Document::Revocations));
    edge.wait_ms(1);
    passed(edge.read());
    assert!(edge.served.asked.contains(&Document::Revocations));
    // quiet: the request that comes after it is decided by what is true now
    let sid = edge.authority.claims().sid;
    revoke(&mut edge, |feed| {
        feed.sessions.push(sid);
    });
    edge.wait_ms(300_000);
    assert_eq!(code(edge.read()), "token_revoked");
}

/// I12: nobody passes on a feed that is older than the hard limit, unless configured, flagged.
#[test]
fn past_the_hard_limit_it_fails_closed_or_flagged_as_configured() {
    let mut closed = Offline::new();
    passed(closed.read());
    closed.cut_off();
    closed.wait_ms(59_999);
    passed(closed.read());
    closed.wait_ms(1);
    assert_eq!(code(closed.read()), "revocation_unknown");

    // the hard limit decides, not the feed's own, shorter life
    let mut patient = Offline::with(
        &[("REVOCATION_HARD_LIMIT_S", "600")],
        &[plinto_jose::Algorithm::Es256],
    );
    let soon = patient.now.to_seconds().plus_seconds(60);
    revoke(&mut patient, |feed| feed.exp = soon);
    passed(patient.read());
    patient.cut_off();
    patient.wait_ms(599_999);
    passed(patient.read());
    patient.wait_ms(1);
    assert_eq!(code(patient.read()), "revocation_unknown");

    let variables = [
        ("REVOCATION_ON_STALE", "allow"),
        ("REVOCATION_HARD_LIMIT_S", "5"),
    ];
    let mut flagged = Offline::with(&variables, &[plinto_jose::Algorithm::Es256]);
    let pass = passed(flagged.read());
    assert_eq!(header(&pass, headers::REVOCATION_STALE), None);
    flagged.cut_off();
    flagged.wait_ms(5_000);
    let pass = passed(flagged.read());
    assert_eq!(header(&pass, headers::REVOCATION_STALE), Some("1"));
    // but an edge that never had a feed lets nobody pass
    let mut cold = Offline::with(&variables, &[plinto_jose::Algorithm::Es256]);
    cold.served.revocations = None;
    assert_eq!(code(cold.read()), "revocation_unknown");
}

#[test]
fn who_is_known_to_be_revoked_stays_so_without_a_control_plane() {
    let mut edge = Offline::with(
        &[("REVOCATION_ON_STALE", "allow")],
        &[plinto_jose::Algorithm::Es256],
    );
    let sid = edge.authority.claims().sid;
    revoke(&mut edge, |feed| {
        feed.sessions.push(sid);
    });
    assert_eq!(code(edge.read()), "token_revoked");
    edge.cut_off();
    edge.wait_ms(120_000);
    assert_eq!(code(edge.read()), "token_revoked");
}

#[test]
fn a_feed_that_is_not_right_is_refused_and_the_one_in_hand_stays() {
    let mut edge = Offline::new();
    let sid = edge.authority.claims().sid;
    revoke(&mut edge, |feed| {
        feed.version = 7;
        feed.sessions.push(sid);
    });
    assert_eq!(code(edge.read()), "token_revoked");
    let good = edge.authority.feed(8);
    // the version in hand, but nobody is revoked any more
    let changed = Feed {
        version: 7,
        ..good.clone()
    };
    let other = Feed {
        issued_before: edge.now.to_seconds(),
        sessions: vec![sid],
        ..changed.clone()
    };
    let older = Feed {
        version: 6,
        ..good.clone()
    };
    let expired = Feed {
        exp: edge.now.to_seconds(),
        ..good.clone()
    };
    let future = Feed {
        iat: edge.now.to_seconds().plus_seconds(3_600),
        ..good.clone()
    };
    let foreign = Feed {
        iss: "https://other.example.com".to_owned(),
        ..good.clone()
    };
    let other_tenant = Feed {
        tenant: plinto_contract::ids::TenantId::from_parts(9, [9; 10]),
        ..good.clone()
    };
    let payload = serde_json::to_vec(&good).unwrap();
    let token_key = &edge.authority.token_keys[0];
    let typ = plinto_contract::revocation::TYP_REVOCATIONS;
    let mut bad: Vec<String> = [
        changed,
        other,
        older,
        expired,
        future,
        foreign,
        other_tenant,
    ]
    .iter()
    .map(|feed| edge.authority.signed_feed(feed))
    .collect();
    bad.push(
        edge.authority
            .bundle_key
            .sign(Some("at+jwt"), &payload)
            .unwrap(),
    );
    bad.push(edge.authority.bundle_key.sign(None, &payload).unwrap());
    bad.push(token_key.sign(Some(typ), &payload).unwrap());
    bad.push("garbage".to_owned());
    for feed in bad {
        edge.served.revocations = Some(feed.clone().into_bytes());
        edge.wait_ms(15_000);
        let outcome = edge
            .isolate
            .refresh(Document::Revocations, &mut edge.served, edge.now)
            .unwrap();
        assert!(outcome.is_err(), "{feed}");
        assert_eq!(edge.isolate.memory.revocations.version(), Some(7));
    }
}

/// S3, S4: who looks every half of the bound, with a feed of at most the other half, knows within the whole.
#[test]
fn what_goes_on_is_judged_by_a_feed_of_half_the_bound() {
    let mut edge = Offline::new();
    passed(edge.read());
    let sid = edge.authority.claims().sid;
    revoke(&mut edge, |feed| feed.sessions.push(sid));
    edge.wait_ms(499);
    assert_eq!(edge.recheck(), Ok(()));
    edge.wait_ms(1);
    assert_eq!(edge.recheck(), Err("token_revoked"));
}

/// What goes on needs its token, its key and the feed, as long as requests do; the policy had its say.
#[test]
fn what_goes_on_ends_as_a_new_request_would_but_for_the_policy() {
    let mut edge = Offline::new();
    passed(edge.read());
    let closed = "package app.authz\n\nimport rego.v1\n\ndecision := {\"allow\": false}\n";
    let closed = plinto_tests::authority::Activated {
        sequence: 2,
        policy: closed.to_owned(),
        ..edge.authority.activated()
    };
    edge.served.policy = Some(edge.authority.bundle(&closed));
    edge.wait_ms(2_000);
    assert_eq!(code(edge.read()), "policy_denied");
    assert_eq!(edge.recheck(), Ok(()));

    let mut expired = Offline::new();
    passed(expired.read());
    expired.wait_ms(600_000 + 30_000 - 1);
    expired.sign_feed_anew();
    assert_eq!(expired.recheck(), Ok(()));
    expired.wait_ms(1);
    assert_eq!(expired.recheck(), Err("token_expired"));

    let mut silent = Offline::new();
    passed(silent.read());
    silent.cut_off();
    silent.wait_ms(59_999);
    assert_eq!(silent.recheck(), Ok(()));
    silent.wait_ms(1);
    assert_eq!(silent.recheck(), Err("revocation_unknown"));

    let mut withdrawn = Offline::new();
    passed(withdrawn.read());
    let other = Offline::new().authority.token_jwks();
    withdrawn.served.token_keys = Some(other);
    withdrawn.wait_ms(120_000);
    assert_eq!(withdrawn.recheck(), Err("token_invalid"));
}

/// S3: a cache that answers "not modified" for ever confirms nothing beyond the period in which the feed
/// was signed, so the hard limit doesn't begin anew with each such answer.
#[test]
fn what_is_not_modified_for_too_long_confirms_nothing() {
    let mut edge = Offline::new();
    for _ in 0..80 {
        edge.wait_ms(1_000);
        passed(edge.read());
    }
    edge.wait_ms(8_000);
    assert_eq!(code(edge.read()), "revocation_unknown");
}
