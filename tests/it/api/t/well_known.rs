//! `/t/{tenant}/.well-known/…`, and what else verifiers and edges find from the issuer alone.

use plinto_jose::Algorithm;
use plinto_tests::world::World;
use serde_json::{Value, json};

use crate::setup::admin;

const JWKS: &str = "/t/acme/.well-known/jwks.json";

/// T14: no private member, no symmetric key, no duplicate; and no private part of a key in any
/// answer.
#[tokio::test]
async fn published_sets_hold_public_members_only() {
    let world = World::new().await;
    for (slug, algorithm, kty) in [
        ("rsa", Algorithm::Rs256, "RSA"),
        ("ec", Algorithm::Es256, "EC"),
        ("ed", Algorithm::EdDsa, "OKP"),
    ] {
        world.tenant_signing(slug, algorithm).await;
        for path in [
            format!("/t/{slug}/.well-known/jwks.json"),
            format!("/t/{slug}/edge/keys"),
        ] {
            let set = world.anon().get(&path).await.expect(200).json();
            let keys = set["keys"].as_array().unwrap();
            assert_eq!(keys.len(), 2);
            for key in keys {
                for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                    assert!(key.get(member).is_none(), "{path} shows {member}");
                }
            }
            let expected = if path.ends_with("keys") { "EC" } else { kty };
            assert_eq!(keys[0]["kty"], expected);
        }
    }
    let listed = admin(&world)
        .get("/v1/signing_keys")
        .await
        .expect(200)
        .text();
    assert!(!listed.contains("private"), "{listed}");
}

#[tokio::test]
async fn verifiers_find_everything_from_the_issuer_alone() {
    let world = World::new().await;
    let paths = [
        "/t/acme/.well-known/openid-configuration",
        "/.well-known/openid-configuration/t/acme",
        "/.well-known/oauth-authorization-server/t/acme",
    ];
    for path in paths {
        let answer = world.anon().get(path).await.expect(200);
        let document: Value = answer.json();
        assert_eq!(document["issuer"], world.acme.issuer);
        let jwks = document["jwks_uri"].as_str().unwrap();
        let local = jwks.strip_prefix("http://127.0.0.1:7400").unwrap();
        world.anon().get(local).await.expect(200);
        for endpoint in [
            "token_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
        ] {
            let endpoint = document[endpoint].as_str().unwrap();
            let local = endpoint.strip_prefix("http://127.0.0.1:7400").unwrap();
            assert_ne!(
                world.anon().form(local, &[]).await.status.as_u16(),
                404,
                "{endpoint}"
            );
        }
        world
            .anon()
            .get(&path.replace("acme", "nobody"))
            .await
            .expect_problem(404, "not_found");
    }
}

#[tokio::test]
async fn public_documents_are_cacheable_and_answer_304() {
    let world = World::new().await;
    for path in [
        JWKS,
        "/t/acme/edge/keys",
        "/t/acme/.well-known/openid-configuration",
    ] {
        let answer = world.anon().get(path).await.expect(200);
        assert!(
            answer
                .header("cache-control")
                .starts_with("public, max-age=")
        );
        let etag = answer.header("etag").to_owned();
        let again = world
            .anon()
            .with("if-none-match", &etag)
            .get(path)
            .await
            .expect(304);
        assert!(again.bytes.is_empty());
        assert_eq!(again.header("etag"), etag);
    }
    let purpose = json!({"purpose": "token"});
    admin(&world)
        .post("/v1/signing_keys/rotate", purpose)
        .await
        .expect(200);
    let etag = world
        .anon()
        .get(JWKS)
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    world
        .anon()
        .with("if-none-match", &etag)
        .get(JWKS)
        .await
        .expect(304);
}
