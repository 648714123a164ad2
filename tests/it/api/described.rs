//! The API's description against the API: what it allows is accepted, what it shows works as it
//! stands, and no answer comes that it does not name.

use std::collections::BTreeSet;

use axum::{body::Body, http::Method};
use plinto_tests::world::{Answer, Client, World};
use proptest::{
    strategy::{Strategy, ValueTree},
    string::string_regex,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use crate::setup::{admin, sign_up, text};

/// 6 requests for each operation: enough that every optional part is once there and once not.
const CASES: usize = 6;
/// What no schema can say, and the words of the description do.
const BEYOND_SCHEMAS: &[&str] = &[
    "/expires_at in_the_past",
    "/client_id client_unknown",
    "?type unknown_type",
    "?after beyond_end",
    "?from out_of_range",
    "?to out_of_range",
    "/organization_id not_a_member",
    "/owner_id user_unknown",
    "/password password_too_common",
    "/new_password password_too_common",
    "/refresh_token invalid_grant",
    "/resource resource_unknown",
    "/session_idle_s out_of_range",
    "/user_id user_unknown",
];

struct Operation<'d> {
    method: Method,
    path: &'d str,
    said: &'d Value,
}

impl Operation<'_> {
    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.said["parameters"].as_array().into_iter().flatten()
    }

    fn is_for_people(&self) -> bool {
        self.said["security"][0].get("access_token").is_some()
    }

    fn body(&self, media_type: &str) -> Option<&Value> {
        self.said["requestBody"]["content"]
            .get(media_type)?
            .get("schema")
    }
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(|(method, said)| Operation {
                method: method.to_uppercase().parse().unwrap(),
                path,
                said,
            })
    });
    // People's first: what machines do to the tenant would keep them out.
    let mut operations: Vec<_> = operations.collect();
    operations.sort_by_key(|operation| operation.path);
    operations
}

/// Makes values that a schema allows.
struct Maker<'d> {
    document: &'d Value,
    chance: TestRunner,
}

impl Maker<'_> {
    fn draw<T: std::fmt::Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.chance).unwrap().current()
    }

    fn value(&mut self, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            if name == "EmailAddress" {
                return self.email().into();
            }
            let schema = self.document["components"]["schemas"][name].clone();
            return self.value(&schema);
        }
        for choice in ["oneOf", "anyOf", "enum"] {
            if let Some(choices) = schema[choice].as_array() {
                let chosen = choices[self.draw(0..choices.len())].clone();
                return if choice == "enum" {
                    chosen
                } else {
                    self.value(&chosen)
                };
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds[self.draw(0..kinds.len())].clone(),
            kind => kind.clone(),
        };
        match kind.as_str().unwrap() {
            "object" => self.object(schema),
            "array" => {
                let least = schema["minItems"].as_u64().unwrap_or(0);
                let most = schema["maxItems"]
                    .as_u64()
                    .unwrap_or(u64::MAX)
                    .min(least + 4);
                let length = self.draw(least..=most);
                (0..length).map(|_| self.value(&schema["items"])).collect()
            }
            "string" => self.text(schema).into(),
            "integer" => {
                let least = schema["minimum"].as_i64().unwrap_or(0);
                let most = schema["maximum"].as_i64().unwrap_or(i64::from(i32::MAX));
                self.draw(least..=most).into()
            }
            "boolean" => self.draw(proptest::bool::ANY).into(),
            "null" => Value::Null,
            other => panic!("{other}"),
        }
    }

    fn object(&mut self, schema: &Value) -> Value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut members = Map::new();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let must = required.iter().any(|it| it == name);
            if must || self.draw(proptest::bool::ANY) {
                members.insert(name.clone(), self.value(schema));
            }
        }
        members.into()
    }

    fn text(&mut self, schema: &Value) -> String {
        let pattern = schema["pattern"].as_str().unwrap_or("[ -~]{1,40}");
        let pattern = pattern.trim_start_matches('^').trim_end_matches('$');
        let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or(10_000)).unwrap();
        let texts = string_regex(pattern).unwrap();
        loop {
            let text = self.draw(&texts);
            if text.chars().count() <= most {
                return text;
            }
        }
    }

    /// In ASCII, or in one of a few scripts: which letters a domain may have, no pattern says.
    fn email(&mut self) -> String {
        let local = "[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\\.[a-z0-9]{1,9}){0,2}|\
            [\u{3b1}-\u{3c9}]{1,20}|[\u{905}-\u{939}\u{94d}]{1,9}\u{915}|[\u{4e00}-\u{4e50}]{1,9}";
        let domain = "([a-zA-Z0-9]{1,12}\\.){1,3}[a-z]{2,6}|b\u{fc}cher[a-z]{0,9}\\.example";
        let local = string_regex(&format!("({local})")).unwrap();
        loop {
            let text = format!(
                "{}@{}",
                self.draw(&local),
                self.draw(string_regex(domain).unwrap())
            );
            if !text.starts_with('\u{94d}') {
                return text;
            }
        }
    }
}

