//! What every operation of the `OpenAPI` document has in common: who may call, which headers it
//! takes, how it refuses.
//!
//! Refusals that follow from an operation's form (a body, an id in its path, credentials) are added
//! here. Those of its own stand at its handler, as codes in the description of the status.

use std::collections::BTreeMap;

use plinto_contract::{
    headers::MANAGED_TENANT,
    problem::{Code, MEDIA_TYPE},
};
use plinto_platform::http::{Authentication, ErrorFormat, Group, Groups, schemas};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema,
    openapi::{
        Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, RefOr, Required,
        Response,
        path::{Operation, Parameter, ParameterBuilder, PathItem},
        schema::{ObjectBuilder, Schema, Type},
        security::SecurityRequirement,
        tag::TagBuilder,
    },
};

/// What each group of operations is about.
const TAGS: [(&str, &str); 16] = [
    (
        "sign_in",
        "People sign up, in and out, under their tenant's issuer.",
    ),
    ("me", "A person's own things, with their access token."),
    (
        "oauth",
        "Tokens by the book: RFC 6749, RFC 7662, RFC 7009. Errors have OAuth's own form, and \
         parameters that are not known are ignored, as RFC 6749 §3.2 says.",
    ),
    (
        "discovery",
        "What a client or verifier finds from the issuer alone.",
    ),
    ("tenants", "The tenant."),
    ("users", "People."),
    ("sessions", "Sign-ins that have not ended."),
    ("organizations", "Customers' companies and their members."),
    (
        "roles",
        "Named sets of permissions that members and administrators have.",
    ),
    (
        "administrators",
        "People who may use this API on the whole tenant.",
    ),
    ("api_keys", "Machines' credentials for this API."),
    ("signing keys", "Private keys that sign tokens and bundles."),
    ("policies", "Policy bundles: publish, activate, roll back."),
    ("events", "What happens, in one order without a gap."),
    (
        "audit",
        "The events as evidence: what was signed, and proofs.",
    ),
    (
        "edge",
        "What the edge fetches: signed, cacheable, open to everybody.",
    ),
];
const ABOUT: &str = "Identities, sessions, organizations and policies.\n\n\
    Operations under `/v1` manage a tenant: machines need an API key for them, people an \
    access token for this API and roles that allow it. Those under `/t/{tenant}` are for \
    people and for whoever verifies tokens. Refusals are problems (RFC 9457): programs switch on \
    `code`, and `type` leads to a page with cause and remedy. A query parameter that is not \
    described is refused. Lists come in pages: give `next_cursor` as `cursor` until there is none.";

/// The tenant that paths show; a server with only one puts its name there, so that the page's
/// examples work as they stand.
pub const TENANT: &str = "your-tenant";

/// The document without operations.
pub fn about() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Plinto control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .build();
    let tags = TAGS.iter().map(|(name, about)| {
        TagBuilder::new()
            .name(*name)
            .description(Some(*about))
            .build()
    });
    OpenApiBuilder::new().info(info).tags(Some(tags)).build()
}

/// Adds what the handlers do not say themselves: what follows from their form, and from their group.
pub fn complete(mut api: OpenApi, groups: &Groups) -> OpenApi {
    // The value is a constant of this file; a test reads the document back.
    if let Ok(common) = serde_json::from_value::<Components>(common()) {
        let components = api.components.get_or_insert_with(Components::new);
        components.schemas.extend(common.schemas);
        components.schemas.extend(path_schemas());
        components.responses.extend(common.responses);
        components.security_schemes.extend(common.security_schemes);
    }
    for (path, item) in &mut api.paths.paths {
        let Some(group) = groups.at(path) else {
            continue;
        };
        for (method, operation) in operations(item) {
            complete_operation(group, path, method, operation);
        }
    }
    api
}

fn complete_operation(group: &Group, path: &str, method: &str, operation: &mut Operation) {
    // A handler may ask for more than its group does.
    if operation.security.is_none() {
        let required = |name: &&str| SecurityRequirement::new(*name, Vec::<String>::new());
        let schemes = schemes(group);
        operation.security = (!schemes.is_empty()).then(|| schemes.iter().map(required).collect());
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            describe(parameter);
        }
    }
    let manages = group.authentication == Some(Authentication::Management);
    let takes_key = method == "post" && group.takes_idempotency_key;
    let is_versioned = operation.responses.responses.contains_key("304");
    let parameters = operation.parameters.get_or_insert_default();
    for header in [
        manages.then(managed_tenant),
        takes_key.then(idempotency_key),
        is_versioned.then(if_none_match),
    ] {
        let read = |value| serde_json::from_value::<Parameter>(value).ok();
        parameters.extend(header.and_then(read).map(RefOr::T));
    }
    refuse(group, path, operation);
    mend(operation);
}

