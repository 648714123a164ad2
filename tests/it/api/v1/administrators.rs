//! `/v1/administrators`, and whoever uses the management API by their roles: administrators of a
//! tenant, of several, members of an organization.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use plinto_tests::world::{Client, World};
use serde_json::{Value, json};

use crate::setup::{
    PASSWORD, Person, RESOURCE, admin, apply, client_with, each_database, execute, expect_oauth,
    manage, pointers, refresh, sign_in_for, sign_up, text, try_refresh,
};

/// Makes somebody an administrator of acme.
async fn appoint(world: &World, person: &Person, roles: &[&str]) {
    let body = json!({"user_id": person.id, "roles": roles});
    admin(world)
        .post("/v1/administrators", body)
        .await
        .expect(201);
}

async fn role(world: &World, key: &str, management: &[&str]) -> Value {
    let body = json!({"key": key, "name": key, "management_permissions": management});
    admin(world)
        .post("/v1/roles", body)
        .await
        .expect(201)
        .json()
}

fn administrator(person: &Person) -> String {
    format!("/v1/administrators/{}", person.id)
}

/// The payload of a token, unverified.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
}

/// T9: a token for an application opens nothing here, whatever its bearer may do, and one for the
/// management API opens no application.
#[apply(each_database)]
async fn only_a_token_for_the_management_api_opens_it(world: World) {
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let refused = alice.client(&world).get("/v1/users").await;
    refused.expect_problem(401, "token_invalid");

    let managing = manage(&world, &alice).await;
    managing.client(&world).get("/v1/users").await.expect(200);
    let audience = &claims(&managing.access_token)["aud"];
    assert_eq!(audience, &json!([RESOURCE, "http://127.0.0.1:7400/t/acme"]));
    // Her own things are hers with either.
    managing
        .client(&world)
        .get("/t/acme/v1/me")
        .await
        .expect(200);
}

/// T9: which audience its applications' tokens have is the tenant's choice, and buys nothing.
#[tokio::test]
async fn a_tenant_whose_audience_is_the_management_api_gives_its_applications_no_rights() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    // Past the API, which refuses it.
    let sql = "update tenants set audience = 'http://127.0.0.1:7400/v1'";
    execute(&world, sql).await;
    world.clock.advance_seconds(2);
    let (token, _) = refresh(&world, &alice.refresh_token).await;
    assert_eq!(claims(&token)["aud"][0], RESOURCE);
    let refused = world.bearer(&token).get("/v1/users").await;
    refused.expect_problem(401, "token_invalid");
}

#[apply(each_database)]
async fn a_session_keeps_what_its_tokens_are_for(world: World) {
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let managing = manage(&world, &alice).await;
    let (token, next) = refresh(&world, &managing.refresh_token).await;
    world.bearer(&token).get("/v1/users").await.expect(200);

    // RFC 8707 §2.2: another resource is refused, and nothing is spent.
    let ask = |resource: &'static str, token: String| {
        let client = world.anon();
        async move {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("resource", resource),
            ];
            client.form("/t/acme/oauth/token", &fields).await
        }
    };
    let refused = ask("https://api.acme.test", next.clone()).await;
    expect_oauth(&refused, 400, "invalid_target");
    let other = ask(RESOURCE, alice.refresh_token.clone()).await;
    expect_oauth(&other, 400, "invalid_target");
    ask(RESOURCE, next).await.expect(200);
    try_refresh(&world, &alice.refresh_token).await.expect(200);
}

#[tokio::test]
async fn nobody_signs_in_for_a_resource_that_there_is_not() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    for resource in ["", "https://api.globex.test", "http://127.0.0.1:7400/v1/"] {
        let refused = sign_in_for(&world, "acme", &alice.email, resource).await;
        assert_eq!(pointers(&refused), ["/resource"]);
        let refused = refused.expect_problem(422, "validation_failed");
        assert!(refused.text().contains(RESOURCE), "{}", refused.text());
    }
    let own = sign_in_for(&world, "acme", &alice.email, "https://api.acme.test").await;
    let own = Person::of(&own.expect(200));
    let refused = own.client(&world).get("/v1/users").await;
    refused.expect_problem(401, "token_invalid");
}

