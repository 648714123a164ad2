//! The table of problem codes: what each is called, its status, where it comes from, what helps.
//!
//! A code is stable: programs switch on it, never on the text. All that is said of a code for every
//! occurrence stands here only: the server's pages, `plinto explain` and the reference read it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal,
        cause: $cause:literal, remedy: $remedy:literal;)+) => {
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

            /// How it comes to this: whole sentences, code between backquotes.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause),+ }
            }

            /// What to do about it: whole sentences, code between backquotes.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),+ }
            }
        }
    };
}

codes! {
    // the request itself
    MalformedRequest = "malformed_request", 400, "The request could not be read",
        cause: "The body is not JSON, the body broke off, or the request line or a header cannot be read.",
        remedy: "The detail says where reading stopped. Send UTF-8 JSON without a byte order mark and nothing after it.";
    InvalidCursor = "invalid_cursor", 400, "The page cursor does not belong to this list",
        cause: "A cursor is good for the list it came from only: same path, same tenant, same filters. A position among events is good for that tenant's events.",
        remedy: "Take `next_cursor` of the previous answer as it is, keep the filters, or start again without `cursor`. Among events: take `position` and give it as `after`.";
    EventLogRestored = "event_log_restored", 410, "The event log was restored to an earlier state",
        cause: "The position comes from before the database was restored from a backup. Events that followed it may have been undone, and others have their numbers now.",
        remedy: "Read anew whatever you keep, then go on from `after=latest`, or from the beginning without `after`.";
    EventNotSealed = "event_not_sealed", 409, "The event is not in the signed tree yet",
        cause: "Events enter the tree that proves them, and that tree is signed, within ten seconds.",
        remedy: "Ask again after `Retry-After`.";
    ValidationFailed = "validation_failed", 422, "Some values are not acceptable",
        cause: "The request was read, but values in it are missing, unknown or outside what is permitted.",
        remedy: "Each entry of `errors` names one value by its pointer (`/email` in the body, `?limit` in the query, `#if-match` among the headers) and says what is wanted.";
    NotFound = "not_found", 404, "There is nothing here",
        cause: "No resource of the caller's tenant has this id, or no endpoint has this path. What belongs to another tenant is not told from what does not exist.",
        remedy: "Check the path against `/docs` and the id against a list. Ids have a prefix such as `user_`, and are written in lower case.";
    MethodNotAllowed = "method_not_allowed", 405, "This resource does not know the method",
        cause: "The path exists, and answers to other methods.",
        remedy: "The `Allow` header lists them.";
    NotAcceptable = "not_acceptable", 406, "No representation that the client accepts",
        cause: "The `Accept` header excludes every form in which this resource can be sent.",
        remedy: "Accept `application/json` and `application/problem+json`, or leave the header out.";
    RequestTimeout = "request_timeout", 408, "The request took too long",
        cause: "The request was not read and answered within `http.timeout_s`: it was sent slowly, or the server or its database is slow.",
        remedy: "Send it again, with an `Idempotency-Key` where it changes something.";
    PayloadTooLarge = "payload_too_large", 413, "The request body is too large",
        cause: "The body is larger than `http.body_bytes`.",
        remedy: "Send less, or let the operator raise the setting.";
    UriTooLong = "uri_too_long", 414, "The request target is too long",
        cause: "Path and query together are longer than the server reads.",
        remedy: "Shorten the query.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body's media type is not supported",
        cause: "The `Content-Type` is missing or not the one that this endpoint reads.",
        remedy: "Send `Content-Type: application/json`; for a bundle, `application/gzip`.";
    HeadersTooLarge = "headers_too_large", 431, "The request headers are too large",
        cause: "The headers together are larger than the server reads.",
        remedy: "Send fewer or shorter headers; cookies of other applications are the usual reason.";
    // who asks
    AuthenticationRequired = "authentication_required", 401, "Credentials are missing",
        cause: "The request has no `Authorization` header, or one that is not `Bearer` and one token.",
        remedy: "Send `Authorization: Bearer`, a space, and the access token or API key.";
    TokenInvalid = "token_invalid", 401, "The access token is not valid",
        cause: "The token is no JWT of this issuer and audience, or its signature does not verify.",
        remedy: "Sign in again. For whoever operates: issuer and audience must be the same on both sides; `plinto token decode` shows what a token says.";
    TokenExpired = "token_expired", 401, "The access token has expired",
        cause: "The moment in `exp` has passed.",
        remedy: "Exchange the refresh token for a new pair, or sign in again. If it happens at once, compare the clocks.";
    TokenRevoked = "token_revoked", 401, "The access token has been revoked",
        cause: "The session has ended: alone, with all of its user's, or with all of the tenant's.",
        remedy: "Sign in again: the session's refresh token is dead, too.";
    TokenOutdated = "token_outdated", 401, "The access token no longer holds; refresh it",
        cause: "The session goes on, but the user's roles or memberships have changed since the token was issued, or the key that signed it was withdrawn.",
        remedy: "Exchange the refresh token for a new pair; if that is refused, sign in again.";
    ApiKeyInvalid = "api_key_invalid", 401, "The API key is not valid",
        cause: "The key is misspelt, was revoked, has expired, or belongs to another tenant.",
        remedy: "Use another key. When all of a tenant's are lost, `plinto-control-plane api-key` makes one.";
    InvalidCredentials = "invalid_credentials", 401, "E-mail address or password is wrong",
        cause: "No user of this tenant has this e-mail address with this password. Which of the two is wrong is not told.",
        remedy: "Check both, and the tenant in the address.";
    // what they may do
    PermissionDenied = "permission_denied", 403, "The caller may not do this",
        cause: "The API key lacks the permission that the detail names, or the endpoint is for people and a machine asked, or the other way round.",
        remedy: "Use a key that has the permission. A key never grants what it does not have itself.";
    PolicyDenied = "policy_denied", 403, "The policy does not let this request pass",
        cause: "The active policy's decision was no, or no decision came about.",
        remedy: "`reasons` are the policy's own. `plinto policy test --verbose` shows how it decides.";
    NoRoute = "no_route", 403, "No route of the active policy covers this request",
        cause: "The bundle's routes say which requests mean which action on which resource; none matches this method and path.",
        remedy: "Add a route to the policy's `plinto/data.json`, publish and activate it. `/documents/` is not `/documents`.";
    SignUpClosed = "sign_up_closed", 403, "Nobody can sign up with this tenant",
        cause: "The tenant's administrators have closed sign-up.",
        remedy: "Who has an account signs in. To open sign-up, set `sign_up` to `open` with `PATCH /v1/tenant`.";
    UserDisabled = "user_disabled", 403, "The user is disabled",
        cause: "An administrator disabled the user.",
        remedy: "Let somebody with `users:write` enable the user again.";
    // the state of things
    EmailTaken = "email_taken", 409, "A user with this e-mail address exists",
        cause: "Another user of the tenant has this address. Case and the way a domain is written make no difference.",
        remedy: "Sign in, or use another address.";
    SlugTaken = "slug_taken", 409, "The slug is in use",
        cause: "Slugs are unique: a tenant's in the installation, an organization's in its tenant.",
        remedy: "Choose another one.";
    RoleKeyTaken = "role_key_taken", 409, "A role with this key exists",
        cause: "Keys of roles are unique in a tenant.",
        remedy: "Change the role that exists, or choose another key.";
    RoleInUse = "role_in_use", 409, "Somebody still has this role",
        cause: "A role that members or administrators have cannot be deleted.",
        remedy: "Give them other roles first.";
    AlreadyMember = "already_member", 409, "The user is a member already",
        cause: "A user is a member of an organization at most once.",
        remedy: "Change the membership's roles instead.";
    AlreadyAdministrator = "already_administrator", 409, "The user is an administrator already",
        cause: "A user is an administrator of a tenant at most once.",
        remedy: "Change the administrator's roles instead.";
    LastOwner = "last_owner", 409, "An organization keeps at least one owner",
        cause: "The change would leave members without an owner.",
        remedy: "Make somebody else an owner first.";
    NothingToRollBackTo = "nothing_to_roll_back_to", 409, "No earlier activation exists",
        cause: "The tenant has activated no other bundle before this one.",
        remedy: "Activate the revision you want.";
    RotationInProgress = "rotation_in_progress", 409, "A key rotation is under way",
        cause: "The next key has not been published long enough for every verifier to have seen it.",
        remedy: "Wait until `usable_at` of the key whose state is `next`.";
    IdempotencyConflict = "idempotency_conflict", 409, "The first request with this key is still running",
        cause: "A request with the same `Idempotency-Key` has not been answered yet.",
        remedy: "Send it again after `Retry-After`, with the same key.";
    IdempotencyOutcomeUnknown = "idempotency_outcome_unknown", 409, "It is not known whether the first request with this key happened",
        cause: "The first request ended without an answer: it ran out of time, or the server stopped.",
        remedy: "Look whether it happened. If it did not, send it with a new key.";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The idempotency key belongs to another request",
        cause: "The `Idempotency-Key` was used for a request with another address or body.",
        remedy: "Use a fresh key for each thing that is to happen once, and repeat a request unchanged.";
    PreconditionFailed = "precondition_failed", 412, "The resource has changed meanwhile",
        cause: "The version in `If-Match` is not the current one: somebody else changed the resource.",
        remedy: "Read it again, apply the change to what is there now, and send its new `ETag`.";
    PreconditionRequired = "precondition_required", 428, "The request must name the version it changes",
        cause: "A change of this resource without `If-Match` would be blind.",
        remedy: "Send the `ETag` of the version that you have seen as `If-Match`.";
    // passwords
    PasswordTooShort = "password_too_short", 422, "The password is too short",
        cause: "A password has at least 15 characters.",
        remedy: "Use a few words in a row, or let a password manager make one.";
    PasswordTooLong = "password_too_long", 422, "The password is too long",
        cause: "A password has at most 1,024 bytes.",
        remedy: "Shorten it.";
    PasswordTooCommon = "password_too_common", 422, "The password is too common",
        cause: "The password is among those that are tried first, or is made of the e-mail address or the service's name.",
        remedy: "Choose another one.";
    // policies
    BundleMalformed = "bundle_malformed", 422, "The bundle could not be read",
        cause: "The archive, its manifest or one of its files is not as a bundle must be. The detail names it.",
        remedy: "Build it with `plinto policy build`, which checks the same things.";
    BundleTooLarge = "bundle_too_large", 413, "The bundle is too large",
        cause: "Packed, unpacked, or in its number of files, the bundle is larger than an edge takes.",
        remedy: "Keep data that grows out of the bundle.";
    BundleSignatureInvalid = "bundle_signature_invalid", 422, "The bundle's signature is missing or wrong",
        cause: "The bundle is not signed by the tenant's bundle key, or was changed after it was signed.",
        remedy: "Fetch it again from the control plane.";
    PolicySyntax = "policy_syntax", 422, "The policy does not compile",
        cause: "A module is not Rego v1, or uses what the engine does not have.",
        remedy: "`errors` name file, line and column. `plinto policy check` finds the same offline.";
    PolicyRefused = "policy_refused", 422, "The policy uses something that is not permitted",
        cause: "The policy calls a builtin that has no place at the edge (network, time zones, chance), recurses, or grows without bound.",
        remedy: "The detail names it. Bring what is needed in `input` or as data of the bundle.";
    PolicyEntrypointMissing = "policy_entrypoint_missing", 422, "The entrypoint does not exist",
        cause: "The manifest names a rule that no module defines.",
        remedy: "Define `decision` in the package that the manifest names, or correct the manifest.";
    PolicyTooExpensive = "policy_too_expensive", 422, "Checking the policy takes more than it may",
        cause: "Compiling the policy or running its tests takes more steps, time or memory than a check has.",
        remedy: "Look values up by key instead of searching, and part large tests.";
    PolicyTestsFailed = "policy_tests_failed", 422, "The policy's tests do not pass",
        cause: "A rule whose name starts with `test_` was not true. What fails its own tests is not stored.",
        remedy: "`plinto policy test` runs them offline and shows which.";
    // capacity and failure
    RateLimited = "rate_limited", 429, "Too many requests",
        cause: "The client's address or API key has used up its requests of the minute.",
        remedy: "Wait as long as `Retry-After` says. `RateLimit` on each answer tells what is left.";
    SignInThrottled = "sign_in_throttled", 429, "Too many failed sign-ins",
        cause: "Sign-ins to this account, or from this address, failed again and again. The right password is refused too while the wait lasts.",
        remedy: "Wait as long as `Retry-After` says, or let somebody with `users:write` unlock the account.";
    Overloaded = "overloaded", 503, "The server is busy",
        cause: "The server has as many requests or password checks at hand as it takes at once.",
        remedy: "Send it again after `Retry-After`. If it stays, the server needs more room.";
    Unavailable = "unavailable", 503, "A part this answer needs is not reachable",
        cause: "The database cannot be reached, is full or does not answer, the server is stopping, or the gate broke and was replaced.",
        remedy: "Send it again. The operator finds the cause in the log, by the request id.";
    EdgeNotReady = "edge_not_ready", 503, "The edge has no usable keys or policy",
        cause: "The edge could not fetch keys or a signed policy bundle, or the tenant has not activated one.",
        remedy: "Activate a policy; `plinto doctor` and the edge's health page say which document is missing.";
    RevocationUnknown = "revocation_unknown", 503, "The edge cannot tell whether the token is revoked",
        cause: "The revocation feed is older than the hard limit, because the control plane could not be reached.",
        remedy: "Bring the control plane back, or its way to the edge. `REVOCATION_ON_STALE` says what happens meanwhile.";
    EdgeMisconfigured = "edge_misconfigured", 503, "The edge is not configured",
        cause: "A variable of the Worker is missing or cannot be used. The detail names it.",
        remedy: "Set it in `wrangler.toml` and deploy again.";
    RequestNotForwardable = "request_not_forwardable", 400, "The edge can not send this request on",
        cause: "The client ended the request's body before it was whole. The application has not seen the request.",
        remedy: "Send it again, as long as `Content-Length` says.";
    UpstreamUnreachable = "upstream_unreachable", 502, "The application behind the edge could not be reached",
        cause: "The edge let the request pass, and nobody listens at the application's address.",
        remedy: "Check that the application runs and that `UPSTREAM` leads to it.";
    UpstreamReset = "upstream_reset", 502, "The application behind the edge ended the connection before it answered",
        cause: "The application took the connection and closed it without an answer: it broke, was restarted, or refuses connections of this kind. It may have acted.",
        remedy: "Look at the application's log by the request id. Repeat what changes something only if the application can tell that it is the same.";
    UpstreamProtocol = "upstream_protocol", 502, "The application behind the edge did not answer in HTTP",
        cause: "What came is no answer to the request: another protocol, a status out of range, a switch of protocols that nobody asked for, headers too large, or an interim answer to `HEAD`.",
        remedy: "Check that `UPSTREAM` names the application's HTTP port and scheme, and ask the application directly.";
    UpstreamTimeout = "upstream_timeout", 504, "The application behind the edge did not answer in time",
        cause: "The application had the whole request and did not begin its answer within the route's `timeout_s`, or else `UPSTREAM_TIMEOUT_S`. It may have acted.",
        remedy: "Find out why it is slow, or give the route more time. Repeat what changes something only if the application can tell that it is the same.";
    ObligationsInvalid = "obligations_invalid", 500, "The policy's obligations cannot be told to the application",
        cause: "The policy lets the request pass, with obligations that are no object with plain names, nest deeper than 64, or are longer than 4 KiB. Nobody was denied.",
        remedy: "Let the policy say less, or say it flat; `plinto policy test` can check it.";
    Internal = "internal_error", 500, "Something went wrong on our side",
        cause: "A fault of the server's own.",
        remedy: "Tell the operator the request id, which stands in the log beside the cause.";
}
