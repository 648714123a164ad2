//! A5: how often somebody may fail.

use plinto_tests::world::World;

use crate::setup::{
    PASSWORD, admin, apply, count, each_database, each_database_with_threads, execute, sign_in,
    sign_up, try_sign_in,
};

const WRONG: &str = "not the password at all";

/// Fails until the throttle answers; how many failures it took, and the wait it names.
async fn fail_until_throttled(world: &World, email: &str) -> (usize, i64) {
    for failures in 0..200 {
        let answer = try_sign_in(&world.anon(), email, WRONG).await;
        if answer.status == 429 {
            assert_eq!(answer.json()["code"], "sign_in_throttled");
            return (failures, answer.header("retry-after").parse().unwrap());
        }
        answer.expect(401);
    }
    panic!("two hundred failures and no throttle");
}

/// A4, A5: an account that does not exist is throttled like one that does.
#[apply(each_database)]
async fn unknown_accounts_are_throttled_like_known_ones(world: World) {
    let alice = sign_up(&world, "alice").await;
    let known = fail_until_throttled(&world, &alice.email).await;
    let unknown = fail_until_throttled(&world, "nobody@example.com").await;
    assert_eq!(known, (11, 1));
    assert_eq!(unknown, known);
}

/// A5: the wait holds even for the right password, doubles, and ends with it.
#[apply(each_database)]
async fn each_failure_waits_twice_as_long_until_the_password_comes(world: World) {
    let alice = sign_up(&world, "alice").await;
    assert_eq!(fail_until_throttled(&world, &alice.email).await, (11, 1));
    let right = try_sign_in(&world.anon(), &alice.email, PASSWORD).await;
    right.expect_problem(429, "sign_in_throttled");
    world.clock.advance_seconds(1);
    try_sign_in(&world.anon(), &alice.email, WRONG)
        .await
        .expect(401);
    let again = try_sign_in(&world.anon(), &alice.email, WRONG)
        .await
        .expect(429);
    assert_eq!(again.header("retry-after"), "2");
    world.clock.advance_seconds(2);
    sign_in(&world, &alice).await;
    // The count began anew.
    assert_eq!(fail_until_throttled(&world, &alice.email).await, (11, 1));
}

/// A5: what the database is at fault for is no failure of whoever signs in.
#[apply(each_database)]
async fn an_attempt_that_the_database_kept_from_being_judged_does_not_count(world: World) {
    let alice = sign_up(&world, "alice").await;
    execute(&world, "alter table passwords rename to elsewhere").await;
    for _ in 0..12 {
        let answer = try_sign_in(&world.anon(), &alice.email, PASSWORD).await;
        assert!(answer.status.is_server_error(), "{}", answer.text());
    }
    execute(&world, "alter table elsewhere rename to passwords").await;
    assert_eq!(fail_until_throttled(&world, &alice.email).await, (11, 1));
}

/// A5: who knows the password and names an organization they are not in is told so however often,
/// and is not kept out for it.
#[apply(each_database)]
async fn a_wrong_organization_is_not_a_wrong_password(world: World) {
    let alice = sign_up(&world, "alice").await;
    let body = serde_json::json!({
        "email": alice.email, "password": PASSWORD,
        "organization_id": "org_01h455vb4pex5vsknk084sn02q",
    });
    for _ in 0..12 {
        let answer = world.anon().post("/t/acme/v1/sign_in", body.clone()).await;
        answer.expect_problem(422, "validation_failed");
    }
    sign_in(&world, &alice).await;
    let events = world.events(world.acme.tenant).await;
    let reasons: Vec<_> = events
        .iter()
        .filter(|event| event.kind.as_str() == "sign_in.failed")
        .map(|event| event.data["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["not_a_member"; 12]);
}

/// A5: never more than a hundred in a row, however patient; then somebody must help.
#[tokio::test]
async fn after_a_hundred_failures_only_an_administrator_helps() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let mut failures = 0;
    for _ in 0..120 {
        let answer = try_sign_in(&world.anon(), &alice.email, WRONG).await;
        if answer.status == 401 {
            failures += 1;
        }
        world.clock.advance_seconds(16 * 60);
    }
    assert_eq!(failures, 100);
    let right = try_sign_in(&world.anon(), &alice.email, PASSWORD).await;
    right.expect_problem(429, "sign_in_throttled");
    assert_eq!(count(&world, "sign_in.failed").await, 100);

    admin(&world)
        .post_empty(&format!("/v1/users/{}/unlock", alice.id))
        .await
        .expect(200);
    assert_eq!(count(&world, "user.unlocked").await, 1);
    assert_eq!(count(&world, "user.enabled").await, 0);
    sign_in(&world, &alice).await;
}

/// A5: attempts at once each get their own count; none slips past between look and count.
#[apply(each_database_with_threads)]
async fn attempts_at_once_are_counted_one_by_one(world: World) {
    let alice = sign_up(&world, "alice").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (client, email) = (world.anon(), alice.email.clone());
        tasks.spawn(async move { try_sign_in(&client, &email, WRONG).await.status.as_u16() });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 11);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 29);
}

