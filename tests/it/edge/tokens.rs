//! Tokens at the gate: every algorithm, every trick, and what is remembered of a check.

use edge_worker::document::Document;
use plinto_contract::time::UnixSeconds;
use plinto_jose::{Algorithm, SigningKey};
use plinto_tests::authority::Authority;
use serde_json::{Value, json};

use super::offline::{Offline, code, passed, refused};

fn vectors() -> Value {
    let file = plinto_tests::process::root().join("contract/vectors/tokens.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// T1, T3, T4, T6–T10: the gate gives each vector the answer that every verifier gives.
#[test]
fn the_gate_answers_every_vector_like_the_other_verifiers() {
    let vectors = vectors();
    let text = |name: &str| vectors[name].as_str().unwrap().to_owned();
    let mut cases = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let mut edge = Offline::new();
        edge.now = UnixSeconds(vectors["now_s"].as_i64().unwrap()).to_millis();
        edge.authority.now = edge.now.to_seconds();
        edge.authority.issuer = text("issuer");
        let issuer = text("issuer");
        edge.isolate.config.issuer.clone_from(&issuer);
        edge.isolate.config.audience = text("audience");
        edge.isolate.config.tenant = "tenant_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        edge.authority.tenant = edge.isolate.config.tenant;
        edge.served.token_keys = Some(vectors["jwks"].to_string().into_bytes());
        edge.served.policy = Some(edge.authority.bundle(&edge.authority.activated()));
        edge.served.revocations = Some(
            edge.authority
                .signed_feed(&edge.authority.feed(1))
                .into_bytes(),
        );
        let decision = edge.ask("GET", "/documents/7", case["token"].as_str());
        let name = &case["name"];
        match case["answer"].as_str().unwrap() {
            "accepted" => {
                passed(decision);
            }
            "token_expired" => assert_eq!(code(decision), "token_expired", "{name}"),
            _ => {
                let refusal = refused(decision);
                let known = ["token_invalid", "malformed_request"];
                assert!(
                    known.contains(&refusal.code.as_str()),
                    "{name}: {refusal:?}"
                );
            }
        }
        cases += 1;
    }
    assert!(cases >= 40, "only {cases} cases");
}

#[test]
fn every_algorithm_of_the_list_is_accepted() {
    let mut edge = Offline::with(&[], &Algorithm::ALL);
    let claims = serde_json::to_value(edge.authority.claims()).unwrap();
    for index in 0..Algorithm::ALL.len() {
        let key = &edge.authority.token_keys[index];
        let token = Authority::token_by(key, &claims);
        passed(edge.ask("GET", "/documents/7", Some(&token)));
    }
}

/// T8 and Z3: a token of another tenant is refused even when the same keys signed it.
#[test]
fn another_tenant_s_token_is_refused() {
    let mut edge = Offline::new();
    let other = plinto_contract::ids::TenantId::from_parts(2, [9; 10]);
    let refusal = refused(edge.read_as(|claims| claims.tenant = other));
    assert_eq!(refusal.code.as_str(), "token_invalid");
    // both are named, so that an old address is found at once
    assert!(refusal.detail.contains(&other.to_string()), "{refusal:?}");
    let refusal = refused(edge.read_as(|claims| claims.iss.push('x')));
    assert_eq!(refusal.code.as_str(), "token_invalid");
    let issuer = super::offline::ISSUER;
    assert_eq!(
        refusal.detail,
        format!("the token comes from another issuer: `{issuer}` is expected, `{issuer}x` found")
    );
}

/// Z3: the right claims under another tenant's key, by its own name or by ours.
#[test]
fn another_tenant_s_key_signs_nothing_here() {
    let mut edge = Offline::new();
    passed(edge.read());
    let claims = edge.authority.claims();
    let right = edge.authority.token(&claims);
    let other = Authority::new(
        super::offline::ISSUER,
        &[Algorithm::Es256],
        edge.authority.now,
    );
    let foreign = other.token(&claims);
    let signature = foreign.rsplit_once('.').unwrap().1;
    let disguised = format!("{}.{signature}", right.rsplit_once('.').unwrap().0);
    for token in [foreign.as_str(), disguised.as_str()] {
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(token))),
            "token_invalid"
        );
    }
}

