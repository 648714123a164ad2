//! `/t/{tenant}/edge/bundle` and `/edge/bundles/{digest}`: the policy in force.

use plinto_policy::bundle::{Bundle, Expect, Limits, Unverified};
use plinto_tests::world::{Answer, World};

use crate::setup::{
    BY_ROLE, CLOSED, activate, admin, apply, ask_another_instance, bundle, bundle_of,
    each_database, edge_keys, publish,
};

/// What an edge makes of the active artifact: everything checked, ready to decide.
pub(crate) async fn fetched(world: &World) -> (Answer, Bundle) {
    let answer = world.anon().get("/t/acme/edge/bundle").await.expect(200);
    let unverified = Unverified::read(&answer.bytes, &Limits::default()).unwrap();
    let keys = edge_keys(world, "acme").await;
    let key = keys
        .find(unverified.kid().unwrap(), unverified.alg())
        .unwrap();
    plinto_jose::verify(&unverified.signature_job(key).unwrap()).unwrap();
    let expect = Expect {
        tenant: world.acme.tenant,
        now: world.app.clock.now().to_seconds(),
        min_sequence: 1,
    };
    let bundle = unverified.verified(&expect).unwrap();
    (answer, bundle)
}

/// What no bundle needs at the edge stays at home.
#[tokio::test]
async fn tests_of_a_bundle_stay_out_of_what_edges_fetch() {
    let world = World::new().await;
    let test = "package app.authz_test\n\ntest_closed if not data.app.authz.decision.allow\n";
    let packed = bundle(&[
        ("app/authz/decision.rego", CLOSED),
        ("app/authz/decision_test.rego", test),
    ]);
    let revision = publish(&admin(&world), packed).await;
    activate(&admin(&world), &revision).await;
    let (_, bundle) = fetched(&world).await;
    let files: Vec<_> = bundle.source.files.keys().map(String::as_str).collect();
    assert_eq!(files, ["app/authz/decision.rego", "plinto/roles/data.json"]);
}

#[apply(each_database)]
async fn an_edge_that_has_the_bundle_is_not_sent_it_again(world: World) {
    let revision = publish(&admin(&world), bundle_of(CLOSED)).await;
    let made = activate(&admin(&world), &revision).await;
    let digest = made["digest"].as_str().unwrap();
    let knows = world.anon().with("if-none-match", &format!("\"{digest}\""));
    let answer = knows.get("/t/acme/edge/bundle").await.expect(304);
    assert!(answer.bytes.is_empty());
    assert_eq!(answer.header("x-plinto-sequence"), "1");

    let by_digest = format!("/t/acme/edge/bundles/{digest}");
    let immutable = world.anon().get(&by_digest).await.expect(200);
    assert_eq!(
        immutable.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let (current, _) = fetched(&world).await;
    assert_eq!(immutable.bytes, current.bytes);

    // an older one stays where its digest says while somebody may be fetching it
    let revisions = [publish(&admin(&world), bundle_of(BY_ROLE)).await, revision];
    activate(&admin(&world), &revisions[0]).await;
    knows.get("/t/acme/edge/bundle").await.expect(200);
    let still = ask_another_instance(&world, &by_digest).await.expect(200);
    assert_eq!(still.bytes, immutable.bytes);
    for number in 1..15 {
        activate(&admin(&world), &revisions[number % 2]).await;
    }
    ask_another_instance(&world, &by_digest).await.expect(200);
    activate(&admin(&world), &revisions[0]).await;
    let gone = ask_another_instance(&world, &by_digest).await;
    gone.expect_problem(404, "not_found");
    for wrong in ["0".repeat(64), "x".to_owned(), "..%2f..".to_owned()] {
        let path = format!("/t/acme/edge/bundles/{wrong}");
        world
            .anon()
            .get(&path)
            .await
            .expect_problem(404, "not_found");
    }
}