/// A5: one address that tries many accounts is slowed too; others are not.
#[apply(each_database)]
async fn an_address_that_sprays_is_slowed_and_others_are_not(world: World) {
    let alice = sign_up(&world, "alice").await;
    let attacker = world.anon().from("203.0.113.7");
    let mut refused = None;
    for at in 0..60 {
        let answer = try_sign_in(&attacker, &format!("user{at}@example.com"), WRONG).await;
        if answer.status == 429 {
            refused = Some((at, answer));
            break;
        }
    }
    let (at, answer) = refused.expect("an address may try for ever");
    assert_eq!((at, answer.header("retry-after")), (51, "1"));
    try_sign_in(&attacker, &alice.email, PASSWORD)
        .await
        .expect(429);
    let other = world.anon().from("203.0.113.8");
    try_sign_in(&other, &alice.email, PASSWORD)
        .await
        .expect(200);
    world.clock.advance_seconds(1);
    try_sign_in(&attacker, &alice.email, PASSWORD)
        .await
        .expect(200);
}

/// A5: who asks by signing up which accounts exist, is slowed like who guesses.
#[tokio::test]
async fn an_address_that_probes_by_signing_up_is_slowed() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let prober = world.anon().from("2001:db8::1");
    let body = serde_json::json!({"email": alice.email, "password": PASSWORD});
    for _ in 0..51 {
        prober
            .post("/t/acme/v1/sign_up", body.clone())
            .await
            .expect(409);
    }
    // The same network, another address of it.
    let prober = world.anon().from("2001:db8::2");
    let answer = prober.post("/t/acme/v1/sign_up", body).await;
    answer.expect_problem(429, "sign_in_throttled");
}

/// Many guesses at once at different accounts, from one address: how many were judged.
async fn burst(world: &World, ip: &str, round: usize) -> usize {
    let mut guesses = tokio::task::JoinSet::new();
    for at in 0..200 {
        let client = world.anon().from(ip);
        let email = format!("user{round}x{at}@example.com");
        guesses.spawn(async move { try_sign_in(&client, &email, WRONG).await.status.as_u16() });
    }
    judged(&guesses.join_all().await, 401)
}

/// How many have this status; the others were told to wait.
fn judged(statuses: &[u16], status: u16) -> usize {
    let judged = statuses.iter().filter(|seen| **seen == status).count();
    let refused = statuses.iter().filter(|seen| **seen == 429).count();
    assert_eq!(judged + refused, statuses.len(), "{statuses:?}");
    judged
}

/// A5: counting and deciding are one: however many come at once, as many are judged as one by one.
#[apply(each_database_with_threads)]
async fn guesses_at_once_from_one_address_are_counted_one_by_one(world: World) {
    let attacker = "203.0.113.7";
    assert_eq!(burst(&world, attacker, 0).await, 51);
    for round in 1..=4 {
        world.clock.advance_seconds(1 << (round - 1));
        assert_eq!(burst(&world, attacker, round).await, 1, "round {round}");
    }
}

/// W7: of those who wait for how others turn out, one at a time asks again.
#[apply(each_database_with_threads)]
async fn many_guesses_at_once_cost_no_more_than_one_by_one(world: World) {
    let alice = sign_up(&world, "alice").await;
    let before = world.app.db.transactions();
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let (client, email) = (world.anon(), alice.email.clone());
        guesses.spawn(async move { try_sign_in(&client, &email, WRONG).await.status.as_u16() });
    }
    assert_eq!(judged(&guesses.join_all().await, 401), 11);
    // Each is counted once, and two read the tenant; of those judged, each is read, noted, and asked
    // about once again.
    let taken = world.app.db.transactions() - before;
    assert!(taken < 400 + 400 + 11 * 4, "{taken} transactions");
}

/// A5: the same for who asks by signing up.
#[apply(each_database_with_threads)]
async fn sign_ups_at_once_from_one_address_are_counted_one_by_one(world: World) {
    let alice = sign_up(&world, "alice").await;
    let mut sign_ups = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let prober = world.anon().from("203.0.113.7");
        let body = serde_json::json!({"email": alice.email, "password": PASSWORD});
        sign_ups.spawn(async move {
            let answer = prober.post("/t/acme/v1/sign_up", body).await;
            answer.status.as_u16()
        });
    }
    assert_eq!(judged(&sign_ups.join_all().await, 409), 51);
}

/// A5: only wrong passwords use up what is meant for them, also while nobody has judged them yet.
#[apply(each_database_with_threads)]
async fn right_passwords_at_once_are_all_let_in(world: World) {
    let alice = sign_up(&world, "alice").await;
    for many in [12, 60] {
        let mut sign_ins = tokio::task::JoinSet::new();
        for _ in 0..many {
            let (client, email) = (world.anon().from("203.0.113.7"), alice.email.clone());
            sign_ins.spawn(async move {
                let answer = try_sign_in(&client, &email, PASSWORD).await;
                answer.status.as_u16()
            });
        }
        assert_eq!(sign_ins.join_all().await, vec![200; many]);
    }
    // None of them is left in the count.
    assert_eq!(burst(&world, "203.0.113.7", 0).await, 51);
}

/// A5: those who give up while others wait for how they turn out hold up nobody.
#[apply(each_database_with_threads)]
async fn attempts_that_are_given_up_hold_up_nobody(world: World) {
    let alice = sign_up(&world, "alice").await;
    let mut given_up = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, email) = (world.anon(), alice.email.clone());
        given_up.spawn(async move { try_sign_in(&client, &email, WRONG).await });
    }
    let client = world.anon();
    let waiting = try_sign_in(&client, &alice.email, PASSWORD);
    let giving_up = async {
        tokio::task::yield_now().await;
        given_up.abort_all();
    };
    let patience = std::time::Duration::from_mins(1);
    let answered = tokio::time::timeout(patience, async { tokio::join!(waiting, giving_up) });
    // Let in, or refused because those count as failed: but answered.
    let status = answered.await.unwrap().0.status.as_u16();
    assert!(matches!(status, 200 | 429), "{status}");
}