/// T12: unknown key ids cost one fetch, and a token that is wrong by itself costs none.
#[test]
fn strangers_cannot_make_the_edge_fetch() {
    let mut edge = Offline::new();
    passed(edge.read());
    // past the cooldown that the first fetch started
    edge.wait_ms(31_000);
    passed(edge.read());
    edge.served.asked.clear();
    let claims = edge.authority.claims();
    for _ in 0..20 {
        let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
        let good = serde_json::to_value(&claims).unwrap();
        let token = Authority::token_by(&stranger, &good);
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(&token))),
            "token_invalid"
        );
        let mut expired = good;
        expired["exp"] = json!(1);
        let token = Authority::token_by(&stranger, &expired);
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(&token))),
            "token_expired"
        );
    }
    let fetches = edge
        .served
        .asked
        .iter()
        .filter(|asked| **asked == Document::TokenKeys);
    assert!(fetches.count() <= 1, "{:?}", edge.served.asked);
}

/// T13: a repeated token costs no second check, another one does.
#[test]
fn a_checked_token_is_remembered_until_its_expiry() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    passed(edge.ask("GET", "/documents/7", Some(&token)));
    let checked = edge.served.checked;
    for _ in 0..5 {
        passed(edge.ask("GET", "/documents/7", Some(&token)));
    }
    assert_eq!(edge.served.checked, checked);
    let altered = format!("{}A", token.strip_suffix(|_: char| true).unwrap());
    if altered != token {
        assert_eq!(
            code(edge.ask("GET", "/documents/7", Some(&altered))),
            "token_invalid"
        );
    }
    // expiry and its leeway, to the millisecond, also for a remembered token
    let mut short = edge.authority.claims();
    short.exp = edge.now.to_seconds().plus_seconds(10);
    let token = edge.authority.token(&short);
    passed(edge.ask("GET", "/documents/7", Some(&token)));
    edge.wait_ms(39_999);
    passed(edge.ask("GET", "/documents/7", Some(&token)));
    edge.wait_ms(1);
    assert_eq!(
        code(edge.ask("GET", "/documents/7", Some(&token))),
        "token_expired"
    );
}

/// T15: a key that is no longer published takes its remembered tokens with it within a minute.
#[test]
fn a_withdrawn_key_is_refused_within_a_minute() {
    let mut edge = Offline::with(&[], &[Algorithm::Es256, Algorithm::Es256]);
    let token = edge.authority.token(&edge.authority.claims());
    passed(edge.ask("GET", "/documents/7", Some(&token)));
    edge.authority.token_keys.remove(0);
    edge.served.token_keys = Some(edge.authority.token_jwks());
    let mut last_passed_ms = 0;
    for _ in 0..65 {
        edge.wait_ms(1_000);
        if let edge_worker::gate::AccessDecision::Pass(_) =
            edge.ask("GET", "/documents/7", Some(&token))
        {
            last_passed_ms = edge.now.millis_since(super::offline::START);
        }
    }
    assert!(last_passed_ms <= 60_000, "passed after {last_passed_ms} ms");
    // after a long quiet, the very first request knows it too
    let mut quiet = Offline::with(&[], &[Algorithm::Es256, Algorithm::Es256]);
    let token = quiet.authority.token(&quiet.authority.claims());
    passed(quiet.ask("GET", "/documents/7", Some(&token)));
    quiet.authority.token_keys.remove(0);
    quiet.served.token_keys = Some(quiet.authority.token_jwks());
    quiet.wait_ms(61_000);
    assert_eq!(
        code(quiet.ask("GET", "/documents/7", Some(&token))),
        "token_invalid"
    );
}
