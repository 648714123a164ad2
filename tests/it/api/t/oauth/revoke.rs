//! `POST /t/{tenant}/oauth/revoke`: RFC 7009.

use plinto_tests::world::World;

use crate::setup::{
    apply, count, each_database, expect_oauth, refresh, sign_in, sign_up, try_refresh,
};

/// RFC 7009 §2.1, §2.2: either token ends the session; what is not known is fine too.
#[apply(each_database)]
async fn a_token_given_back_ends_its_session(world: World) {
    let path = "/t/acme/oauth/revoke";
    let first = sign_up(&world, "alice").await;
    let second = sign_in(&world, &first).await;
    let third = sign_in(&world, &first).await;
    let anon = world.anon();
    anon.form(path, &[("token", &first.access_token)])
        .await
        .expect(200);
    anon.form(path, &[("token", &second.refresh_token)])
        .await
        .expect(200);
    anon.form(path, &[("token", &second.refresh_token)])
        .await
        .expect(200);
    for gone in [&first, &second] {
        expect_oauth(
            &try_refresh(&world, &gone.refresh_token).await,
            400,
            "invalid_grant",
        );
        gone.client(&world).get("/t/acme/v1/me").await.expect(401);
    }
    refresh(&world, &third.refresh_token).await;
    for unknown in [
        "x",
        "a.b.c",
        "plinto_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let fields = [("token", unknown), ("token_type_hint", "something_else")];
        anon.form(path, &fields).await.expect(200);
    }
    expect_oauth(&anon.form(path, &[]).await, 400, "invalid_request");
    assert_eq!(count(&world, "session.revoked").await, 2);
}

/// RFC 7009 §2.1: another client's token is not taken back.
#[tokio::test]
async fn another_clients_token_is_not_taken_back() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    for token in [&alice.access_token, &alice.refresh_token] {
        let fields = [("token", token.as_str()), ("client_id", "somebody-else")];
        let answer = world.anon().form("/t/acme/oauth/revoke", &fields).await;
        expect_oauth(&answer, 400, "unauthorized_client");
    }
    refresh(&world, &alice.refresh_token).await;
}
