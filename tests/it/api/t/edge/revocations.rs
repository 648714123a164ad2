//! `/t/{tenant}/edge/revocations`: what ended before its tokens did.

use std::collections::BTreeMap;

use axum::{body::Body, http::Request};
use plinto_contract::{
    ids::{SessionId, UserId},
    revocation::{Feed, TYP_REVOCATIONS},
    time::UnixSeconds,
};
use plinto_jose::Jws;
use plinto_platform::args;
use plinto_tests::world::{Answer, START, World};
use serde_json::json;
use tower::ServiceExt as _;

use crate::setup::{
    admin, apply, ask, claims, each_database, each_database_with_threads, edge_keys, refresh,
    sign_in_to, sign_up, sign_up_with, text,
};

const PATH: &str = "/t/acme/edge/revocations";
/// 2026-11-11T09:01:00Z
const START_S: i64 = START.0 / 1_000;

/// The feed as an edge reads it: signature and type checked.
async fn feed(world: &World) -> Feed {
    let answer = world.anon().get(PATH).await.expect(200);
    read(world, &answer).await
}

async fn read(world: &World, answer: &Answer) -> Feed {
    assert_eq!(answer.header("content-type"), "application/jwt");
    let jws = Jws::parse_within(&answer.text(), 1 << 20).unwrap();
    assert_eq!(jws.header.typ.as_deref(), Some(TYP_REVOCATIONS));
    let keys = edge_keys(world, "acme").await;
    let key = keys
        .find(jws.header.kid.as_deref().unwrap(), jws.header.alg)
        .unwrap();
    plinto_jose::verify(&jws.signature_job(key).unwrap()).unwrap();
    serde_json::from_slice(&jws.payload).unwrap()
}

#[apply(each_database)]
async fn an_empty_feed_says_whose_it_is_and_how_long_it_holds(world: World) {
    let answer = world.anon().get(PATH).await.expect(200);
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=1, must-revalidate"
    );
    let feed = read(&world, &answer).await;
    assert_eq!(feed.iss, world.acme.issuer);
    assert_eq!(feed.tenant, world.acme.tenant);
    assert_eq!(
        (feed.iat, feed.exp),
        (UnixSeconds(START_S), UnixSeconds(START_S + 60))
    );
    assert_eq!(feed.issued_before, UnixSeconds(0));
    assert_eq!(feed.outdated_before, UnixSeconds(0));
    assert!(feed.sessions.is_empty() && feed.subjects.is_empty() && feed.outdated.is_empty());
    world
        .anon()
        .get("/t/nobody/edge/revocations")
        .await
        .expect_problem(404, "not_found");
}

/// S4: an edge that has seen a later version from an instance whose clock is ahead gets one above it
/// within seconds, not with the next period.
#[tokio::test]
async fn what_is_new_is_signed_anew_every_two_seconds_for_a_while() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let before = feed(&world).await;
    let path = format!("/v1/sessions/{}/revoke", alice.session);
    admin(&world).post_empty(&path).await.expect(200);
    let first = feed(&world).await;
    assert!(first.version > before.version);
    assert_eq!(feed(&world).await.version, first.version);
    world.clock.advance_seconds(2);
    let second = feed(&world).await;
    assert!(second.version > first.version);
    assert_eq!(second.sessions, first.sessions);
    // Once everybody has it, a signature serves its whole period.
    world.clock.advance_seconds(30);
    let later = feed(&world).await;
    world.clock.advance_seconds(3);
    assert_eq!(feed(&world).await.version, later.version);
}

/// S3: what was revoked is in the very next answer of the instance that revoked it.
#[apply(each_database)]
async fn a_revoked_session_is_said_at_once_and_forgotten_with_its_tokens(world: World) {
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let before = feed(&world).await;
    assert!(before.sessions.is_empty());

    world
        .bearer(&alice.access_token)
        .post_empty("/t/acme/v1/sign_out")
        .await
        .expect(204);
    let after = feed(&world).await;
    assert_eq!(after.sessions, [alice.session]);
    assert!(after.version > before.version);

    world.clock.advance_seconds(1);
    let path = format!("/v1/sessions/{}/revoke", bob.session);
    admin(&world).post_empty(&path).await.expect(200);
    let both = feed(&world).await;
    assert_eq!(both.sessions.len(), 2);
    assert!(both.version > after.version);

    // every token of hers has expired, for any clock within the leeway
    world.clock.advance_seconds(600 + 59);
    assert_eq!(feed(&world).await.sessions.len(), 2);
    world.clock.advance_seconds(1);
    assert_eq!(feed(&world).await.sessions, [bob.session]);
    world.clock.advance_seconds(2);
    let empty = feed(&world).await;
    assert!(empty.sessions.is_empty());
    assert!(empty.version > both.version);
}

