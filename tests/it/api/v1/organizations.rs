//! `/v1/organizations` and their members.

use plinto_contract::ids::UserId;
use plinto_tests::world::{Client, World};
use serde_json::{Value, json};

use crate::setup::{
    admin, apply, client_with, each_database, each_database_with_threads, pointers, read, sign_up,
    sign_up_with,
};

async fn make(client: &Client, body: Value) -> String {
    let made = client
        .post("/v1/organizations", body)
        .await
        .expect(201)
        .json();
    format!("/v1/organizations/{}", made["id"].as_str().unwrap())
}

fn member(user: &UserId, roles: &[&str]) -> Value {
    json!({"user_id": user, "roles": roles})
}

#[apply(each_database)]
async fn an_organization_is_made_read_changed_and_deleted(world: World) {
    let admin = admin(&world);
    world.clock.advance_seconds(1);
    let body = json!({"slug": "acme-inc", "name": "Acme Inc."});
    let made = admin.post("/v1/organizations", body).await.expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let made = made.json();
    let path = format!("/v1/organizations/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200).json(), made);

    world.clock.advance_seconds(1);
    let change = json!({"name": "Acme"});
    let changed = admin.patch(&path, change.clone()).await.expect(200);
    assert_eq!(
        (&changed.json()["name"], &changed.json()["slug"]),
        (&json!("Acme"), &json!("acme-inc"))
    );
    assert_eq!(changed.header("etag"), "\"2\"");
    let stale = admin.clone().with("if-match", "\"1\"");
    stale
        .patch(&path, change)
        .await
        .expect_problem(412, "precondition_failed");
    stale
        .delete(&path)
        .await
        .expect_problem(412, "precondition_failed");

    world.clock.advance_seconds(1);
    admin.delete(&path).await.expect(204);
    admin.get(&path).await.expect_problem(404, "not_found");
    let kinds = world.event_kinds().await;
    let wanted = [
        "organization.created",
        "organization.updated",
        "organization.deleted",
    ];
    assert_eq!(kinds[kinds.len() - 3..], wanted);
}

/// N10: who is a member no more because the organization is gone, is said to be none.
#[apply(each_database)]
async fn a_deleted_organizations_members_are_said_to_have_left(world: World) {
    let admin = admin(&world);
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let path = make(&admin, body).await;
    let members = format!("{path}/members");
    admin
        .post(&members, member(&bob.id, &["member"]))
        .await
        .expect(201);
    admin.delete(&path).await.expect(204);
    let events = world.events(world.acme.tenant).await;
    let mut left: Vec<UserId> = events
        .iter()
        .filter(|event| event.kind.as_str() == "member.removed")
        .map(|event| read(&event.data["user_id"]))
        .collect();
    left.sort();
    let mut wanted = vec![alice.id, bob.id];
    wanted.sort();
    assert_eq!(left, wanted);
}

#[apply(each_database)]
async fn a_slug_is_taken_once_per_tenant(world: World) {
    let body = json!({"slug": "one", "name": "One"});
    make(&admin(&world), body.clone()).await;
    let answer = admin(&world).post("/v1/organizations", body.clone()).await;
    answer.expect_problem(409, "slug_taken");
    let second = make(&admin(&world), json!({"slug": "two", "name": "Two"})).await;
    let answer = admin(&world).patch(&second, json!({"slug": "one"})).await;
    answer.expect_problem(409, "slug_taken");
    let other = world.tenant("other").await;
    make(&world.bearer(other.api_key.expose()), body).await;
}

#[apply(each_database)]
async fn members_come_change_and_go(world: World) {
    let admin = admin(&world);
    let (alice, bob) = (sign_up(&world, "alice").await, sign_up(&world, "bob").await);
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let members = format!("{}/members", make(&admin, body).await);
    world.clock.advance_seconds(1);
    let added = admin
        .post(&members, member(&bob.id, &["member"]))
        .await
        .expect(201)
        .json();
    assert_eq!(added["roles"], json!(["member"]));
    let path = format!("{members}/{}", bob.id);
    assert_eq!(admin.get(&path).await.expect(200).json(), added);
    let again = admin.post(&members, member(&bob.id, &["admin"])).await;
    again.expect_problem(409, "already_member");

    world.clock.advance_seconds(1);
    let changed = admin
        .patch(&path, json!({"roles": ["member", "admin"]}))
        .await
        .expect(200);
    assert_eq!(changed.json()["roles"], json!(["admin", "member"]));
    let listed = admin.get(&members).await.expect(200).json();
    let users: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["user_id"])
        .collect();
    assert_eq!(users.len(), 2);
    assert!(users.contains(&&json!(alice.id)) && users.contains(&&json!(bob.id)));

    world.clock.advance_seconds(1);
    admin.delete(&path).await.expect(204);
    admin.get(&path).await.expect_problem(404, "not_found");
    admin.delete(&path).await.expect_problem(404, "not_found");
    let kinds = world.event_kinds().await;
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["member.added", "member.updated", "member.removed"]
    );
}