/// What the generator leaves open: a body that may be left out is not `null`, and every answer has
/// a description.
fn mend(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content
                && let Some(RefOr::T(Schema::OneOf(choice))) = &mut content.schema
            {
                choice.items.retain(|item| matches!(item, RefOr::Ref(_)));
            }
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let usual = match status.as_str() {
                "201" => "It was made.",
                "204" => "It was done.",
                "304" => "The client has the current version.",
                "200" => "What was asked for.",
                _ => "It was refused.",
            };
            usual.clone_into(&mut response.description);
        }
    }
}

/// Which credentials a group asks for: one of these.
fn schemes(group: &Group) -> &'static [&'static str] {
    match group.authentication {
        Some(Authentication::Management) => &["api_key", "management_token"],
        Some(Authentication::Person) => &["access_token"],
        Some(Authentication::OAuthClient | Authentication::Anonymous) | None => &[],
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("delete", &mut item.delete),
        ("patch", &mut item.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// What stands in paths: parameter, schema, description.
type InPath = (
    &'static str,
    fn() -> RefOr<Schema>,
    &'static str,
    &'static str,
);

const IN_PATH: [InPath; 11] = [
    (
        "tenant",
        schemas::Slug::schema,
        "Slug",
        "The tenant's name in addresses.",
    ),
    ("user_id", schemas::UserId::schema, "UserId", "Whom."),
    (
        "session_id",
        schemas::SessionId::schema,
        "SessionId",
        "Which session.",
    ),
    (
        "organization_id",
        schemas::OrganizationId::schema,
        "OrganizationId",
        "Which organization.",
    ),
    ("role_id", schemas::RoleId::schema, "RoleId", "Which role."),
    (
        "api_key_id",
        schemas::ApiKeyId::schema,
        "ApiKeyId",
        "Which API key, by its id.",
    ),
    (
        "signing_key_id",
        schemas::SigningKeyId::schema,
        "SigningKeyId",
        "Which signing key, by its id and not its `kid`.",
    ),
    (
        "event_id",
        schemas::EventId::schema,
        "EventId",
        "Which event.",
    ),
    (
        "event_cursor",
        schemas::EventCursorName::schema,
        "EventCursorName",
        "What the place is called.",
    ),
    (
        "revision",
        schemas::Digest::schema,
        "Digest",
        "The digest of the bundle's content.",
    ),
    (
        "digest",
        schemas::Digest::schema,
        "Digest",
        "The digest of the signed bundle.",
    ),
];

fn path_schemas() -> impl Iterator<Item = (String, RefOr<Schema>)> {
    IN_PATH
        .iter()
        .map(|(_, schema, name, _)| ((*name).to_owned(), schema()))
}

fn describe(parameter: &mut Parameter) {
    if parameter.name == "if-match" {
        parameter.schema = Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some(r#"^("(0|[1-9][0-9]{0,17})"|\*)$"#))
                .into(),
        );
    }
    let known = IN_PATH.iter().find(|(name, ..)| *name == parameter.name);
    if let Some((_, _, schema, about)) = known {
        parameter.schema = Some(RefOr::Ref(utoipa::openapi::Ref::from_schema_name(*schema)));
        parameter
            .description
            .get_or_insert_with(|| (*about).to_owned());
        if parameter.name == "tenant" {
            *parameter = ParameterBuilder::from(parameter.clone())
                .example(Some(TENANT.into()))
                .build();
        }
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "idempotency-key",
        "in": "header",
        "required": false,
        "description": "A name for this very request, best a fresh UUID: sent again with the same \
            name, it happens once, and the first answer comes again for 24 hours, with \
            `idempotent-replayed: true`.",
        "schema": { "type": "string", "pattern": r#"^("[!#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$"# },
    })
}

fn managed_tenant() -> Value {
    json!({
        "name": MANAGED_TENANT,
        "in": "header",
        "required": false,
        "description": "The tenant to act in, for people who administer several. Without it, the one \
            whose user or API key asks.",
        "schema": { "$ref": "#/components/schemas/Slug" },
    })
}

fn if_none_match() -> Value {
    json!({
        "name": "if-none-match",
        "in": "header",
        "required": false,
        "description": "The `ETag` that the client has; 304 if it is still the current one.",
        "schema": { "type": "string" },
    })
}

/// Documents how an operation refuses: by its form, and by the codes at its handler.
fn refuse(group: &Group, path: &str, operation: &mut Operation) {
    let mut codes = of_handler(operation);
    codes.extend([Code::RequestTimeout, Code::RateLimited, Code::Overloaded]);
    codes.extend([Code::Unavailable, Code::Internal]);
    if path.contains('{') {
        codes.push(Code::NotFound);
    }
    if operation.request_body.is_some() {
        codes.push(Code::PayloadTooLarge);
    }
    // OAuth's other refusals have OAuth's form and stand at the handlers.
    if group.errors == ErrorFormat::Problem {
        codes.extend([Code::MalformedRequest, Code::ValidationFailed]);
        if operation.request_body.is_some() {
            codes.push(Code::UnsupportedMediaType);
        }
        if operation.security.is_some() {
            codes.extend([Code::AuthenticationRequired, Code::PermissionDenied]);
            if group.authentication == Some(Authentication::Management) {
                codes.push(Code::ApiKeyInvalid);
            }
            codes.extend([
                Code::TokenInvalid,
                Code::TokenExpired,
                Code::TokenRevoked,
                Code::TokenOutdated,
            ]);
        }
        codes.extend(of_parameters(operation));
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL.iter().filter(|code| codes.contains(code)) {
        by_status.entry(code.status()).or_default().push(*code);
    }
    let responses = &mut operation.responses.responses;
    for (status, codes) in by_status {
        if let Ok(refusal) = serde_json::from_value::<Response>(refusal(&codes)) {
            responses.insert(status.to_string(), RefOr::T(refusal));
        }
    }
}

/// The codes that a handler names: each status of a refusal without a body is described by its codes.
fn of_handler(operation: &Operation) -> Vec<Code> {
    let responses = operation.responses.responses.iter();
    let refusals = responses.filter_map(|(status, response)| match response {
        RefOr::T(response) if status.as_str() >= "400" && response.content.is_empty() => {
            Some(response)
        }
        _ => None,
    });
    refusals
        .flat_map(|response| response.description.split(", "))
        .filter_map(Code::from_text)
        .collect()
}

/// The codes that come with parameters.
fn of_parameters(operation: &Operation) -> Vec<Code> {
    let mut codes = Vec::new();
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else {
            continue;
        };
        match parameter.name.as_str() {
            "cursor" => codes.push(Code::InvalidCursor),
            "if-match" => {
                codes.push(Code::PreconditionFailed);
                if matches!(parameter.required, Required::True) {
                    codes.push(Code::PreconditionRequired);
                }
            }
            "idempotency-key" => codes.extend([
                Code::IdempotencyConflict,
                Code::IdempotencyOutcomeUnknown,
                Code::IdempotencyMismatch,
            ]),
            _ => {}
        }
    }
    codes
}

fn refusal(codes: &[Code]) -> Value {
    let told = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.title()));
    json!({
        "description": told.collect::<Vec<_>>().join(". "),
        "content": {
            MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } },
        },
    })
}