/// S4: whoever is disabled, or has all sessions ended, needs a later epoch than any token has.
#[apply(each_database)]
async fn a_disabled_users_tokens_are_refused_by_their_epoch(world: World) {
    let alice = sign_up(&world, "alice").await;
    let old = epoch(&alice.access_token);
    for verb in ["revoke_sessions", "disable", "enable"] {
        let path = format!("/v1/users/{}/{verb}", alice.id);
        let answer = admin(&world).post_empty(&path).await;
        assert!(answer.status.is_success());
    }
    assert_eq!(ended(&world).await, [(alice.id, old + 2)]);
    assert_eq!(outdated(&world).await, [], "a refresh would not help");
    // once every token that could carry less has expired, the number is of no use
    world.clock.advance_seconds(600 + 60);
    assert_eq!(ended(&world).await.len(), 1);
    world.clock.advance_seconds(1);
    assert_eq!(ended(&world).await, []);
}

/// Users in the feed whose sessions ended, and the least epoch of theirs that is good.
async fn ended(world: &World) -> Vec<(UserId, u64)> {
    epochs(&feed(world).await.subjects)
}

/// Users in the feed whose sessions go on, and the least epoch of theirs that is good.
async fn outdated(world: &World) -> Vec<(UserId, u64)> {
    epochs(&feed(world).await.outdated)
}

fn epochs(users: &BTreeMap<UserId, u64>) -> Vec<(UserId, u64)> {
    users.iter().map(|(user, least)| (*user, *least)).collect()
}

fn epoch(token: &str) -> u64 {
    claims(token).epoch
}

/// Z5: a token that was signed after the change but says what was true before it is refused by edges
/// and by the control plane itself; one that says the new, in the very second of the change, is not.
#[apply(each_database)]
async fn a_demoted_members_tokens_are_judged_by_what_they_say_and_by_no_clock(world: World) {
    let admin = admin(&world);
    let owner = sign_up(&world, "owner").await;
    let bob = sign_up(&world, "bob").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": owner.id});
    let made = admin.post("/v1/organizations", body).await.expect(201);
    let made = made.json();
    let members = format!("/v1/organizations/{}/members", text(&made["id"]));
    let joins = json!({"user_id": bob.id, "roles": ["admin"]});
    admin.post(&members, joins).await.expect(201);
    let bob = sign_in_to(&world, &bob, &made["id"]).await;

    // an instance whose clock is five seconds ahead signs with the roles of now
    world.clock.advance_seconds(5);
    let (old, next) = refresh(&world, &bob.refresh_token).await;
    world.clock.advance_seconds(-5);
    let of_bob = format!("{members}/{}", bob.id);
    let demotion = json!({"roles": ["member"]});
    admin.patch(&of_bob, demotion).await.expect(200);
    let (new, _) = refresh(&world, &next).await;

    let said = feed(&world).await.outdated;
    let least = said[&bob.id];
    assert!(epoch(&old) < least, "edges take it for ten minutes");
    assert!(
        epoch(&new) >= least,
        "edges refuse it until the next refresh"
    );
    let known = async |token: &str| {
        let fields = [("token", token)];
        let path = "/t/acme/oauth/introspect";
        admin.form(path, &fields).await.expect(200).json()
    };
    assert_eq!(known(&old).await, json!({"active": false}));
    assert_eq!(known(&new).await["roles"], json!(["member"]));
    let me = "/t/acme/v1/me";
    let refused = world.bearer(&old).get(me).await;
    let refused = refused.expect_problem(401, "token_outdated");
    let detail = text(&refused.json()["detail"]);
    assert!(
        detail.contains("roles have changed") && detail.contains("refresh"),
        "{detail}"
    );
    world.bearer(&new).get(me).await.expect(200);
}

