//! Route, policy and identity: what passes, what is refused, and what the application is told.

use edge_worker::refusal::Challenge;
use plinto_contract::headers;
use plinto_tests::authority::Activated;

use super::offline::{Offline, code, header, passed, refused};

#[test]
fn an_editor_reads_a_document_and_the_application_knows_who_asks() {
    let mut edge = Offline::new();
    let claims = edge.authority.claims();
    let pass = passed(edge.read());
    assert_eq!(pass.target, "/documents/7");
    assert_eq!(pass.sequence, 1);
    let text = claims.sub.to_string();
    assert_eq!(header(&pass, headers::SUBJECT), Some(text.as_str()));
    assert_eq!(header(&pass, headers::ROLES), Some("editor"));
    assert_eq!(header(&pass, headers::CLIENT), Some("plinto"));
    assert_eq!(header(&pass, headers::OBLIGATIONS), None);
}

#[test]
fn the_policy_s_reason_reaches_the_client() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    let refusal = refused(edge.ask("GET", "/documents/stop", Some(&token)));
    assert_eq!(refusal.code.as_str(), "policy_denied");
    assert_eq!(refusal.reasons, ["stopped for everybody"]);
    assert_eq!(refusal.challenge, Challenge::Error("insufficient_scope"));
    let refusal = refused(edge.read_as(|claims| claims.roles.clear()));
    assert_eq!(refusal.reasons, ["no role permits read"]);
}

/// The policy sees the whole rest of the path as one id, in the spelling that is forwarded.
#[test]
fn a_catch_all_route_covers_what_lies_below_and_no_slash_can_hide_there() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    for path in ["/files/a", "/files/a/b/c", "/files/a/stop", "/files/a/b/"] {
        let pass = passed(edge.ask("GET", path, Some(&token)));
        assert_eq!(pass.target, path);
    }
    let refusal = refused(edge.ask("GET", "/files/stop", Some(&token)));
    assert_eq!(refusal.reasons, ["stopped for everybody"]);
    for (method, path, why) in [
        ("GET", "/files", "no_route"),
        ("GET", "/files/", "no_route"),
        ("PUT", "/files/a", "no_route"),
        ("GET", "/files/a%2fb", "malformed_request"),
        ("GET", "/files/../documents/7", "malformed_request"),
        ("GET", "/files//a", "malformed_request"),
    ] {
        assert_eq!(code(edge.ask(method, path, Some(&token))), why, "{path}");
    }
}

#[test]
fn obligations_reach_the_application() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    let pass = passed(edge.ask("GET", "/documents/seen", Some(&token)));
    assert_eq!(
        header(&pass, headers::OBLIGATIONS),
        Some(r#"{"log":"seen"}"#)
    );
}

#[test]
fn without_a_token_only_public_routes_are_put_to_the_policy() {
    let mut edge = Offline::new();
    let pass = passed(edge.ask("GET", "/", None));
    assert_eq!(header(&pass, headers::SUBJECT), None);
    // not even a policy that lets everybody pass is asked elsewhere
    let policy = "package app.authz\n\nimport rego.v1\n\ndecision := {\"allow\": true}\n";
    let open = Activated {
        policy: policy.to_owned(),
        sequence: 2,
        ..edge.authority.activated()
    };
    edge.served.policy = Some(edge.authority.bundle(&open));
    edge.wait_ms(2_000);
    for path in ["/documents/7", "/nowhere"] {
        let refusal = refused(edge.ask("GET", path, None));
        assert_eq!(refusal.code.as_str(), "authentication_required", "{path}");
        assert_eq!(refusal.challenge, Challenge::Bare);
    }
}

#[test]
fn what_no_route_covers_is_refused_even_to_an_owner() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    for (method, path) in [
        ("DELETE", "/documents/7"),
        ("GET", "/documents/7/"),
        ("GET", "/Documents/7"),
        ("PURGE", "/documents/7"),
    ] {
        assert_eq!(
            code(edge.ask(method, path, Some(&token))),
            "no_route",
            "{method} {path}"
        );
    }
}

#[test]
fn a_path_that_the_application_could_read_differently_is_refused() {
    let mut edge = Offline::new();
    let token = edge.authority.token(&edge.authority.claims());
    for path in [
        "/documents/..%2fstop",
        "/documents/%2e%2e/stop",
        "/documents//stop",
        "/documents/7;/stop",
        "/documents/7%00",
        "/documents/%252e",
        "/documents/a%252f..%252fstop%25",
        "/documents\\stop",
    ] {
        assert_eq!(
            code(edge.ask("GET", path, Some(&token))),
            "malformed_request",
            "{path}"
        );
    }
    // the gate sees through an encoding, and forwards what it saw
    assert_eq!(
        code(edge.ask("GET", "/documents/st%6Fp", Some(&token))),
        "policy_denied"
    );
    let pass = passed(edge.ask("GET", "/%64ocuments/%37?a=%2F", Some(&token)));
    assert_eq!(pass.target, "/documents/7?a=%2F");
}

/// A policy that allows and says what nobody can be told is in error; who asked was not denied.
#[test]
fn obligations_that_can_not_be_told_are_an_error_and_no_denial() {
    for obligations in [
        "{1: 2}",
        "[]",
        "{\"text\": concat(\"\", [\"x\" | some i in numbers.range(1, 5000)])}",
    ] {
        let mut edge = Offline::new();
        let policy = format!(
            "package app.authz\n\nimport rego.v1\n\ndecision := {{\"allow\": true, \"obligations\": {obligations}}}\n"
        );
        edge.served.policy = Some(edge.authority.bundle(&Activated {
            policy,
            ..edge.authority.activated()
        }));
        let refusal = refused(edge.read());
        assert_eq!(
            refusal.code.as_str(),
            "obligations_invalid",
            "{obligations}"
        );
        assert_eq!(refusal.code.status(), 500);
    }
}

#[test]
fn a_policy_that_gives_no_decision_refuses() {
    for (policy, reason) in [
        ("decision := {\"allow\": true} if input.never", "undefined"),
        ("decision := {\"allow\": \"true\"}", "wrong_shape"),
        (
            "decision := {\"allow\": true} if input.action.name == \"read\"\ndecision := {\"allow\": false} if input.resource.id == \"7\"",
            "evaluation_error",
        ),
        (
            "decision := {\"allow\": count([1 | some a in numbers.range(1, 1000); some b in numbers.range(1, 1000); a + b > 0]) > 0}",
            "limit_reached",
        ),
    ] {
        let mut edge = Offline::new();
        let policy = format!("package app.authz\n\nimport rego.v1\n\n{policy}\n");
        let bundle = edge.authority.bundle(&Activated {
            policy,
            ..edge.authority.activated()
        });
        edge.served.policy = Some(bundle);
        let refusal = refused(edge.read());
        assert_eq!(refusal.code.as_str(), "policy_denied");
        assert_eq!(refusal.reasons, [reason]);
    }
}
