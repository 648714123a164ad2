//! Keys, bundle and their absence: what the edge takes, what it refuses, and that the last good
//! policy stays in force.

use edge_worker::document::Document;
use plinto_contract::ids::TenantId;
use plinto_jose::{Algorithm, SigningKey};
use plinto_tests::authority::{Activated, Authority};

use super::offline::{Offline, code, passed};

const OPEN: &str = "package app.authz\n\nimport rego.v1\n\ndecision := {\"allow\": true}\n";
const CLOSED: &str = "package app.authz\n\nimport rego.v1\n\ndecision := {\"allow\": false}\n";

fn offered(edge: &Offline, sequence: u64, policy: &str) -> Activated {
    Activated {
        sequence,
        policy: policy.to_owned(),
        ..edge.authority.activated()
    }
}

/// What the edge says to an offered bundle.
fn offer(edge: &mut Offline, bundle: Vec<u8>) -> Result<(), String> {
    edge.served.policy = Some(bundle);
    edge.wait_ms(60_000);
    edge.isolate
        .refresh(Document::Policy, &mut edge.served, edge.now)
        .unwrap()
}

#[test]
fn a_newly_activated_bundle_decides_within_two_seconds() {
    let mut edge = Offline::new();
    passed(edge.read());
    let closed = edge.authority.bundle(&offered(&edge, 2, CLOSED));
    edge.served.policy = Some(closed);
    // also when nobody asked anything for a long time
    for quiet_ms in [2_000, 3_600_000] {
        edge.wait_ms(quiet_ms);
        edge.sign_feed_anew();
        let token = {
            edge.authority.now = edge.now.to_seconds();
            edge.authority.token(&edge.authority.claims())
        };
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(&token))),
            "policy_denied"
        );
    }
}

#[test]
fn a_bundle_that_is_not_right_is_refused_whole_and_the_last_good_one_stays() {
    let mut edge = Offline::new();
    let second = edge.authority.bundle(&offered(&edge, 5, OPEN));
    offer(&mut edge, second.clone()).unwrap();
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let other_tenant = Activated {
        tenant: TenantId::from_parts(9, [9; 10]),
        ..offered(&edge, 6, CLOSED)
    };
    let expired = Activated {
        exp: edge.now.to_seconds(),
        ..offered(&edge, 6, CLOSED)
    };
    let mut altered = second;
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let bad = [
        (
            "lower sequence",
            edge.authority.bundle(&offered(&edge, 4, CLOSED)),
        ),
        ("another tenant", edge.authority.bundle(&other_tenant)),
        ("expired", edge.authority.bundle(&expired)),
        (
            "unsigned",
            edge.authority.unsigned_bundle(&offered(&edge, 6, CLOSED)),
        ),
        (
            "a stranger's",
            edge.authority
                .bundle_by(&stranger, &offered(&edge, 6, CLOSED)),
        ),
        ("altered", altered),
        ("not a bundle", b"hello".to_vec()),
        ("empty", Vec::new()),
        (
            "the same sequence with another policy",
            edge.authority.bundle(&offered(&edge, 5, CLOSED)),
        ),
        ("from the future", {
            let now = edge.authority.now;
            edge.authority.now = edge.now.to_seconds().plus_seconds(3_600);
            let ahead = edge.authority.bundle(&offered(&edge, 6, CLOSED));
            edge.authority.now = now;
            ahead
        }),
        (
            "does not compile",
            edge.authority
                .bundle(&offered(&edge, 6, "package app.authz\n\ndecision := {")),
        ),
        ("too large", vec![0x1f; 2 * 1024 * 1024]),
    ];
    for (what, bundle) in bad {
        let said = offer(&mut edge, bundle);
        assert!(said.is_err(), "{what} was taken");
        let policy = edge.isolate.memory.policy.latest().unwrap();
        assert_eq!(policy.sequence, 5, "{what}");
    }
    edge.authority.now = edge.now.to_seconds();
    edge.served.revocations = Some(
        edge.authority
            .signed_feed(&edge.authority.feed(2))
            .into_bytes(),
    );
    passed(edge.read());
}

#[test]
fn a_bundle_decides_nothing_once_it_has_expired() {
    let mut edge = Offline::new();
    passed(edge.read());
    edge.authority.now = edge.authority.now.plus_seconds(86_400);
    edge.now = edge.authority.now.to_millis();
    edge.served.revocations = Some(
        edge.authority
            .signed_feed(&edge.authority.feed(2))
            .into_bytes(),
    );
    edge.served.policy = None;
    assert_eq!(code(edge.read()), "edge_not_ready");
}