/// Z5: however refreshes and changes interleave, no token carries an epoch later than its roles: one
/// with earlier roles would outlive the change.
#[apply(each_database_with_threads)]
async fn no_token_carries_an_epoch_later_than_its_roles(world: World) {
    let admin = admin(&world);
    let owner = sign_up(&world, "owner").await;
    let bob = sign_up(&world, "bob").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": owner.id});
    let made = admin.post("/v1/organizations", body).await.expect(201);
    let made = made.json();
    let members = format!("/v1/organizations/{}/members", text(&made["id"]));
    // the role's number is the epoch that its change begins
    for epoch in 0..12 {
        let role = json!({"key": format!("r{epoch}"), "name": "R"});
        admin.post("/v1/roles", role).await.expect(201);
    }
    let joins = json!({"user_id": bob.id, "roles": ["r0"]});
    admin.post(&members, joins).await.expect(201);
    let mut refreshing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let person = sign_in_to(&world, &bob, &made["id"]).await;
        let client = world.anon();
        refreshing.spawn(async move {
            let mut tokens = vec![person.access_token];
            let mut current = person.refresh_token;
            for _ in 0..30 {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("refresh_token", current.as_str()),
                ];
                let answer = client.form("/t/acme/oauth/token", &fields).await;
                let body = answer.expect(200).json();
                tokens.push(text(&body["access_token"]));
                current = text(&body["refresh_token"]);
            }
            tokens
        });
    }
    let of_bob = format!("{members}/{}", bob.id);
    for epoch in 1..12 {
        let change = json!({"roles": [format!("r{epoch}")]});
        admin.patch(&of_bob, change).await.expect(200);
    }
    let mut seen = std::collections::BTreeSet::new();
    for token in refreshing.join_all().await.concat() {
        let claims = claims(&token);
        let role: u64 = claims.roles[0][1..].parse().unwrap();
        assert!(claims.epoch <= role, "{claims:?}");
        seen.insert(role);
    }
    assert!(seen.len() > 2, "nothing interleaved: {seen:?}");
}

/// Z5: tokens carry roles, so a change of them ends the tokens, not the session.
#[apply(each_database)]
async fn a_member_whose_roles_changed_needs_a_new_token(world: World) {
    let admin = admin(&world);
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let made = admin
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    let members = format!("/v1/organizations/{}/members", made["id"].as_str().unwrap());
    let joins = json!({"user_id": bob.id, "roles": ["admin"]});
    admin.post(&members, joins).await.expect(201);
    assert_eq!(outdated(&world).await, [], "joining takes nothing away");

    let of_bob = format!("{members}/{}", bob.id);
    admin
        .patch(&of_bob, json!({"roles": ["admin"]}))
        .await
        .expect(200);
    assert_eq!(outdated(&world).await, [], "the same roles are no change");
    admin
        .patch(&of_bob, json!({"roles": ["member"]}))
        .await
        .expect(200);
    assert_eq!(outdated(&world).await, [(bob.id, 1)]);
    admin.delete(&of_bob).await.expect(204);
    assert_eq!(outdated(&world).await, [(bob.id, 2)]);
    admin
        .delete(members.trim_end_matches("/members"))
        .await
        .expect(204);
    let mut said = outdated(&world).await;
    said.sort();
    let mut wanted = vec![(bob.id, 2), (alice.id, 1)];
    wanted.sort();
    assert_eq!(said, wanted);
    assert_eq!(ended(&world).await, []);

    // who is signed out everywhere does not hear that a refresh would help
    let path = format!("/v1/users/{}/revoke_sessions", bob.id);
    admin.post_empty(&path).await.expect(204);
    assert_eq!(ended(&world).await, [(bob.id, 3)]);
    assert_eq!(outdated(&world).await, [(alice.id, 1)]);
    let me = world.bearer(&bob.access_token).get("/t/acme/v1/me").await;
    me.expect_problem(401, "token_revoked");
}

#[apply(each_database)]
async fn the_end_of_all_sessions_refuses_every_token_issued_until_then(world: World) {
    let before = feed(&world).await;
    world.clock.advance_millis(1_500);
    admin(&world)
        .post_empty("/v1/tenant/revoke_sessions")
        .await
        .expect(204);
    let after = feed(&world).await;
    // a token issued in the same second, half a second earlier, carries 1 and must fall
    assert_eq!(after.issued_before, UnixSeconds(START_S + 2));
    assert!(after.version > before.version);
    // it stays: it is one number and not an entry
    world.clock.advance_seconds(86_400);
    assert_eq!(feed(&world).await.issued_before, UnixSeconds(START_S + 2));
}