/// One request that the description allows.
async fn ask(world: &World, operation: &Operation<'_>, maker: &mut Maker<'_>) -> Answer {
    let mut client = client_for(world, operation).await;
    let (mut path, mut query) = (operation.path.to_owned(), Vec::new());
    for parameter in operation.parameters() {
        let name = text(&parameter["name"]);
        let is_left_out = parameter["required"] != true && maker.draw(proptest::bool::ANY);
        if name == "tenant" {
            path = path.replace("{tenant}", "acme");
        } else if !is_left_out {
            let value = match maker.value(&parameter["schema"]) {
                Value::String(text) => text,
                Value::Null => continue,
                other => other.to_string(),
            };
            match parameter["in"].as_str().unwrap() {
                "path" => path = path.replace(&format!("{{{name}}}"), &value),
                "query" => query.push((name, value)),
                "header" => client = client.with(&name, &value),
                other => panic!("{other}"),
            }
        }
    }
    if !query.is_empty() {
        let url = reqwest::Url::parse_with_params("http://x/", &query).unwrap();
        path = format!("{path}?{}", url.query().unwrap());
    }
    let form = "application/x-www-form-urlencoded";
    let (media_type, body) = if let Some(schema) = operation.body("application/json") {
        let body = maker.value(schema).to_string();
        (Some("application/json"), Body::from(body))
    } else if let Some(schema) = operation.body(form) {
        let fields = maker.value(schema);
        let fields = fields.as_object().unwrap().iter();
        let fields = fields.filter_map(|(name, value)| Some((name, value.as_str()?)));
        let url = reqwest::Url::parse_with_params("http://x/", fields).unwrap();
        (
            Some(form),
            Body::from(url.query().unwrap_or_default().to_owned()),
        )
    } else if operation.said.get("requestBody").is_some() {
        (Some("application/gzip"), Body::from("no archive"))
    } else {
        (None, Body::empty())
    };
    client
        .send(operation.method.clone(), &path, media_type, body)
        .await
}

async fn client_for(world: &World, operation: &Operation<'_>) -> Client {
    if operation.is_for_people() {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let person = sign_up(world, &format!("somebody{number}")).await;
        return person.client(world);
    }
    if operation.said.get("security").is_some() {
        return admin(world);
    }
    world.anon()
}

/// Whether a refusal is one of form, which the description should have said.
fn is_of_form(operation: &Operation<'_>, answer: &Answer) -> bool {
    match answer.status.as_u16() {
        400 => answer.json()["code"] == "malformed_request",
        405 | 413 | 415 => true,
        // Of an archive's content there is no schema.
        422 if operation.path == "/v1/policies/bundles" => false,
        422 => {
            let problem = answer.json();
            let mut errors = problem["errors"].as_array().into_iter().flatten();
            errors.any(|error| {
                let (pointer, code) = (text(&error["pointer"]), text(&error["code"]));
                let is_of_role = code == "role_unknown";
                !is_of_role && !BEYOND_SCHEMAS.contains(&format!("{pointer} {code}").as_str())
            })
        }
        status => status >= 500,
    }
}