/// N14: with everything cached the control plane is not needed; with nothing cached, nobody passes.
#[test]
fn a_warm_edge_needs_no_control_plane_and_a_cold_one_lets_nobody_pass() {
    type Take = fn(&mut Offline);
    let mut warm = Offline::new();
    passed(warm.read());
    warm.cut_off();
    for _ in 0..59 {
        warm.wait_ms(1_000);
        passed(warm.read());
    }
    let mut cold = Offline::new();
    cold.cut_off();
    assert_eq!(code(cold.read()), "edge_not_ready");
    assert_eq!(code(cold.ask("GET", "/", None)), "edge_not_ready");
    // each missing document alone is enough
    let takes: [Take; 4] = [
        |edge| edge.served.token_keys = None,
        |edge| edge.served.bundle_keys = None,
        |edge| edge.served.policy = None,
        |edge| edge.served.revocations = None,
    ];
    for take in takes {
        let mut edge = Offline::new();
        take(&mut edge);
        let code = code(edge.read());
        assert!(
            ["edge_not_ready", "revocation_unknown"].contains(&code),
            "{code}"
        );
    }
}

#[test]
fn a_control_plane_that_is_gone_is_not_asked_for_every_request() {
    let mut edge = Offline::new();
    passed(edge.read());
    edge.cut_off();
    edge.wait_ms(1_000);
    for _ in 0..1_000 {
        edge.wait_ms(10);
        let _decision = edge.read();
    }
    let asked = edge.served.asked.len();
    assert!(asked <= 12, "asked {asked} times in ten seconds");
}

/// A bundle of the sequence in hand and the same content is no other, whoever signs it again.
#[test]
fn the_same_bundle_signed_again_is_taken() {
    let mut edge = Offline::new();
    passed(edge.read());
    let again = edge.authority.bundle(&edge.authority.activated());
    assert_ne!(edge.served.policy, Some(again.clone()));
    offer(&mut edge, again).unwrap();
}

/// T14, RFC 7517 §5: a set from which nobody could be verified is no answer. The known keys stay, and
/// nobody is logged out.
#[test]
fn a_key_set_without_a_usable_key_logs_nobody_out() {
    for body in [
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#,
        r#"{"keys":[{"kty":"EC","kid":"a","use":"enc"},1]}"#,
    ] {
        let mut edge = Offline::new();
        passed(edge.read());
        edge.served.token_keys = Some(body.as_bytes().to_vec());
        edge.served.bundle_keys = Some(body.as_bytes().to_vec());
        for _ in 0..600 {
            edge.wait_ms(1_000);
            edge.authority.now = edge.now.to_seconds();
            edge.sign_feed_anew();
            passed(edge.read());
        }
    }
}

/// Statement T12: whether a key is published can't be said while its set can't be had. That is the
/// edge's trouble (503), and no reason to sign in anew (401).
#[test]
fn a_key_that_nobody_could_ask_for_is_the_edge_s_trouble() {
    for body in [
        None,
        Some(br#"{"keys":[]}"#.to_vec()),
        Some(b"<html>".to_vec()),
    ] {
        let mut edge = Offline::with(&[], &[Algorithm::Es256, Algorithm::Es256]);
        let token = {
            let claims = serde_json::to_value(edge.authority.claims()).unwrap();
            Authority::token_by(&edge.authority.token_keys[1], &claims)
        };
        edge.authority.token_keys.truncate(1);
        edge.served.token_keys = Some(edge.authority.token_jwks());
        passed(edge.read());
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(&token))),
            "token_invalid"
        );
        // the set that lacked it gets old, and no newer one comes
        edge.served.token_keys = body;
        for _ in 0..60 {
            edge.wait_ms(1_000);
            let code = code(edge.ask("GET", "/documents/7", Some(&token)));
            let is_fresh = edge.now.millis_since(super::offline::START) < 30_000;
            assert_eq!(
                code,
                if is_fresh {
                    "token_invalid"
                } else {
                    "edge_not_ready"
                }
            );
        }
    }
}

/// T14: a key set that is not one is refused, and the known keys stay.
#[test]
fn a_key_set_that_is_not_acceptable_changes_nothing() {
    let mut edge = Offline::new();
    passed(edge.read());
    let secret = br#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#.to_vec();
    for body in [b"<html>".to_vec(), secret, vec![b' '; 70 * 1024]] {
        edge.served.token_keys = Some(body);
        edge.wait_ms(29_000);
        edge.authority.now = edge.now.to_seconds();
        edge.sign_feed_anew();
        passed(edge.read());
    }
}
