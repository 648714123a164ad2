//! Keys that were withdrawn: what they signed is refused though the key set in hand holds them.

use edge_worker::document::Document;
use plinto_contract::revocation::{Feed, TYP_REVOCATIONS};
use plinto_jose::{Algorithm, JwkSet, SigningKey};
use plinto_tests::authority::Activated;

use super::offline::{Offline, code, passed, refused};

fn kid(key: &SigningKey) -> String {
    key.public().kid.unwrap()
}

fn jwks(keys: &[&SigningKey]) -> Vec<u8> {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    JwkSet::from(keys).to_value().to_string().into_bytes()
}

fn signed(feed: &Feed, key: &SigningKey) -> Vec<u8> {
    let payload = serde_json::to_vec(feed).unwrap();
    key.sign(Some(TYP_REVOCATIONS), &payload)
        .unwrap()
        .into_bytes()
}

/// A feed that withdraws a key.
fn withdrawing(edge: &Offline, version: u64, key: &SigningKey) -> Feed {
    Feed {
        withdrawn_keys: vec![kid(key)],
        ..edge.authority.feed(version)
    }
}

/// What the edge says to a document that is served now.
fn offer(edge: &mut Offline, document: Document) -> Result<(), String> {
    edge.wait_ms(15_000);
    edge.isolate
        .refresh(document, &mut edge.served, edge.now)
        .unwrap()
}

/// T15: also for tokens that were verified before, and for forged ones that come later.
#[test]
fn tokens_of_a_withdrawn_key_are_refused_within_a_second_whatever_the_key_set_in_hand_says() {
    let mut edge = Offline::with(&[], &[Algorithm::Es256, Algorithm::EdDsa]);
    passed(edge.read());
    let feed = withdrawing(&edge, 2, &edge.authority.token_keys[0]);
    edge.served.revocations = Some(signed(&feed, &edge.authority.bundle_key));
    edge.wait_ms(1_000);
    let refusal = refused(edge.read());
    assert_eq!(refusal.code.as_str(), "token_outdated");
    assert!(refusal.detail.contains("refresh"), "{}", refusal.detail);
    let forged = edge.read_as(|claims| claims.iat = claims.iat.plus_seconds(1));
    assert_eq!(code(forged), "token_outdated");
    let claims = serde_json::to_value(edge.authority.claims()).unwrap();
    let key = &edge.authority.token_keys[1];
    let token = plinto_tests::authority::Authority::token_by(key, &claims);
    passed(edge.ask("GET", "/documents/7", Some(&token)));
}

/// A thief's policy and feed are dropped, however high the numbers they name, and the real ones taken.
#[test]
fn what_a_withdrawn_bundle_key_signed_is_dropped_and_binds_nobody() {
    let mut edge = Offline::new();
    let next = SigningKey::generate(Algorithm::Es256).unwrap();
    edge.served.bundle_keys = Some(jwks(&[&edge.authority.bundle_key, &next]));
    let forged = Activated {
        sequence: 1_000_000,
        ..edge.authority.activated()
    };
    edge.served.policy = Some(edge.authority.bundle(&forged));
    let high = edge.authority.feed(u64::MAX);
    edge.served.revocations = Some(signed(&high, &edge.authority.bundle_key));
    passed(edge.read());

    let feed = withdrawing(&edge, 2, &edge.authority.bundle_key);
    edge.served.revocations = Some(signed(&feed, &next));
    offer(&mut edge, Document::Revocations).unwrap();
    assert_eq!(edge.isolate.memory.revocations.version(), Some(2));
    // the thief's policy decides nothing, and is not taken again though the key set holds its key
    assert!(edge.isolate.memory.policy.latest().is_none());
    assert_eq!(code(edge.read()), "edge_not_ready");
    let refused = offer(&mut edge, Document::Policy).unwrap_err();
    assert!(refused.contains("withdrawn"), "{refused}");
    edge.served.revocations = Some(signed(&high, &edge.authority.bundle_key));
    let refused = offer(&mut edge, Document::Revocations).unwrap_err();
    assert!(refused.contains("withdrawn"), "{refused}");

    edge.served.revocations = Some(signed(&feed, &next));
    let real = Activated {
        sequence: 2,
        ..edge.authority.activated()
    };
    edge.served.policy = Some(edge.authority.bundle_by(&next, &real));
    offer(&mut edge, Document::Policy).unwrap();
    assert_eq!(edge.isolate.memory.policy.latest().unwrap().sequence, 2);
    passed(edge.read());
}

/// A thief who is quicker can name the next key as withdrawn. The published set tells who is right: what
/// a key said binds nobody once the key is published no more.
#[test]
fn a_thief_does_not_keep_the_next_key_out_for_longer_than_their_own_is_published() {
    let mut edge = Offline::new();
    let next = SigningKey::generate(Algorithm::Es256).unwrap();
    edge.served.bundle_keys = Some(jwks(&[&edge.authority.bundle_key, &next]));
    passed(edge.read());
    let thiefs = withdrawing(&edge, u64::MAX, &next);
    edge.served.revocations = Some(signed(&thiefs, &edge.authority.bundle_key));
    offer(&mut edge, Document::Revocations).unwrap();

    let real = withdrawing(&edge, 2, &edge.authority.bundle_key);
    edge.served.revocations = Some(signed(&real, &next));
    let refused = offer(&mut edge, Document::Revocations).unwrap_err();
    assert!(refused.contains("withdrawn"), "{refused}");
    edge.served.bundle_keys = Some(jwks(&[&next]));
    edge.wait_ms(60_000);
    offer(&mut edge, Document::BundleKeys).unwrap();
    edge.authority.now = edge.now.to_seconds();
    let real = withdrawing(&edge, 2, &edge.authority.bundle_key);
    edge.served.revocations = Some(signed(&real, &next));
    offer(&mut edge, Document::Revocations).unwrap();
    assert_eq!(edge.isolate.memory.revocations.version(), Some(2));
}
