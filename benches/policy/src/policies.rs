//! The policies that are measured: the same question to every engine, in Rego and in Cedar.

use serde_json::{Map, Value, json};

/// One policy with its data and a request that it permits.
pub struct Policy {
    pub name: &'static str,
    pub what: &'static str,
    pub rego: &'static str,
    /// `data.grants`.
    pub grants: Value,
    pub request: Value,
    pub cedar: Cedar,
}

/// The same in Cedar.
pub struct Cedar {
    pub policies: String,
    pub call: Value,
}

/// All of them.
pub fn all() -> Vec<Policy> {
    vec![look_up(), scan(), conditions()]
}

const LOOK_UP: &str = r#"package app.authz

default allow := false

allow if {
	some role in input.subject.properties.roles
	data.grants[role][input.action.name]
}

reasons contains "no role permits this" if not allow

decision := {"allow": allow, "reasons": reasons, "obligations": {}}
"#;

/// 40 roles with 40 permissions each.
fn look_up() -> Policy {
    let permissions: Map<String, Value> = (0..40).map(|p| (format!("p{p}"), json!(true))).collect();
    let roles = (0..40).map(|role| (format!("r{role}"), json!(permissions)));
    let actions: Vec<String> = (0..40).map(|p| format!("Action::\"p{p}\"")).collect();
    let actions = actions.join(", ");
    let cedar: Vec<String> = (0..40)
        .map(|role| {
            format!("permit(principal in Role::\"r{role}\", action in [{actions}], resource);")
        })
        .collect();
    Policy {
        name: "look-up",
        what: "1,600 grants as objects, by role and permission",
        rego: LOOK_UP,
        grants: Value::Object(roles.collect()),
        request: request(&["r3", "r39"], "p39"),
        cedar: Cedar {
            policies: cedar.join("\n"),
            call: cedar_call(&["r3", "r39"], "p39"),
        },
    }
}

const SCAN: &str = r#"package app.authz

default allow := false

allow if {
	some grant in data.grants.list
	grant.role in input.subject.properties.roles
	grant.permission == input.action.name
}

decision := {"allow": allow, "reasons": [], "obligations": {}}
"#;

/// 64 grants, of which the last one permits.
fn scan() -> Policy {
    let grant = |at: u32| json!({"role": format!("r{at}"), "permission": format!("p{at}")});
    let cedar: Vec<String> = (0..64)
        .map(|at| {
            format!("permit(principal in Role::\"r{at}\", action == Action::\"p{at}\", resource);")
        })
        .collect();
    Policy {
        name: "scan",
        what: "64 grants, one after the other",
        rego: SCAN,
        grants: json!({"list": (0..64).map(grant).collect::<Vec<_>>()}),
        request: request(&["r3", "r63"], "p63"),
        cedar: Cedar {
            policies: cedar.join("\n"),
            call: cedar_call(&["r3", "r63"], "p63"),
        },
    }
}

const CONDITIONS: &str = r#"package app.authz

default allow := false

allow if count(reasons) == 0

reasons contains "not a person" if input.subject.type != "user"
reasons contains "another tenant" if input.subject.properties.tenant != input.context.tenant
reasons contains "not an editor" if not "r39" in input.subject.properties.roles
reasons contains "signed in too long ago" if input.context.time - input.subject.properties.auth_time > 3600
reasons contains "one factor only" if count(input.subject.properties.amr) < 2
reasons contains "not from inside" if not startswith(input.context.ip, "10.")
reasons contains "another host" if not endswith(lower(input.context.host), ".example.com")
reasons contains "not a document" if not input.resource.type in {"document", "folder"}
reasons contains "too large" if input.context.size > data.grants.largest
reasons contains "not the owner" if not owner(input.resource)

owner(resource) if resource.properties.owner == input.subject.id

decision := {"allow": allow, "reasons": reasons, "obligations": {}}
"#;

const CEDAR_CONDITIONS: &str = r#"permit(principal in Role::"r39", action, resource) when {
  context.kind == "user" && context.tenant == context.own_tenant && context.time - context.auth_time <= 3600 &&
  context.amr.containsAll(["pwd", "otp"]) && context.ip.isInRange(ip("10.0.0.0/8")) &&
  context.host like "*.example.com" && ["document", "folder"].contains(context.resource_kind) &&
  context.size <= 1000000 && context.owner == context.id
};"#;

fn conditions() -> Policy {
    let mut call = cedar_call(&["r3", "r39"], "p39");
    call["context"] = json!({
        "kind": "user", "tenant": "acme", "own_tenant": "acme", "time": 1_794_387_660, "auth_time": 1_794_387_000,
        "amr": ["pwd", "otp"], "ip": {"__extn": {"fn": "ip", "arg": "10.1.2.3"}}, "host": "docs.example.com",
        "resource_kind": "document", "size": 4096, "owner": "u1", "id": "u1",
    });
    Policy {
        name: "conditions",
        what: "ten conditions, each with a reason",
        rego: CONDITIONS,
        grants: json!({"largest": 1_000_000}),
        request: request(&["r3", "r39"], "p39"),
        cedar: Cedar {
            policies: CEDAR_CONDITIONS.to_owned(),
            call,
        },
    }
}

/// An evaluation request as the edge makes it.
fn request(roles: &[&str], action: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": "u1", "properties": {
            "tenant": "acme", "roles": roles, "amr": ["pwd", "otp"], "auth_time": 1_794_387_000,
        }},
        "action": {"name": action},
        "resource": {"type": "document", "id": "d7", "properties": {"owner": "u1"}},
        "context": {
            "time": 1_794_387_660, "method": "GET", "path": "/documents/d7", "host": "docs.example.com",
            "ip": "10.1.2.3", "tenant": "acme", "size": 4096,
        },
    })
}

fn cedar_call(roles: &[&str], action: &str) -> Value {
    let parents: Vec<Value> = roles
        .iter()
        .map(|role| json!({"type": "Role", "id": role}))
        .collect();
    json!({
        "principal": {"type": "User", "id": "u1"},
        "action": {"type": "Action", "id": action},
        "resource": {"type": "Document", "id": "d7"},
        "context": {"method": "GET", "path": "/documents/d7", "host": "docs.example.com", "ip": "10.1.2.3"},
        "entities": [{"uid": {"type": "User", "id": "u1"}, "attrs": {"tenant": "acme"}, "parents": parents}],
    })
}
