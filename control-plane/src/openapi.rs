//! What every operation of the `OpenAPI` document has in common: who may call, how it refuses.

use plinto_contract::problem::{Code, MEDIA_TYPE};
use serde_json::json;
use utoipa::openapi::{
    Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    path::{Operation, PathItem},
    security::SecurityRequirement,
};

/// The document without operations.
pub fn about() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Plinto control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds what the doors do not say themselves.
pub fn complete(mut api: OpenApi) -> OpenApi {
    // The value is a constant of this file; a test reads the document back.
    if let Ok(common) = serde_json::from_value::<Components>(common()) {
        let components = api.components.get_or_insert_with(Components::new);
        components.schemas.extend(common.schemas);
        components.responses.extend(common.responses);
        components.security_schemes.extend(common.security_schemes);
    }
    for (path, item) in &mut api.paths.paths {
        let scheme = scheme(path);
        for operation in operations(item) {
            operation.security =
                scheme.map(|name| vec![SecurityRequirement::new(name, Vec::<String>::new())]);
            if !path.contains("/oauth/") {
                let refusal = RefOr::Ref(Ref::from_response_name("Problem"));
                operation
                    .responses
                    .responses
                    .entry("default".to_owned())
                    .or_insert(refusal);
            }
        }
    }
    api
}

/// Which credentials a door asks for.
fn scheme(path: &str) -> Option<&'static str> {
    let is_end_users = path.contains("/v1/me") || path.ends_with("/v1/sign_out");
    if path.starts_with("/v1/") || path.ends_with("/oauth/introspect") {
        Some("api_key")
    } else if is_end_users {
        Some("access_token")
    } else {
        None
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ]
    .into_iter()
    .flatten()
}

fn common() -> serde_json::Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let text = json!({ "type": "string" });
    json!({
        "schemas": {
            "FieldError": {
                "type": "object",
                "description": "One value that is not acceptable.",
                "required": ["pointer", "code", "detail"],
                "properties": { "pointer": text, "code": text, "detail": text },
            },
            "Problem": {
                "type": "object",
                "description": "Why a request was refused (RFC 9457). Programs switch on `code`.",
                "required": ["type", "title", "status", "code", "detail", "retryable"],
                "properties": {
                    "type": { "type": "string", "format": "uri" },
                    "title": text,
                    "status": { "type": "integer" },
                    "code": { "type": "string", "enum": codes },
                    "detail": text,
                    "instance": text,
                    "request_id": text,
                    "errors": {
                        "type": "array",
                        "items": { "$ref": "#/components/schemas/FieldError" },
                    },
                    "reasons": { "type": "array", "items": text },
                    "retryable": { "type": "boolean" },
                },
            },
        },
        "responses": {
            "Problem": {
                "description": "The request was refused",
                "content": {
                    MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } },
                },
            },
        },
        "securitySchemes": {
            "api_key": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, `plinto_sk_…`.",
            },
            "access_token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A person's access token.",
            },
        },
    })
}