fn common() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({
        "schemas": {
            "FieldError": {
                "type": "object",
                "description": "One value that is not acceptable.",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": text("A JSON Pointer into the body, `?name` for a query parameter, \
                        `#name` for a header."),
                    "code": text("A stable name, such as `too_long`."),
                    "detail": text("What to do about it."),
                },
            },
            "Problem": {
                "type": "object",
                "description": "Why a request was refused (RFC 9457). Programs switch on `code`.",
                "required": ["type", "title", "status", "code", "detail", "retryable"],
                "properties": {
                    "type": {
                        "type": "string",
                        "format": "uri",
                        "description": "A page that says how it comes to this code, and what helps.",
                    },
                    "title": text("One line for people, the same for every occurrence."),
                    "status": { "type": "integer", "description": "The HTTP status, repeated." },
                    "code": {
                        "type": "string",
                        "enum": codes,
                        "description": "What programs switch on.",
                    },
                    "detail": text("This occurrence, and what to do about it."),
                    "instance": text("The path that was asked for."),
                    "request_id": text("Names the request in the server's log."),
                    "errors": {
                        "type": "array",
                        "items": { "$ref": "#/components/schemas/FieldError" },
                        "description": "The values at fault, if single values are.",
                    },
                    "reasons": {
                        "type": "array",
                        "items": { "type": "string" },
                        "description": "The policy's reasons, if a policy refused.",
                    },
                    "retryable": {
                        "type": "boolean",
                        "description": "Whether the same request may succeed later.",
                    },
                },
            },
        },
        "securitySchemes": {
            "api_key": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, `plinto_sk_…`.",
            },
            "management_token": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "A person's access token for this API, from a sign-in with `resource`. \
                    What it allows are the person's roles, as an administrator of the tenant or as a \
                    member of an organization.",
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
