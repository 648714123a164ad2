//! What comes in is taken as it is written, or refused at the place where the caller wrote it.

use plinto_tests::world::World;
use serde_json::{Value, json};

use crate::setup::{PASSWORD, admin, apply, each_database, pointers, sign_up};

/// `pointer code` of each value at fault.
fn faults(problem: &Value) -> Vec<String> {
    let errors = problem["errors"].as_array().unwrap().iter();
    let fault = |error: &Value| {
        let (pointer, code) = (error["pointer"].as_str(), error["code"].as_str());
        format!("{} {}", pointer.unwrap(), code.unwrap())
    };
    errors.map(fault).collect()
}

#[apply(each_database)]
async fn a_role_that_nobody_made_is_pointed_at_where_the_caller_wrote_it(world: World) {
    let key = admin(&world);
    let person = sign_up(&world, "alice").await;
    let body = json!({"slug": "acme", "name": "Acme"});
    let made = key.post("/v1/organizations", body).await.expect(201).json();
    let members = format!("/v1/organizations/{}/members", made["id"].as_str().unwrap());
    let roles = ["zebra", "owner", "member", "alpha"];
    let body = json!({"user_id": person.id, "roles": roles});
    let refused = key.post(&members, body).await.expect(422);
    assert_eq!(pointers(&refused), ["/roles/0", "/roles/3"]);
    let body = json!({"user_id": person.id, "roles": ["owner"]});
    key.post(&members, body).await.expect(201);
    let member = format!("{members}/{}", person.id);
    let body = json!({"roles": ["owner", "zebra", "alpha", "member"]});
    let refused = key.patch(&member, body).await.expect(422);
    assert_eq!(pointers(&refused), ["/roles/1", "/roles/2"]);
}

#[tokio::test]
async fn a_name_that_nobody_can_see_or_that_hides_something_is_refused_everywhere() {
    let world = World::new().await;
    let key = admin(&world);
    for (name, code) in [
        ("", "blank"),
        ("  ", "blank"),
        ("\u{200b}\u{200d}", "blank"),
        ("\u{3164}", "blank"),
        ("Alice\u{7}", "unprintable_character"),
        ("Alice\nBob", "unprintable_character"),
        ("\u{202e}ecilA", "unprintable_character"),
        ("Al\u{200b}ice", "unprintable_character"),
        (&"x".repeat(201), "too_long"),
    ] {
        let wanted = [format!("/name {code}")];
        for (path, body) in [
            ("/v1/roles", json!({"key": "a", "name": name})),
            ("/v1/organizations", json!({"slug": "a", "name": name})),
            (
                "/v1/api_keys",
                json!({"name": name, "permissions": ["roles:read"]}),
            ),
        ] {
            let refused = key.post(path, body).await.expect(422).json();
            assert_eq!(faults(&refused), wanted, "{path} {name:?}");
        }
        let body = json!({"email": "a@example.com", "password": PASSWORD, "name": name});
        let refused = world.anon().post("/t/acme/v1/sign_up", body).await;
        assert_eq!(faults(&refused.expect(422).json()), wanted, "{name:?}");
    }
    let body = json!({"key": "a", "name": "A", "description": "a\u{7}"});
    let refused = key.post("/v1/roles", body).await.expect(422).json();
    assert_eq!(faults(&refused), ["/description unprintable_character"]);
}

#[apply(each_database)]
async fn a_spelling_that_only_a_repair_makes_an_address_does_not_take_the_real_ones_place(
    world: World,
) {
    let sign_up = async |email: &str| {
        let body = json!({"email": email, "password": PASSWORD});
        world.anon().post("/t/acme/v1/sign_up", body).await
    };
    for repaired in [
        "twin@ex%61mple.com",
        "twin@exa\u{200b}mple.com",
        "\u{ff54}win@example.com",
    ] {
        let refused = sign_up(repaired).await.expect(422).json();
        assert_eq!(faults(&refused), ["/email email_invalid"], "{repaired:?}");
    }
    sign_up("twin@example.com").await.expect(201);
    sign_up("\u{3c3}\u{3b1}\u{3c2}@example.com")
        .await
        .expect(201);
    let twin = sign_up("\u{3a3}\u{391}\u{3a3}@example.com").await;
    twin.expect_problem(409, "email_taken");
    let written = "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}@example.com";
    let made = sign_up(written).await.expect(201).json();
    assert_eq!(made["user"]["email"], written);
}

#[tokio::test]
async fn a_moment_is_read_in_one_form_and_refused_in_our_own_words() {
    let world = World::new().await;
    let key = admin(&world);
    let make = async |expires_at: &str| {
        let body = json!({
            "name": "k", "permissions": ["roles:read"], "expires_at": expires_at
        });
        key.post("/v1/api_keys", body).await
    };
    for wrong in [
        "2030-01-31T12:00:00+25:00",
        "2030-02-30T12:00:00Z",
        "2030-01-31 12:00:00Z",
        "2030-01-31T12:00:00Z[UTC]",
        "10000-01-01T00:00:00Z",
    ] {
        let refused = make(wrong).await.expect(422).json();
        assert_eq!(faults(&refused), ["/expires_at invalid_value"], "{wrong}");
        let detail = refused["detail"].as_str().unwrap();
        let is_ours = detail.starts_with("write a moment") || detail.starts_with("no calendar");
        assert!(is_ours, "{detail}");
    }
    let last = make("9999-12-31T23:59:59Z").await.expect(201).json();
    assert_eq!(last["expires_at"], "9999-12-31T23:59:59.000Z");
}

#[apply(each_database)]
async fn an_entity_tag_that_was_never_given_out_matches_nothing(world: World) {
    let key = admin(&world);
    let body = json!({"key": "editor", "name": "Editor"});
    let made = key.post("/v1/roles", body).await.expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let role = format!("/v1/roles/{}", made.json()["id"].as_str().unwrap());
    for other in ["\"+1\"", "\"01\"", "\" 1\"", "1", "W/\"1\"", "\"1\", \"1\""] {
        let client = key.clone().with("if-match", other);
        let answer = client.patch(&role, json!({"name": "E"})).await;
        answer.expect_problem(412, "precondition_failed");
    }
    let client = key.clone().with("if-match", "\"1\"");
    client.patch(&role, json!({"name": "E"})).await.expect(200);
}
