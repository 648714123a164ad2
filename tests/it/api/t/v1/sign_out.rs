//! `POST /t/{tenant}/v1/sign_out`.

use plinto_tests::world::World;
use serde_json::json;

use crate::setup::{
    PASSWORD, apply, count, each_database, expect_ended, expect_good, expect_oauth, pointers,
    sign_in, sign_up, try_refresh, try_sign_in,
};

/// S3: the next use is refused, at once, by access and by refresh token.
#[apply(each_database)]
async fn signing_out_ends_this_session_and_no_other(world: World) {
    let first = sign_up(&world, "alice").await;
    let second = sign_in(&world, &first).await;
    first
        .client(&world)
        .post_empty("/t/acme/v1/sign_out")
        .await
        .expect(204);
    let answer = first.client(&world).get("/t/acme/v1/me").await;
    answer.expect_problem(401, "token_revoked");
    expect_oauth(
        &try_refresh(&world, &first.refresh_token).await,
        400,
        "invalid_grant",
    );
    second.client(&world).get("/t/acme/v1/me").await.expect(200);
    assert_eq!(count(&world, "session.revoked").await, 1);
}

/// S3, S5: on every device, refresh tokens too; nobody else's.
#[apply(each_database)]
async fn signing_out_everywhere_ends_every_session_of_that_person(world: World) {
    let here = sign_up(&world, "alice").await;
    let phone = sign_in(&world, &here).await;
    let bob = sign_up(&world, "bob").await;
    let path = "/t/acme/v1/sign_out";
    let all = json!({"all": true});
    here.client(&world).post(path, all).await.expect(204);
    for ended in [&here, &phone] {
        expect_ended(&world, ended).await;
    }
    expect_good(&world, &bob).await;
    assert_eq!(count(&world, "user.sessions_revoked").await, 1);
    expect_good(&world, &sign_in(&world, &here).await).await;
}

/// A sign-out that asks for what is not understood ends nothing, and says so.
#[tokio::test]
async fn a_sign_out_that_is_not_understood_ends_nothing() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let client = alice.client(&world);
    let path = "/t/acme/v1/sign_out";
    for (body, pointer) in [
        (json!({"everywhere": true}), "/everywhere"),
        (json!({"all": "yes"}), "/all"),
        (json!([true]), ""),
        (json!(null), ""),
    ] {
        let answer = client.post(path, body).await;
        assert_eq!(
            pointers(&answer.expect_problem(422, "validation_failed")),
            [pointer]
        );
    }
    let query = client.post_empty(&format!("{path}?all=true")).await;
    assert_eq!(
        pointers(&query.expect_problem(422, "validation_failed")),
        ["?all"]
    );
    let form = "application/x-www-form-urlencoded";
    let answer = client.post_bytes(path, form, "all=true").await;
    answer.expect_problem(415, "unsupported_media_type");
    client.get("/t/acme/v1/me").await.expect(200);
    let other = sign_in(&world, &alice).await;
    client.post(path, json!({"all": false})).await.expect(204);
    client
        .get("/t/acme/v1/me")
        .await
        .expect_problem(401, "token_revoked");
    expect_good(&world, &other).await;
    try_sign_in(&world.anon(), &alice.email, PASSWORD)
        .await
        .expect(200);
}