/// Z4: without a role that allows it a person may do nothing, however they signed in.
#[tokio::test]
async fn somebody_without_rights_is_refused_everywhere() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await;
    let managing = manage(&world, &alice).await.client(&world);
    for path in [
        "/v1/tenant",
        "/v1/users",
        "/v1/sessions",
        "/v1/organizations",
        "/v1/organizations/org_01h455vb4pex5vsknk084sn02q",
        "/v1/organizations/org_01h455vb4pex5vsknk084sn02q/members",
        "/v1/roles",
        "/v1/administrators",
        "/v1/api_keys",
        "/v1/signing_keys",
        "/v1/policies/bundles",
    ] {
        let refused = managing.get(path).await;
        refused.expect_problem(403, "permission_denied");
    }
}

/// Z5: in force at once, without another token.
#[apply(each_database)]
async fn an_administrator_is_made_changed_and_removed(world: World) {
    let alice = sign_up(&world, "alice").await;
    role(&world, "support", &["users:read"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    managing.get("/v1/users").await.expect(403);

    let body = json!({"user_id": alice.id, "roles": ["support"]});
    let made = admin(&world)
        .post("/v1/administrators", body)
        .await
        .expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let made = made.json();
    assert_eq!(made["roles"], json!(["support"]));
    assert_eq!(made["home_tenant_id"], world.acme.tenant.to_string());
    managing.get("/v1/users").await.expect(200);
    managing.get("/v1/sessions").await.expect(403);

    let listed = admin(&world).get("/v1/administrators").await.expect(200);
    assert_eq!(listed.json()["data"], json!([made]));
    let change = json!({"roles": ["administrator"]});
    let stale = admin(&world).with("if-match", "\"7\"");
    let refused = stale.patch(&administrator(&alice), change.clone()).await;
    refused.expect_problem(412, "precondition_failed");
    let changed = admin(&world).patch(&administrator(&alice), change).await;
    assert_eq!(changed.expect(200).header("etag"), "\"2\"");
    managing.get("/v1/sessions").await.expect(200);

    admin(&world)
        .delete(&administrator(&alice))
        .await
        .expect(204);
    managing.get("/v1/users").await.expect(403);
    for _ in 0..2 {
        let gone = admin(&world).delete(&administrator(&alice)).await;
        gone.expect_problem(404, "not_found");
    }
    let kinds = world.event_kinds().await;
    for kind in ["added", "updated", "removed"] {
        let kind = format!("administrator.{kind}");
        let seen = kinds.iter().filter(|seen| **seen == kind);
        assert_eq!(seen.count(), 1, "{kind}");
    }
}

/// Z5: a role that loses a permission loses it for everybody who has the role, at once.
#[apply(each_database)]
async fn a_roles_management_permissions_are_read_when_they_are_used(world: World) {
    let alice = sign_up(&world, "alice").await;
    let support = role(&world, "support", &["users:read"]).await;
    appoint(&world, &alice, &["support"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    managing.get("/v1/users").await.expect(200);
    let path = format!("/v1/roles/{}", text(&support["id"]));
    let client = admin(&world).with("if-match", "\"1\"");
    let change = json!({"management_permissions": []});
    client.patch(&path, change).await.expect(200);
    managing.get("/v1/users").await.expect(403);
    let in_use = admin(&world).with("if-match", "\"2\"").delete(&path).await;
    in_use.expect_problem(409, "role_in_use");
}

/// Z6: nobody grants what they lack, to others or to themselves, by any way there is; nor takes it.
#[apply(each_database)]
async fn nobody_grants_or_takes_what_they_lack(world: World) {
    let alice = sign_up(&world, "alice").await;
    let bob = sign_up(&world, "bob").await;
    let carol = sign_up(&world, "carol").await;
    let most = [
        "administrators:read",
        "administrators:write",
        "api_keys:write",
        "organizations:write",
        "roles:write",
    ];
    let deputy = role(&world, "deputy", &most).await;
    role(&world, "support", &["users:read"]).await;
    role(&world, "empty", &[]).await;
    appoint(&world, &alice, &["deputy"]).await;
    appoint(&world, &bob, &["administrator"]).await;
    let managing = manage(&world, &alice).await.client(&world);
    let seen = managing.clone().with("if-match", "\"1\"");

    let refusals = [
        managing
            .post(
                "/v1/administrators",
                json!({"user_id": carol.id, "roles": ["support"]}),
            )
            .await,
        managing
            .patch(&administrator(&alice), json!({"roles": ["administrator"]}))
            .await,
        managing
            .patch(
                &administrator(&alice),
                json!({"roles": ["deputy", "support"]}),
            )
            .await,
        managing
            .patch(&administrator(&bob), json!({"roles": ["empty"]}))
            .await,
        managing.delete(&administrator(&bob)).await,
        managing
            .post(
                "/v1/roles",
                json!({"key": "x", "name": "X", "management_permissions": ["users:read"]}),
            )
            .await,
        seen.patch(
            &format!("/v1/roles/{}", text(&deputy["id"])),
            json!({"management_permissions": ["users:read"]}),
        )
        .await,
        managing
            .post(
                "/v1/api_keys",
                json!({"name": "x", "permissions": ["users:read"]}),
            )
            .await,
        // An owner may read the organization, which she may not.
        managing
            .post(
                "/v1/organizations",
                json!({"slug": "one", "name": "One", "owner_id": alice.id}),
            )
            .await,
    ];
    for refused in refusals {
        refused.expect_problem(403, "permission_denied");
    }
    let body = json!({"user_id": carol.id, "roles": ["deputy", "empty"]});
    managing.post("/v1/administrators", body).await.expect(201);
    managing.delete(&administrator(&carol)).await.expect(204);
    managing.get(&administrator(&bob)).await.expect(200);
}

#[tokio::test]
async fn what_an_administrator_role_allows_is_not_changed() {
    let world = World::new().await;
    let roles = admin(&world).get("/v1/roles").await.expect(200).json();
    let rows = roles["data"].as_array().unwrap();
    let role = rows.iter().find(|role| role["key"] == "administrator");
    let path = format!("/v1/roles/{}", text(&role.unwrap()["id"]));
    let client = admin(&world).with("if-match", "\"1\"");
    let refused = client
        .patch(&path, json!({"management_permissions": []}))
        .await;
    refused.expect_problem(422, "validation_failed");
    client
        .patch(&path, json!({"name": "Admin"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn each_bad_value_is_pointed_at() {
    let world = World::new().await;
    let globex = world.tenant("globex").await;
    let alice = sign_up(&world, "alice").await;
    let nobody = "user_01h455vb4pex5vsknk084sn02q";
    for (body, pointer) in [
        (
            json!({"user_id": nobody, "roles": ["administrator"]}),
            "/user_id",
        ),
        (
            json!({"user_id": alice.id, "home_tenant_id": globex.tenant, "roles": ["administrator"]}),
            "/user_id",
        ),
        (json!({"user_id": alice.id, "roles": []}), "/roles"),
        (
            json!({"user_id": alice.id, "roles": ["administrator", "x"]}),
            "/roles/1",
        ),
        (
            json!({"user_id": alice.id, "roles": ["administrator"], "x": 1}),
            "/x",
        ),
    ] {
        let refused = admin(&world).post("/v1/administrators", body).await;
        assert_eq!(pointers(&refused), [pointer]);
        refused.expect_problem(422, "validation_failed");
    }
    let body =
        json!({"key": "r", "name": "R", "management_permissions": ["users:read", "users:x"]});
    let refused = admin(&world).post("/v1/roles", body).await;
    assert_eq!(pointers(&refused), ["/management_permissions/1"]);
    appoint(&world, &alice, &["administrator"]).await;
    let again = json!({"user_id": alice.id, "roles": ["administrator"]});
    let refused = admin(&world).post("/v1/administrators", again).await;
    refused.expect_problem(409, "already_administrator");
}

/// Whose session ends, who is disabled or signs out everywhere, manages no more.
#[apply(each_database)]
async fn rights_end_with_the_session_and_with_the_user(world: World) {
    let alice = sign_up(&world, "alice").await;
    appoint(&world, &alice, &["administrator"]).await;
    let first = manage(&world, &alice).await;
    let second = manage(&world, &alice).await;
    let path = format!("/v1/sessions/{}/revoke", first.session);
    admin(&world).post_empty(&path).await.expect(200);
    let refused = first.client(&world).get("/v1/users").await;
    refused.expect_problem(401, "token_revoked");
    let disable = format!("/v1/users/{}/disable", alice.id);
    second.client(&world).get("/v1/users").await.expect(200);
    // Her own doing, and the last thing she does.
    second.client(&world).post_empty(&disable).await.expect(200);
    let refused = second.client(&world).get("/v1/users").await;
    refused.expect_problem(401, "token_revoked");
}

struct Company {
    id: String,
    owner: Person,
    admin: Person,
    member: Person,
}

/// An organization with an owner, an admin and a member.
async fn company(world: &World, slug: &str) -> Company {
    let owner = sign_up(world, &format!("{slug}-owner")).await;
    let second = sign_up(world, &format!("{slug}-admin")).await;
    let member = sign_up(world, &format!("{slug}-member")).await;
    let body = json!({"slug": slug, "name": slug, "owner_id": owner.id});
    let made = admin(world)
        .post("/v1/organizations", body)
        .await
        .expect(201);
    let id = text(&made.json()["id"]);
    for (person, role) in [(&second, "admin"), (&member, "member")] {
        let body = json!({"user_id": person.id, "roles": [role]});
        let path = format!("/v1/organizations/{id}/members");
        admin(world).post(&path, body).await.expect(201);
    }
    Company {
        id,
        owner,
        admin: second,
        member,
    }
}

/// Rights of an organization's members reach their organization and nothing else.
#[apply(each_database)]
async fn rights_in_an_organization_reach_only_that(world: World) {
    let one = company(&world, "one").await;
    let two = company(&world, "two").await;
    let managing = manage(&world, &one.admin).await.client(&world);
    let own = format!("/v1/organizations/{}", one.id);
    let others = format!("/v1/organizations/{}", two.id);

    managing.get(&own).await.expect(200);
    managing.get(&format!("{own}/members")).await.expect(200);
    let path = format!("{own}/members/{}", one.member.id);
    managing.get(&path).await.expect(200);
    managing
        .patch(&own, json!({"name": "Uno"}))
        .await
        .expect(200);
    let listed = managing.get("/v1/organizations").await.expect(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    assert_eq!(listed["data"][0]["id"], one.id);

    let members = format!("{others}/members");
    let member = format!("{members}/{}", two.member.id);
    let refusals = [
        managing.get(&others).await,
        managing
            .get("/v1/organizations/org_01h455vb4pex5vsknk084sn02q")
            .await,
        managing.patch(&others, json!({"name": "Due"})).await,
        managing.get(&members).await,
        managing.get(&member).await,
        managing.patch(&member, json!({"roles": ["admin"]})).await,
        managing.delete(&member).await,
        managing.delete(&others).await,
        // What reaches beyond the organization needs rights in the whole tenant.
        managing.delete(&own).await,
        managing
            .post("/v1/organizations", json!({"slug": "x", "name": "X"}))
            .await,
        managing
            .post(
                &format!("{own}/members"),
                json!({"user_id": two.member.id, "roles": ["member"]}),
            )
            .await,
        managing.get("/v1/users").await,
        managing.get("/v1/roles").await,
    ];
    let texts: Vec<_> = refusals
        .into_iter()
        .map(|refused| text(&refused.expect_problem(403, "permission_denied").json()["detail"]))
        .collect();
    // Somebody else's organization looks like one that there is not.
    assert_eq!(texts[0], texts[1]);
    let member = manage(&world, &one.member).await.client(&world);
    member.get(&own).await.expect(403);
    member.get("/v1/organizations").await.expect(403);
    // An application's token is no key to the organization either.
    one.owner.client(&world).get(&own).await.expect(401);
}

/// Z6: in an organization nobody gives or takes roles that allow more than their own there.
#[apply(each_database)]
async fn members_manage_no_rights_beyond_their_own(world: World) {
    let one = company(&world, "one").await;
    let body = json!({"key": "auditor", "name": "Auditor", "permissions": ["audit:read"]});
    admin(&world).post("/v1/roles", body).await.expect(201);
    let managed = manage(&world, &one.admin).await;
    let managing = managed.client(&world);
    let path = |person: &Person| format!("/v1/organizations/{}/members/{}", one.id, person.id);
    for (person, roles) in [
        (&one.admin, json!(["owner"])),
        (&one.admin, json!(["admin", "auditor"])),
        (&one.member, json!(["owner"])),
        (&one.member, json!(["administrator"])),
        (&one.owner, json!(["member"])),
        (&one.owner, json!(["owner", "auditor"])),
    ] {
        let refused = managing.patch(&path(person), json!({"roles": roles})).await;
        refused.expect_problem(403, "permission_denied");
    }
    let refused = managing.delete(&path(&one.owner)).await;
    refused.expect_problem(403, "permission_denied");

    let change = json!({"roles": ["admin"]});
    managing.patch(&path(&one.member), change).await.expect(200);
    managing.delete(&path(&one.member)).await.expect(204);
    // Out of the organization, out of its management.
    let owner = manage(&world, &one.owner).await.client(&world);
    owner.delete(&path(&one.admin)).await.expect(204);
    let (token, _) = refresh(&world, &managed.refresh_token).await;
    let refused = world.bearer(&token).get(&path(&one.owner)).await;
    refused.expect_problem(403, "permission_denied");
    let last = owner.delete(&path(&one.owner)).await;
    last.expect_problem(409, "last_owner");
}

/// Signs somebody up in globex and in for the management API.
async fn of_globex(world: &World, name: &str) -> Person {
    let email = format!("{name}@globex.test");
    let body = json!({"email": email, "password": PASSWORD});
    let made = world.anon().post("/t/globex/v1/sign_up", body).await;
    made.expect(201);
    let answer = sign_in_for(world, "globex", &email, RESOURCE).await;
    Person::of(&answer.expect(200))
}

fn in_acme(client: &Client) -> Client {
    client.clone().with("plinto-tenant", "acme")
}

/// An operator of several tenants: a user of one, an administrator of others.
#[apply(each_database)]
async fn an_operator_acts_in_the_tenant_that_a_request_names(world: World) {
    let globex = world.tenant("globex").await;
    let oscar = of_globex(&world, "oscar").await;
    let client = oscar.client(&world);
    let before = in_acme(&client).get("/v1/users").await;
    let before = before.expect_problem(403, "permission_denied").json();
    let nowhere = client.clone().with("plinto-tenant", "nowhere");
    let nowhere = nowhere.get("/v1/users").await;
    let nowhere = nowhere.expect_problem(403, "permission_denied").json();
    assert_eq!(before["detail"], nowhere["detail"]);

    role(
        &world,
        "support",
        &["organizations:read", "organizations:write"],
    )
    .await;
    let body = json!({
        "user_id": oscar.id, "home_tenant_id": globex.tenant, "roles": ["support"],
    });
    let made = admin(&world)
        .post("/v1/administrators", body)
        .await
        .expect(201);
    assert_eq!(made.json()["home_tenant_id"], globex.tenant.to_string());
    let body = json!({"slug": "one", "name": "One"});
    let made = in_acme(&client).post("/v1/organizations", body).await;
    let id = text(&made.expect(201).json()["id"]);
    admin(&world)
        .get(&format!("/v1/organizations/{id}"))
        .await
        .expect(200);
    in_acme(&client).get("/v1/users").await.expect(403);
    // At home he is nobody.
    client.get("/v1/organizations").await.expect(403);
    let home = client.clone().with("plinto-tenant", "globex");
    home.get("/v1/organizations").await.expect(403);
    // It happened in acme, and was his doing.
    let events = world.events(world.acme.tenant).await;
    let event = events.iter().find(|event| event.target == id).unwrap();
    assert_eq!(event.actor.id, oscar.id.to_string());
    assert!(
        world
            .events(globex.tenant)
            .await
            .iter()
            .all(|event| event.target != id)
    );

    // His own tenant ends his session, and with it his rights everywhere.
    let key = world.bearer(globex.api_key.expose());
    let path = format!("/v1/users/{}/disable", oscar.id);
    key.post_empty(&path).await.expect(200);
    let refused = in_acme(&client).get("/v1/organizations").await;
    refused.expect_problem(401, "token_revoked");
}

#[tokio::test]
async fn an_api_key_acts_in_its_own_tenant_only() {
    let world = World::new().await;
    world.tenant("globex").await;
    for other in ["globex", "nowhere", "Acme", ""] {
        let client = admin(&world).with("plinto-tenant", other);
        let refused = client.get("/v1/users").await;
        refused.expect_problem(403, "permission_denied");
    }
    in_acme(&admin(&world)).get("/v1/users").await.expect(200);
    let client = client_with(&world, &["users:read"]).await;
    in_acme(&client).get("/v1/users").await.expect(200);
}