#[apply(each_database)]
async fn members_come_in_pages(world: World) {
    let admin = admin(&world);
    let owner = sign_up(&world, "owner").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": owner.id});
    let members = format!("{}/members", make(&admin, body).await);
    for name in ["ada", "bob", "cy"] {
        let person = sign_up(&world, name).await;
        admin
            .post(&members, member(&person.id, &["admin", "member"]))
            .await
            .expect(201);
    }
    let first = admin
        .get(&format!("{members}?limit=3"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (first["data"].as_array().unwrap().len(), &first["has_more"]),
        (3, &json!(true))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = admin
        .get(&format!("{members}?limit=3&cursor={cursor}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (rest["data"].as_array().unwrap().len(), &rest["has_more"]),
        (1, &json!(false))
    );
    let roles: usize = [&first, &rest]
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|row| row["roles"].as_array().unwrap().len())
        .sum();
    assert_eq!(roles, 7);
    let elsewhere = format!("/v1/organizations?cursor={cursor}");
    admin
        .get(&elsewhere)
        .await
        .expect_problem(400, "invalid_cursor");
}

/// Two administrators who change a member at once do not undo each other unseen: RFC 9110 §13.1.1.
#[apply(each_database)]
async fn a_member_is_changed_at_the_version_that_was_seen(world: World) {
    let admin = admin(&world);
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let path = format!("{}/members/{}", make(&admin, body).await, alice.id);
    let seen = admin.get(&path).await.expect(200);
    assert_eq!(seen.header("etag"), "\"1\"");
    let first = admin.clone().with("if-match", seen.header("etag"));
    let roles = json!({"roles": ["owner", "admin"]});
    let changed = first.patch(&path, roles.clone()).await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    let late = json!({"roles": ["owner", "member"]});
    for answer in [
        first.patch(&path, late.clone()).await,
        first.delete(&path).await,
    ] {
        answer.expect_problem(412, "precondition_failed");
    }
    let same = admin.patch(&path, roles).await.expect(200);
    assert_eq!(same.header("etag"), "\"2\"", "the same roles are no change");
    let blind = admin.patch(&path, late).await.expect(200);
    assert_eq!(blind.header("etag"), "\"3\"");
}

/// Z6, I8.
#[apply(each_database)]
async fn the_last_owner_stays(world: World) {
    let admin = admin(&world);
    let (alice, bob) = (sign_up(&world, "alice").await, sign_up(&world, "bob").await);
    let members = format!(
        "{}/members",
        make(&admin, json!({"slug": "one", "name": "One"})).await
    );
    let answer = admin.post(&members, member(&bob.id, &["admin"])).await;
    answer.expect_problem(409, "last_owner");
    admin
        .post(&members, member(&alice.id, &["owner"]))
        .await
        .expect(201);
    admin
        .post(&members, member(&bob.id, &["admin"]))
        .await
        .expect(201);
    let (of_alice, of_bob) = (
        format!("{members}/{}", alice.id),
        format!("{members}/{}", bob.id),
    );
    let demotion = json!({"roles": ["admin"]});
    admin
        .patch(&of_alice, demotion.clone())
        .await
        .expect_problem(409, "last_owner");
    admin
        .delete(&of_alice)
        .await
        .expect_problem(409, "last_owner");
    assert_eq!(
        admin.get(&of_alice).await.expect(200).json()["roles"],
        json!(["owner"])
    );

    admin
        .patch(&of_bob, json!({"roles": ["owner"]}))
        .await
        .expect(200);
    admin.patch(&of_alice, demotion).await.expect(200);
    admin.delete(&of_alice).await.expect(204);
    // alone, and still the last
    admin
        .delete(&of_bob)
        .await
        .expect_problem(409, "last_owner");
}

/// I8: two owners who remove each other at the same time.
#[apply(each_database_with_threads)]
async fn owners_who_remove_each_other_leave_one(world: World) {
    let admin = admin(&world);
    let mut owners = Vec::new();
    for name in ["ada", "bob", "cy", "dee"] {
        owners.push(sign_up(&world, name).await.id);
    }
    for round in 0..10 {
        let body = json!({"slug": format!("org-{round}"), "name": "One", "owner_id": owners[0]});
        let members = format!("{}/members", make(&admin, body).await);
        for owner in &owners[1..] {
            admin
                .post(&members, member(owner, &["owner"]))
                .await
                .expect(201);
        }
        let mut going = Vec::new();
        for owner in &owners {
            let (client, path) = (admin.clone(), format!("{members}/{owner}"));
            going.push(tokio::spawn(async move {
                client.delete(&path).await.status.as_u16()
            }));
        }
        let mut answers = Vec::new();
        for one in going {
            answers.push(one.await.unwrap());
        }
        answers.sort_unstable();
        assert_eq!(answers, [204, 204, 204, 409]);
        let left = admin.get(&members).await.expect(200).json();
        assert_eq!(left["data"].as_array().unwrap().len(), 1, "{left}");
        assert_eq!(left["data"][0]["roles"], json!(["owner"]));
    }
}

#[apply(each_database)]
async fn a_role_that_members_have_stays(world: World) {
    let admin = admin(&world);
    let alice = sign_up(&world, "alice").await;
    let role = admin
        .post("/v1/roles", json!({"key": "editor", "name": "Editor"}))
        .await;
    let role = format!(
        "/v1/roles/{}",
        role.expect(201).json()["id"].as_str().unwrap()
    );
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let organization = make(&admin, body).await;
    let path = format!("{organization}/members/{}", alice.id);
    admin
        .patch(&path, json!({"roles": ["owner", "editor"]}))
        .await
        .expect(200);
    let at_version = admin.clone().with("if-match", "\"1\"");
    at_version
        .delete(&role)
        .await
        .expect_problem(409, "role_in_use");
    admin.delete(&organization).await.expect(204);
    at_version.delete(&role).await.expect(204);
}

/// Z2, Z3.
#[apply(each_database)]
async fn another_tenants_organization_users_and_roles_look_like_none(world: World) {
    let admin = admin(&world);
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let ours = make(&admin, body).await;
    let tenant = world.tenant("other").await;
    let other = world.bearer(tenant.api_key.expose());
    let mallory = sign_up_with(&world, "other", "mallory").await;

    let members = format!("{ours}/members");
    let of_alice = format!("{members}/{}", alice.id);
    for path in [&ours, &members, &of_alice] {
        other.get(path).await.expect_problem(404, "not_found");
    }
    other
        .patch(&ours, json!({"name": "x"}))
        .await
        .expect_problem(404, "not_found");
    other.delete(&ours).await.expect_problem(404, "not_found");
    let answer = other.post(&members, member(&mallory.id, &["owner"])).await;
    answer.expect_problem(404, "not_found");
    let answer = other.patch(&of_alice, json!({"roles": ["member"]})).await;
    answer.expect_problem(404, "not_found");
    other
        .delete(&of_alice)
        .await
        .expect_problem(404, "not_found");

    // our organization, their user; their role
    let answer = admin.post(&members, member(&mallory.id, &["member"])).await;
    assert_eq!(
        pointers(&answer.expect_problem(422, "validation_failed")),
        ["/user_id"]
    );
    other
        .post("/v1/roles", json!({"key": "theirs", "name": "T"}))
        .await
        .expect(201);
    let answer = admin
        .patch(&of_alice, json!({"roles": ["owner", "theirs"]}))
        .await;
    assert_eq!(
        pointers(&answer.expect_problem(422, "validation_failed")),
        ["/roles/1"]
    );
    assert_eq!(
        admin.get(&members).await.expect(200).json()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn reading_does_not_allow_writing() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let body = json!({"slug": "one", "name": "One", "owner_id": alice.id});
    let path = make(&admin(&world), body.clone()).await;
    let members = format!("{path}/members");
    let of_alice = format!("{members}/{}", alice.id);
    let reader = client_with(&world, &["organizations:read"]).await;
    let stranger = client_with(&world, &["roles:read"]).await;
    for path in [&path, &members, &of_alice] {
        reader.get(path).await.expect(200);
        stranger
            .get(path)
            .await
            .expect_problem(403, "permission_denied");
    }
    let denied = "permission_denied";
    reader
        .post("/v1/organizations", body)
        .await
        .expect_problem(403, denied);
    reader
        .patch(&path, json!({"name": "x"}))
        .await
        .expect_problem(403, denied);
    reader.delete(&path).await.expect_problem(403, denied);
    reader
        .post(&members, member(&alice.id, &["owner"]))
        .await
        .expect_problem(403, denied);
    reader
        .patch(&of_alice, json!({"roles": ["admin"]}))
        .await
        .expect_problem(403, denied);
    reader.delete(&of_alice).await.expect_problem(403, denied);
    // a person's token is for applications
    let person = world.bearer(&alice.access_token);
    person.get(&path).await.expect_problem(401, "token_invalid");
}

#[tokio::test]
async fn bad_values_are_pointed_at() {
    let world = World::new().await;
    let refused = async |body: Value| {
        let answer = admin(&world).post("/v1/organizations", body).await;
        pointers(&answer.expect_problem(422, "validation_failed"))
    };
    assert_eq!(
        refused(json!({"slug": "A b", "name": ""})).await,
        ["/slug", "/name"]
    );
    assert_eq!(
        refused(json!({"slug": "a", "name": "A", "owner_id": "x"})).await,
        ["/owner_id"]
    );
    let nobody: &UserId = &"user_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    assert_eq!(
        refused(json!({"slug": "a", "name": "A", "owner_id": nobody})).await,
        ["/owner_id"]
    );
    assert_eq!(
        refused(json!({"slug": "a", "name": "A", "id": "x"})).await,
        ["/id"]
    );
    assert_eq!(refused(json!({"slug": 1, "name": "A"})).await, ["/slug"]);
    let path = make(&admin(&world), json!({"slug": "a", "name": "A"})).await;
    let refused = async |body: Value| {
        let answer = admin(&world).post(&format!("{path}/members"), body).await;
        pointers(&answer.expect_problem(422, "validation_failed"))
    };
    assert_eq!(refused(member(nobody, &[])).await, ["/roles"]);
    assert_eq!(
        refused(member(nobody, &["owner", "No"])).await,
        ["/roles/1"]
    );
    assert_eq!(refused(member(nobody, &["owner"])).await, ["/user_id"]);
    let alice = sign_up(&world, "alice").await;
    assert_eq!(
        refused(member(&alice.id, &["owner", "unheard"])).await,
        ["/roles/1"]
    );
}
