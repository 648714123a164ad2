//! The input of a policy, built as the engine's own values: the subject once per verified token,
//! the rest per request. Nothing passes through JSON text.

use plinto_contract::{claims::AccessToken, time::UnixSeconds};
use plinto_policy::engine::Value;

use crate::{path::CanonicalPath, request::EdgeRequest, routes::Target};

/// The member names of every input; a clone of one is a reference count.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    action: Value,
    amr: Value,
    auth_time: Value,
    client_id: Value,
    context: Value,
    host: Value,
    id: Value,
    ip: Value,
    method: Value,
    name: Value,
    org: Value,
    path: Value,
    properties: Value,
    resource: Value,
    roles: Value,
    sid: Value,
    subject: Value,
    tenant: Value,
    time: Value,
    kind: Value,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self {
            action: Value::from("action"),
            amr: Value::from("amr"),
            auth_time: Value::from("auth_time"),
            client_id: Value::from("client_id"),
            context: Value::from("context"),
            host: Value::from("host"),
            id: Value::from("id"),
            ip: Value::from("ip"),
            method: Value::from("method"),
            name: Value::from("name"),
            org: Value::from("org"),
            path: Value::from("path"),
            properties: Value::from("properties"),
            resource: Value::from("resource"),
            roles: Value::from("roles"),
            sid: Value::from("sid"),
            subject: Value::from("subject"),
            tenant: Value::from("tenant"),
            time: Value::from("time"),
            kind: Value::from("type"),
        }
    }
}

impl Vocabulary {
    /// The subject that a verified token speaks of.
    pub fn user(&self, claims: &AccessToken) -> Value {
        let mut properties = vec![
            (self.amr.clone(), texts(&claims.amr)),
            (self.auth_time.clone(), Value::from(claims.auth_time.0)),
            (self.client_id.clone(), text(&claims.client_id)),
            (self.roles.clone(), texts(&claims.roles)),
            (self.sid.clone(), text(&claims.sid.to_string())),
            (self.tenant.clone(), text(&claims.tenant.to_string())),
        ];
        if let Some(org) = claims.org {
            properties.push((self.org.clone(), text(&org.to_string())));
        }
        object([
            (self.kind.clone(), Value::from("user")),
            (self.id.clone(), text(&claims.sub.to_string())),
            (self.properties.clone(), object(properties)),
        ])
    }

    /// The subject of a request without a token, on a route that is public.
    pub fn anonymous(&self) -> Value {
        object([
            (self.kind.clone(), Value::from("anonymous")),
            (self.id.clone(), Value::from("")),
            (self.properties.clone(), object([])),
        ])
    }

    /// The whole input.
    pub fn input(
        &self,
        subject: Value,
        target: &Target<'_>,
        request: &EdgeRequest,
        path: &CanonicalPath,
        now: UnixSeconds,
    ) -> Value {
        let properties = target
            .properties
            .iter()
            .map(|(name, value)| (text(name), text(value)));
        let resource = object([
            (self.kind.clone(), text(target.resource_type)),
            (self.id.clone(), text(&target.resource_id)),
            (self.properties.clone(), object(properties)),
        ]);
        let mut context = vec![
            (self.time.clone(), Value::from(now.0)),
            (self.method.clone(), text(&request.method)),
            (self.path.clone(), text(&path.decoded())),
            (self.host.clone(), text(&request.host)),
        ];
        if let Some(ip) = &request.ip {
            context.push((self.ip.clone(), text(ip)));
        }
        object([
            (self.subject.clone(), subject),
            (
                self.action.clone(),
                object([(self.name.clone(), text(target.action))]),
            ),
            (self.resource.clone(), resource),
            (self.context.clone(), object(context)),
        ])
    }
}

fn text(value: &str) -> Value {
    Value::from(value)
}

fn texts(values: &[String]) -> Value {
    Value::from(values.iter().map(|value| text(value)).collect::<Vec<_>>())
}

fn object(members: impl IntoIterator<Item = (Value, Value)>) -> Value {
    Value::object(members.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plinto_contract::{
        bundle::Route,
        policy::{Action, EvaluationRequest, Resource, Subject},
    };
    use plinto_policy::engine::input_of;
    use serde_json::json;

    use super::*;
    use crate::{routes::Routes, testing};

    fn members(value: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_values_are_those_of_the_contract() {
        let claims = testing::claims();
        let routes = Routes::compile(&[Route {
            methods: vec!["GET".to_owned()],
            path: "/folders/{folder}/documents/{id}".to_owned(),
            action: "read".to_owned(),
            resource_type: "document".to_owned(),
            resource_id: "{id}".to_owned(),
            properties: BTreeMap::from([("folder".to_owned(), "{folder}".to_owned())]),
            public: false,
            timeout_s: None,
        }])
        .unwrap();
        let path = CanonicalPath::parse("/folders/f1/documents/d%202").unwrap();
        let mut request = testing::request("GET", "/folders/f1/documents/d%202", None);
        request.ip = Some("192.0.2.7".to_owned());
        let target = routes.find("GET", &path).unwrap();
        let words = Vocabulary::default();

        let built = words.input(
            words.user(&claims),
            &target,
            &request,
            &path,
            UnixSeconds(1_700_000_000),
        );

        let properties = members(&json!({
            "amr": ["pwd"],
            "auth_time": claims.auth_time.0,
            "client_id": "plinto",
            "org": claims.org.unwrap().to_string(),
            "roles": ["member", "editor"],
            "sid": claims.sid.to_string(),
            "tenant": claims.tenant.to_string(),
        }));
        let context = members(&json!({
            "time": 1_700_000_000,
            "method": "GET",
            "path": "/folders/f1/documents/d 2",
            "host": "app.example.com",
            "ip": "192.0.2.7",
        }));
        let expected = input_of(&EvaluationRequest {
            subject: Subject {
                kind: "user".to_owned(),
                id: claims.sub.to_string(),
                properties,
            },
            action: Action {
                name: "read".to_owned(),
            },
            resource: Resource {
                kind: "document".to_owned(),
                id: "d 2".to_owned(),
                properties: BTreeMap::from([("folder".to_owned(), "f1".to_owned())]),
            },
            context,
        });
        assert_eq!(built, expected);
    }
}
