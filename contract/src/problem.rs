//! Problem codes and their body. Source: RFC 9457 §3.
//!
//! A code is stable: programs switch on it, never on the text. Status and title live in this
//! table only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Media type of a problem body. Source: RFC 9457 §4.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Where a code's page stands; the code follows.
pub const TYPE_BASE: &str = "https://docs.plinto.dev/errors/";

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// What went wrong, as a stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Code {
            $(
                #[doc = $title]
                #[serde(rename = $code)]
                $name,
            )+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// One line for people, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }
        }
    };
}

codes! {
    // the request itself
    MalformedRequest = "malformed_request", 400, "The request could not be read";
    InvalidCursor = "invalid_cursor", 400, "The page cursor does not belong to this list";
    ValidationFailed = "validation_failed", 422, "Some values are not acceptable";
    NotFound = "not_found", 404, "There is nothing here";
    MethodNotAllowed = "method_not_allowed", 405, "This resource does not know the method";
    NotAcceptable = "not_acceptable", 406, "No representation that the client accepts";
    RequestTimeout = "request_timeout", 408, "The request took too long";
    PayloadTooLarge = "payload_too_large", 413, "The request body is too large";
    UriTooLong = "uri_too_long", 414, "The request target is too long";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body's media type is not supported";
    HeadersTooLarge = "headers_too_large", 431, "The request headers are too large";
    // who asks
    AuthenticationRequired = "authentication_required", 401, "Credentials are missing";
    TokenInvalid = "token_invalid", 401, "The access token is not valid";
    TokenExpired = "token_expired", 401, "The access token has expired";
    TokenRevoked = "token_revoked", 401, "The access token has been revoked";
    ApiKeyInvalid = "api_key_invalid", 401, "The API key is not valid";
    InvalidCredentials = "invalid_credentials", 401, "E-mail address or password is wrong";
    // what they may do
    PermissionDenied = "permission_denied", 403, "The caller may not do this";
    PolicyDenied = "policy_denied", 403, "The policy does not let this request pass";
    NoRoute = "no_route", 403, "No route of the active policy covers this request";
    UserDisabled = "user_disabled", 403, "The user is disabled";
    // the state of things
    EmailTaken = "email_taken", 409, "A user with this e-mail address exists";
    SlugTaken = "slug_taken", 409, "The slug is in use";
    RoleKeyTaken = "role_key_taken", 409, "A role with this key exists";
    RoleInUse = "role_in_use", 409, "Members still have this role";
    AlreadyMember = "already_member", 409, "The user is a member already";
    LastOwner = "last_owner", 409, "An organization keeps at least one owner";
    NothingToRollBackTo = "nothing_to_roll_back_to", 409, "No earlier activation exists";
    RotationInProgress = "rotation_in_progress", 409, "A key rotation is under way";
    IdempotencyConflict = "idempotency_conflict", 409, "The first request with this key is still running";
    IdempotencyOutcomeUnknown = "idempotency_outcome_unknown", 409, "It is not known whether the first request with this key happened";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The idempotency key belongs to another request";
    PreconditionFailed = "precondition_failed", 412, "The resource has changed meanwhile";
    PreconditionRequired = "precondition_required", 428, "The request must name the version it changes";
    // passwords
    PasswordTooShort = "password_too_short", 422, "The password is too short";
    PasswordTooLong = "password_too_long", 422, "The password is too long";
    PasswordTooCommon = "password_too_common", 422, "The password is too common";
    // policies
    BundleMalformed = "bundle_malformed", 422, "The bundle could not be read";
    BundleTooLarge = "bundle_too_large", 413, "The bundle is too large";
    BundleSignatureInvalid = "bundle_signature_invalid", 422, "The bundle's signature is missing or wrong";
    PolicySyntax = "policy_syntax", 422, "The policy does not compile";
    PolicyRefused = "policy_refused", 422, "The policy uses something that is not permitted";
    PolicyEntrypointMissing = "policy_entrypoint_missing", 422, "The entrypoint does not exist";
    PolicyTooExpensive = "policy_too_expensive", 422, "Checking the policy takes more than it may";
    PolicyTestsFailed = "policy_tests_failed", 422, "The policy's tests do not pass";
    // capacity and failure
    RateLimited = "rate_limited", 429, "Too many requests";
    SignInThrottled = "sign_in_throttled", 429, "Too many failed sign-ins";
    Overloaded = "overloaded", 503, "The server is busy";
    Unavailable = "unavailable", 503, "A part this answer needs is not reachable";
    EdgeNotReady = "edge_not_ready", 503, "The edge has no usable keys or policy";
    RevocationUnknown = "revocation_unknown", 503, "The edge cannot tell whether the token is revoked";
    EdgeMisconfigured = "edge_misconfigured", 503, "The edge is not configured";
    UpstreamUnreachable = "upstream_unreachable", 502, "The application behind the edge did not answer";
    Internal = "internal_error", 500, "Something went wrong on our side";
}

impl Code {
    /// Where the code is explained.
    pub fn type_uri(self) -> String {
        format!("{TYPE_BASE}{}", self.as_str())
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self.status(), 408 | 429 | 502 | 503) || matches!(self, Self::IdempotencyConflict)
    }
}

/// One value that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// JSON Pointer into the request body, or `?name` for a query parameter. Source: RFC 6901.
    pub pointer: String,
    /// A stable name: `unknown_field`, `invalid_type`, `too_long`, …
    pub code: String,
    /// What to do about it.
    pub detail: String,
}

impl FieldError {
    /// Puts one together.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// The body of every refusal that is not OAuth's, SCIM's or GraphQL's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// One line for people, the same for every occurrence.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What programs switch on.
    pub code: Code,
    /// This occurrence, and what to do about it.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// Names the request in our logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The values at fault, if single values are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The policy's reasons, if a policy refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl Problem {
    /// A problem with a detail and nothing else yet.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            type_uri: code.type_uri(),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            instance: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            reasons: Vec::new(),
            retryable: code.is_retryable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_read_the_same_as_text_and_as_json() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert!(
                code.as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            );
        }
    }

    #[test]
    fn an_empty_member_is_left_out_of_the_body() {
        let body = serde_json::to_value(Problem::new(Code::NotFound, "no such user")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "https://docs.plinto.dev/errors/not_found",
                "title": "There is nothing here",
                "status": 404,
                "code": "not_found",
                "detail": "no such user",
                "retryable": false,
            })
        );
    }
}