#[apply(each_database)]
async fn a_feed_that_says_the_same_is_signed_anew_only_when_it_gets_old(world: World) {
    let first = world.anon().get(PATH).await.expect(200);
    let again = world.anon().get(PATH).await.expect(200);
    assert_eq!(first.bytes, again.bytes);
    let knows = world.anon().with("if-none-match", first.header("etag"));
    world.clock.advance_seconds(14);
    assert!(knows.get(PATH).await.expect(304).bytes.is_empty());
    world.clock.advance_seconds(1);
    let renewed = knows.get(PATH).await.expect(200);
    assert_ne!(renewed.header("etag"), first.header("etag"));
    let (old, new) = (read(&world, &first).await, read(&world, &renewed).await);
    assert!(new.version > old.version);
    assert_eq!(old.sessions, new.sessions);
    assert_eq!(new.iat.0, old.iat.0 + 15);
    let events = world.event_kinds().await;
    world.anon().get(PATH).await.expect(200);
    assert_eq!(world.event_kinds().await, events, "reading changes nothing");
}

/// Two instances over one database: an edge that asks now one and now the other learns what is new,
/// and is told by both that it has what they have.
#[apply(each_database)]
async fn two_instances_say_the_same_under_one_name(world: World) {
    let one = world.anon().get(PATH).await.expect(200);
    // What a router remembers is its own, as it would be in another process.
    let second = control_plane::router::router(&world.app);
    world.clock.advance_seconds(1);
    let knows = async |etag: &str| {
        let request = Request::get(PATH).header("if-none-match", etag);
        let request = request.body(Body::empty()).unwrap();
        second.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(knows(one.header("etag")).await, 304);
    let alice = sign_up(&world, "alice").await;
    world
        .bearer(&alice.access_token)
        .post_empty("/t/acme/v1/sign_out")
        .await
        .expect(204);
    let of_second = ask(&second, PATH).await.expect(200);
    let of_first = world.anon().get(PATH).await.expect(200);
    assert_eq!(of_first.header("etag"), of_second.header("etag"));
    assert_eq!(knows(of_first.header("etag")).await, 304);
    let one = read(&world, &one).await;
    for new in [of_first, of_second] {
        let new = read(&world, &new).await;
        assert!(new.version > one.version);
        assert_eq!(new.sessions, [alice.session]);
    }
}

/// Another tenant's revocations are nobody else's business.
#[apply(each_database)]
async fn a_feed_holds_its_own_tenants_revocations_only(world: World) {
    world.tenant("other").await;
    let mallory = sign_up_with(&world, "other", "mallory").await;
    world
        .bearer(&mallory.access_token)
        .post_empty("/t/other/v1/sign_out")
        .await
        .expect(204);
    assert!(feed(&world).await.sessions.is_empty());
    let theirs = world
        .anon()
        .get("/t/other/edge/revocations")
        .await
        .expect(200);
    let jws = Jws::parse(&theirs.text()).unwrap();
    let theirs: Feed = serde_json::from_slice(&jws.payload).unwrap();
    assert_eq!(theirs.sessions, [mallory.session]);
    let ours = edge_keys(&world, "acme").await;
    assert!(
        ours.find(jws.header.kid.as_deref().unwrap(), jws.header.alg)
            .is_none()
    );
}

/// S4: however many were revoked at once, the latest are named and the others' tokens are refused by
/// their time.
#[apply(each_database)]
async fn a_feed_names_the_latest_and_covers_the_rest(world: World) {
    const SESSIONS: &str = "with recursive numbers (n) as
            (select 1 union all select n + 1 from numbers where n < 20000)
        insert into sessions (tenant_id, id, user_id, client_id, user_epoch, amr, authenticated_at,
            created_at, last_used_at, expires_at, revoked_at, revoked_reason)
        select tenant_id, 'sess_' || substr('000000000000000000000' || (100000 + n), 2),
            user_id, client_id, user_epoch, amr, authenticated_at, created_at, last_used_at,
            expires_at, created_at + n, 'signed_out' from sessions cross join numbers";
    sign_up(&world, "alice").await;
    let mut tx = world.app.db.begin().await.unwrap();
    tx.execute(SESSIONS, args![]).await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance_seconds(20);
    let feed = feed(&world).await;
    assert_eq!(feed.sessions.len(), 16_384);
    let latest: SessionId = format!("sess_{:026}", 120_000).parse().unwrap();
    assert!(feed.sessions.contains(&latest));
    // 20,000 - 16,384 = 3,616: the latest that is not named was revoked 3.616 s after the start.
    assert_eq!(feed.outdated_before, UnixSeconds(START_S + 3 + 2));
}
