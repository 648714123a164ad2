//! Permissions: each opens something, and nothing opens without its own.

use axum::{body::Body, http::Method};
use plinto_platform::actor::Permission;
use plinto_tests::world::{Answer, Client, World};
use serde_json::{Value, json};

use crate::setup::{admin, client_with, sign_up};

/// An operation that needs the permission, with a body that is good enough to be judged.
fn operation(permission: Permission) -> (Method, &'static str, Value) {
    let none = Value::Null;
    match permission {
        Permission::TenantRead => (Method::GET, "/v1/tenant", none),
        Permission::TenantWrite => (Method::PATCH, "/v1/tenant", json!({"name": "Acme"})),
        Permission::UsersRead => (Method::GET, "/v1/users", none),
        Permission::UsersWrite => (Method::POST, "/v1/users/{user}/disable", none),
        Permission::SessionsRead => (Method::GET, "/v1/sessions", none),
        Permission::SessionsRevoke => (Method::POST, "/v1/tenant/revoke_sessions", none),
        Permission::TokensIntrospect => (Method::POST, "/t/acme/oauth/introspect", none),
        Permission::OrganizationsRead => (Method::GET, "/v1/organizations", none),
        Permission::OrganizationsWrite => {
            let body = json!({"slug": "one", "name": "One"});
            (Method::POST, "/v1/organizations", body)
        }
        Permission::RolesRead => (Method::GET, "/v1/roles", none),
        Permission::RolesWrite => (Method::POST, "/v1/roles", json!({"key": "r", "name": "R"})),
        Permission::AdministratorsRead => (Method::GET, "/v1/administrators", none),
        Permission::AdministratorsWrite => {
            let body = json!({"user_id": "{user}", "roles": ["nothing"]});
            (Method::POST, "/v1/administrators", body)
        }
        Permission::ApiKeysRead => (Method::GET, "/v1/api_keys", none),
        Permission::ApiKeysWrite => {
            let body = json!({"name": "k", "permissions": ["api_keys:write"]});
            (Method::POST, "/v1/api_keys", body)
        }
        Permission::PoliciesRead => (Method::GET, "/v1/policies/bundles", none),
        Permission::PoliciesPublish => (Method::POST, "/v1/policies/bundles", none),
        Permission::PoliciesActivate => (Method::POST, "/v1/policies/rollback", none),
        Permission::SigningKeysRead => (Method::GET, "/v1/signing_keys", none),
        Permission::SigningKeysRotate => (
            Method::POST,
            "/v1/signing_keys/rotate",
            json!({"purpose": "token"}),
        ),
        Permission::EventsRead => (Method::GET, "/v1/events", none),
    }
}

async fn ask(client: &Client, user: &str, permission: Permission) -> Answer {
    let (method, path, body) = operation(permission);
    let path = path.replace("{user}", user);
    let client = client.clone().with("if-match", "\"1\"");
    let (media_type, body) = match permission {
        Permission::TokensIntrospect => (
            Some("application/x-www-form-urlencoded"),
            Body::from("token=x"),
        ),
        Permission::PoliciesPublish => (Some("application/gzip"), Body::from("x")),
        _ if body.is_null() => (None, Body::empty()),
        _ => {
            let body = body.to_string().replace("{user}", user);
            (Some("application/json"), Body::from(body))
        }
    };
    client.send(method, &path, media_type, body).await
}

/// Z4, Z6: a permission exists only because something needs it: without it alone the operation is
/// refused, with it alone it is not.
#[tokio::test]
async fn every_permission_opens_something_and_nothing_else_opens_it() {
    let world = World::new().await;
    let alice = sign_up(&world, "alice").await.id.to_string();
    for permission in Permission::ALL {
        let others: Vec<_> = Permission::ALL
            .iter()
            .filter(|other| *other != permission)
            .map(|other| other.as_str())
            .collect();
        let without = client_with(&world, &others).await;
        let refused = ask(&without, &alice, *permission).await;
        assert_eq!(refused.status, 403, "{permission}: {}", refused.text());
        assert!(
            refused.text().contains(permission.as_str()),
            "{}",
            refused.text()
        );
        let with = client_with(&world, &[permission.as_str()]).await;
        let answer = ask(&with, &alice, *permission).await;
        let is_let_in = ![401, 403].contains(&answer.status.as_u16());
        assert!(
            is_let_in,
            "{permission}: {} {}",
            answer.status,
            answer.text()
        );
    }
    admin(&world).get("/v1/tenant").await.expect(200);
}
