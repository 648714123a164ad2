//! People that several of these tests begin with.

use plinto_contract::ids::{SessionId, UserId};
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

/// A password that is acceptable.
pub(super) const PASSWORD: &str = "gavotte brindle quokka tessellate";
/// Another one.
pub(super) const OTHER_PASSWORD: &str = "marzipan vellum 9 outrigger";

/// Somebody who has signed up or in.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: UserId,
    pub(super) email: String,
    pub(super) session: SessionId,
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

impl Person {
    /// Reads a sign-up's or sign-in's answer.
    pub(super) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        Self {
            id: read(&body["user"]["id"]),
            email: text(&body["user"]["email"]),
            session: read(&body["session_id"]),
            access_token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
        }
    }

    /// A client with the person's access token.
    pub(super) fn client(&self, world: &World) -> Client {
        world.bearer(&self.access_token)
    }
}

pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not text"))
        .to_owned()
}

pub(super) fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    text(value).parse().unwrap()
}

/// Signs somebody up in acme.
pub(super) async fn sign_up(world: &World, name: &str) -> Person {
    let body = json!({"email": format!("{name}@example.com"), "password": PASSWORD});
    Person::of(
        &world
            .anon()
            .post("/t/acme/v1/sign_up", body)
            .await
            .expect(201),
    )
}

/// Tries to sign in to acme.
pub(super) async fn try_sign_in(client: &Client, email: &str, password: &str) -> Answer {
    client
        .post(
            "/t/acme/v1/sign_in",
            json!({"email": email, "password": password}),
        )
        .await
}

/// Signs somebody in to acme once more.
pub(super) async fn sign_in(world: &World, person: &Person) -> Person {
    Person::of(
        &try_sign_in(&world.anon(), &person.email, PASSWORD)
            .await
            .expect(200),
    )
}

/// Signs somebody in to acme once more, in an organization of theirs.
pub(super) async fn sign_in_to(world: &World, person: &Person, organization: &Value) -> Person {
    let body = json!({
        "email": person.email, "password": PASSWORD, "organization_id": organization,
    });
    let answer = world.anon().post("/t/acme/v1/sign_in", body).await;
    Person::of(&answer.expect(200))
}

/// Presents a refresh token as the first-party client.
pub(super) async fn try_refresh(world: &World, refresh_token: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    world.anon().form("/t/acme/oauth/token", &fields).await
}

/// Exchanges a refresh token; answers the access token and the next refresh token.
pub(super) async fn refresh(world: &World, refresh_token: &str) -> (String, String) {
    let body = try_refresh(world, refresh_token).await.expect(200).json();
    (text(&body["access_token"]), text(&body["refresh_token"]))
}

/// Insists on an OAuth error.
#[track_caller]
pub(super) fn expect_oauth(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.json()["error"], error, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// How many of acme's events are of a kind.
pub(super) async fn count(world: &World, kind: &str) -> usize {
    world
        .event_kinds()
        .await
        .into_iter()
        .filter(|seen| *seen == kind)
        .count()
}
