//! Query parameters: what an endpoint does not know is refused, wherever it stands.

use axum::{body::Body, http::Method};
use plinto_tests::world::World;
use serde_json::Value;

use crate::setup::{admin, pointers};

/// Every operation of the API's description, with its path parameters filled in.
fn operations(document: &Value) -> Vec<(Method, String, bool)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let filled: Vec<&str> = path
            .split('/')
            .map(|part| match part {
                "{tenant}" => "acme",
                part if part.starts_with('{') => "x",
                part => part,
            })
            .collect();
        for (method, operation) in operations.as_object().unwrap() {
            let is_oauth = operation["tags"][0] == "oauth";
            let method = method.to_uppercase().parse().unwrap();
            found.push((method, filled.join("/"), is_oauth));
        }
    }
    found
}

#[tokio::test]
async fn a_query_parameter_that_nobody_reads_is_refused_on_every_endpoint() {
    let world = World::new().await;
    let admin = admin(&world);
    let document = admin.get("/openapi.json").await.expect(200).json();
    let mut asked = operations(&document);
    assert!(asked.len() > 50, "{}", asked.len());
    for path in [
        "/healthz",
        "/readyz",
        "/version",
        "/metrics",
        "/openapi.json",
        "/docs/",
        "/docs/errors",
        "/docs/errors/not_found",
    ] {
        asked.push((Method::GET, path.to_owned(), false));
        asked.push((Method::HEAD, path.to_owned(), false));
    }
    for (method, path, is_oauth) in asked {
        let uri = format!("{path}?nonsense=1");
        let answer = admin.send(method.clone(), &uri, None, Body::empty()).await;
        if is_oauth {
            assert!(!answer.text().contains("nonsense"), "{method} {path}");
            continue;
        }
        assert_eq!(answer.status.as_u16(), 422, "{method} {path}");
        if method != Method::HEAD {
            assert_eq!(pointers(&answer), ["?nonsense"], "{method} {path}");
            assert_eq!(answer.json()["errors"][0]["code"], "unknown_parameter");
        }
    }
}

/// Source: RFC 6749 §3.2: unrecognised request parameters must be ignored.
#[tokio::test]
async fn oauths_endpoints_ignore_parameters_that_they_do_not_know() {
    let world = World::new().await;
    let form = [("token", "x"), ("resource", "https://api.example.com")];
    let path = "/t/acme/oauth/introspect?nonsense=1";
    let answer = admin(&world).form(path, &form).await.expect(200);
    assert_eq!(answer.json()["active"], false);
}

#[tokio::test]
async fn a_list_that_is_asked_with_another_name_for_the_cursor_says_which_one_it_has() {
    let world = World::new().await;
    let admin = admin(&world);
    for name in ["after", "next_cursor", "page", "starting_after"] {
        let answer = admin.get(&format!("/v1/roles?{name}=x")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [format!("?{name}")]);
        let detail = answer.json()["errors"][0]["detail"].clone();
        assert!(detail.as_str().unwrap().contains("`cursor`"), "{detail}");
    }
}

#[tokio::test]
async fn a_query_that_a_reader_would_have_to_guess_at_is_refused() {
    let world = World::new().await;
    let admin = admin(&world);
    for (query, pointer) in [
        ("limit=1&limit=2", "?limit"),
        ("cursor=x&cursor=x", "?cursor"),
        ("limit=%2B5", "?limit"),
        ("limit=05", "?limit"),
        ("limit=5%20", "?limit"),
        ("limit=", "?limit"),
        ("limit", "?limit"),
        ("Limit=5", "?Limit"),
        ("limit%00=5", "?limit\0"),
        ("status=active&status=disabled", "?status"),
        ("email=a%00@example.com", "?email"),
    ] {
        let answer = admin.get(&format!("/v1/users?{query}")).await;
        let answer = answer.expect_problem(422, "validation_failed");
        assert_eq!(pointers(&answer), [pointer], "{query}");
    }
    for query in ["limit=%", "limit=%zz", "email=%ff@example.com"] {
        let answer = admin.get(&format!("/v1/users?{query}")).await;
        answer.expect_problem(400, "malformed_request");
    }
    admin.get("/v1/users?").await.expect(200);
    admin.get("/v1/users?&limit=5&").await.expect(200);
}