#[tokio::test]
async fn what_the_description_allows_is_accepted_and_every_answer_is_described() {
    let world = World::new().await;
    let document = world.anon().get("/openapi.json").await.expect(200).json();
    let mut maker = Maker {
        document: &document,
        chance: TestRunner::deterministic(),
    };
    let mut faults = BTreeSet::new();
    for operation in operations(&document) {
        // Past the second in which a tenant's tokens were revoked.
        world.clock.advance_seconds(2);
        for _ in 0..CASES {
            let answer = ask(&world, &operation, &mut maker).await;
            let status = answer.status.as_u16().to_string();
            let name = format!("{} {}", operation.method, operation.path);
            if operation.said["responses"].get(&status).is_none() {
                faults.insert(format!(
                    "{name}: {status} is not described: {}",
                    answer.text()
                ));
            }
            if is_of_form(&operation, &answer) {
                faults.insert(format!("{name}: {}", answer.text()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn everything_a_newcomer_reads_about_is_described_in_words() {
    let world = World::new().await;
    let document = world.anon().get("/openapi.json").await.expect(200).json();
    let is_said = |value: &Value| {
        value["description"]
            .as_str()
            .is_some_and(|it| !it.is_empty())
    };
    let tags = document["tags"].as_array().unwrap();
    let mut faults = Vec::new();
    for operation in operations(&document) {
        let name = text(&operation.said["operationId"]);
        if !is_said(operation.said) {
            faults.push(name.clone());
        }
        let tag = &operation.said["tags"][0];
        if !tags
            .iter()
            .any(|known| known["name"] == *tag && is_said(known))
        {
            faults.push(format!("{name}: tag {tag}"));
        }
        let silent = operation
            .parameters()
            .filter(|parameter| !is_said(parameter));
        faults.extend(silent.map(|parameter| format!("{name}: {}", parameter["name"])));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn every_request_that_may_happen_once_says_that_it_takes_a_key() {
    let world = World::new().await;
    let document = world.anon().get("/openapi.json").await.expect(200).json();
    for operation in operations(&document) {
        let is_taken = operation.method == Method::POST
            && (operation.path.starts_with("/v1/") || operation.path.ends_with("/sign_up"));
        let mut parameters = operation.parameters();
        let is_said = parameters.any(|parameter| parameter["name"] == "idempotency-key");
        assert_eq!(is_said, is_taken, "{}", operation.path);
        let is_told = operation.said["responses"].get("409").is_some();
        assert!(is_told || !is_said, "{}", operation.path);
        let has_id = operation.path.contains('{');
        let is_told = operation.said["responses"].get("404").is_some();
        assert!(is_told || !has_id, "{}", operation.path);
    }
}

/// The examples that need nothing but the tenant, in an order in which a newcomer may try them.
#[tokio::test]
async fn the_examples_of_the_page_work_as_they_stand() {
    let world = World::new().await;
    let document = world.anon().get("/openapi.json").await.expect(200).json();
    let example = |name: &str| {
        let operations = operations(&document);
        let found = operations.iter().find(|it| it.said["operationId"] == name);
        let operation = found.unwrap();
        let schema = operation.body("application/json").unwrap();
        let schema = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let schema = &document["components"]["schemas"][schema];
        let body = schema
            .get("example")
            .cloned()
            .unwrap_or_else(|| schema["examples"][0].clone());
        assert!(body.is_object(), "{name} shows no example");
        let tenant = operation.parameters().find(|it| it["name"] == "tenant");
        let tenant = tenant.map_or("", |tenant| tenant["example"].as_str().unwrap());
        (operation.path.replace("{tenant}", tenant), body)
    };
    let mut people = world.anon();
    for name in ["sign_up", "sign_in", "change_password"] {
        let (path, body) = example(name);
        let answer = people.post(&path, body).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.text());
        if let Ok(body) = serde_json::from_slice::<Value>(&answer.bytes) {
            people = world.bearer(body["access_token"].as_str().unwrap());
        }
    }
    let machine = admin(&world);
    for name in ["create_role", "create_organization", "create_api_key"] {
        let (path, body) = example(name);
        let answer = machine.post(&path, body).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.text());
    }
    for name in ["role", "organization"] {
        let (path, body) = example(&format!("update_{name}"));
        let list = machine.get(&format!("/v1/{name}s?limit=1")).await.json();
        let path = path.replace(
            &format!("{{{name}_id}}"),
            list["data"][0]["id"].as_str().unwrap(),
        );
        let seen = machine.get(&path).await.expect(200);
        let client = machine.clone().with("if-match", seen.header("etag"));
        client.patch(&path, body).await.expect(200);
    }
    world.clock.advance_seconds(16 * 60);
    let (path, body) = example("rotate_signing_key");
    machine.post(&path, body).await.expect(200);
}

/// The page of a server with one tenant knows which; with several it names none of them.
#[tokio::test]
async fn the_page_has_the_only_tenant_filled_in() {
    let world = World::new().await;
    let tenant = async || {
        let document = world.anon().get("/openapi.json").await.expect(200).json();
        document["paths"]["/t/{tenant}/v1/sign_up"]["post"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == "tenant")
            .unwrap()["example"]
            .clone()
    };
    assert_eq!(tenant().await, json!("acme"));
    world.tenant("globex").await;
    assert_eq!(tenant().await, json!("your-tenant"));
}

/// Up to U+FFFF, which is as far as every dialect of patterns goes.
#[test]
fn the_patterns_of_names_and_moments_say_what_their_readers_take() {
    use plinto_contract::time::{MOMENT_PATTERN, UnixMillis};
    use plinto_platform::text::{DESCRIPTION_PATTERN, NAME_PATTERN, check_description, check_name};
    let name = regex::Regex::new(NAME_PATTERN).unwrap();
    let description = regex::Regex::new(DESCRIPTION_PATTERN).unwrap();
    for character in (0..0x1_0000).filter_map(char::from_u32) {
        for text in [
            format!("{character}"),
            format!("{character}a"),
            format!("a{character}"),
            format!("a{character}a"),
        ] {
            let is_taken = check_name(&text, 9).is_ok();
            assert_eq!(name.is_match(&text), is_taken, "{text:?}");
            let is_taken = check_description(&text, 9).is_ok();
            assert_eq!(description.is_match(&text), is_taken, "{text:?}");
        }
    }
    let moment = regex::Regex::new(MOMENT_PATTERN).unwrap();
    for text in [
        "2026-01-31T12:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "2026-01-31T12:00:00+23:59",
        "2026-01-31T12:00:00+24:00",
        "2026-13-31T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00Z",
    ] {
        let is_taken = text.parse::<UnixMillis>().is_ok();
        assert_eq!(moment.is_match(text), is_taken, "{text}");
    }
}
