//! `/v1/sign_up`, `/v1/sign_in` and `/v1/me/password` under each issuer; `/v1/users/{user_id}/unlock`.

use axum::{extract::State, http::StatusCode, response::Response};
use plinto_contract::ids::{OrganizationId, UserId};
use plinto_directory::users::rest::UserBody;
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, Json, Path, schemas},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::service::{self, ChangePassword, SignIn, SignUp, SignedIn};
use crate::{
    credentials::Password,
    sessions::rest::{TokensBody, not_stored},
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(unlock_user))
}

/// Routes under an issuer where people come in.
pub fn entrance_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(sign_in))
}

/// Routes under an issuer for people who have signed in.
pub fn issuer_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(change_password))
}

/// Routes under an issuer that an `Idempotency-Key` may come to.
pub fn idempotent_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(sign_up))
}

/// A person who wants to be a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "alice@example.com", "password": "gavotte brindle quokka", "name": "Alice"
}))]
struct SignUpBody {
    #[schema(value_type = schemas::EmailAddress)]
    email: String,
    #[schema(value_type = schemas::NewPassword)]
    password: Password,
    #[schema(value_type = Option<schemas::PersonName>)]
    name: Option<String>,
    /// The software they use. Default `plinto`.
    #[schema(value_type = Option<schemas::ClientId>)]
    client_id: Option<String>,
}

/// A user who wants in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "email": "alice@example.com", "password": "gavotte brindle quokka"
}))]
struct SignInBody {
    #[schema(value_type = schemas::EmailAddress)]
    email: String,
    #[schema(value_type = schemas::CurrentPassword)]
    password: Password,
    /// The software they use. Default `plinto`.
    #[schema(value_type = Option<schemas::ClientId>)]
    client_id: Option<String>,
    /// The organization to act in.
    #[schema(value_type = Option<schemas::OrganizationId>)]
    organization_id: Option<OrganizationId>,
    /// What the session's access tokens are for (RFC 8707): the tenant's `audience`, which is the
    /// default, or the management API, `{public URL}/v1`.
    #[schema(value_type = Option<schemas::Audience>)]
    resource: Option<String>,
}

/// Tokens, and whose.
#[derive(Serialize, ToSchema)]
struct SignedInBody {
    #[serde(flatten)]
    tokens: TokensBody,
    user: UserBody,
}

impl From<SignedIn> for SignedInBody {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            tokens: signed_in.tokens.into(),
            user: signed_in.user.into(),
        }
    }
}

/// Sign up with e-mail address and password
///
/// Makes the user and opens their first session. With an `Idempotency-Key`, the same request sent
/// again is answered alike and happens once.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/sign_up", tag = "sign_in", params(("tenant" = String, Path)),
    request_body = SignUpBody, responses((status = 201, body = SignedInBody),
        (status = 403, description = "sign_up_closed"),
        (status = 409, description = "email_taken"),
        (status = 422, description = "password_too_short, password_too_long, password_too_common"),
        (status = 429, description = "sign_in_throttled"))
)]
async fn sign_up(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<SignUpBody>,
) -> Result<Response, ApiError> {
    let SignUpBody {
        email,
        password,
        name,
        client_id: client,
    } = body;
    let input = SignUp {
        email,
        password,
        name,
        client,
    };
    let signed_in = service::sign_up(&platform, &actor, input).await?;
    Ok(not_stored(
        StatusCode::CREATED,
        SignedInBody::from(signed_in),
    ))
}

/// Sign in with e-mail address and password
///
/// Opens a session. Whether the address or the password is wrong is not told; after too many
/// failures the account and the network address have to wait.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/sign_in", tag = "sign_in", params(("tenant" = String, Path)),
    request_body = SignInBody, responses((status = 200, body = SignedInBody),
        (status = 401, description = "invalid_credentials"),
        (status = 403, description = "user_disabled"),
        (status = 429, description = "sign_in_throttled"))
)]
async fn sign_in(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<SignInBody>,
) -> Result<Response, ApiError> {
    let SignInBody {
        email,
        password,
        client_id: client,
        organization_id: organization,
        resource,
    } = body;
    let input = SignIn {
        email,
        password,
        client,
        organization,
        resource,
    };
    let signed_in = service::sign_in(&platform, &actor, input).await?;
    Ok(not_stored(StatusCode::OK, SignedInBody::from(signed_in)))
}

/// A user who wants another password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "current_password": "gavotte brindle quokka", "new_password": "tessellate oxbow marzipan"
}))]
struct ChangePasswordBody {
    #[schema(value_type = schemas::CurrentPassword)]
    current_password: Password,
    #[schema(value_type = schemas::NewPassword)]
    new_password: Password,
    /// Whether my other sessions go on. Default false: they end.
    #[serde(default)]
    keep_other_sessions: bool,
}

/// Change my password and end my other sessions
///
/// Needs the current one. The other sessions end unless they are kept.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/me/password", tag = "me", params(("tenant" = String, Path)),
    request_body = ChangePasswordBody, responses((status = 204),
        (status = 401, description = "invalid_credentials"),
        (status = 422, description = "password_too_short, password_too_long, password_too_common"),
        (status = 429, description = "sign_in_throttled"))
)]
async fn change_password(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<ChangePasswordBody>,
) -> Result<StatusCode, ApiError> {
    let ChangePasswordBody {
        current_password: current,
        new_password: new,
        keep_other_sessions,
    } = body;
    let input = ChangePassword {
        current,
        new,
        keep_other_sessions,
    };
    service::change_password(&platform, &actor, input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a user try again whose failed sign-ins had added up
///
/// Forgets the failures, so that the next sign-in is judged at once. Needs the permission
/// `users:write`.
#[utoipa::path(
    post, path = "/v1/users/{user_id}/unlock", tag = "users", params(("user_id" = String, Path)),
    responses((status = 200, body = UserBody))
)]
async fn unlock_user(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ApiError> {
    Ok(Json(service::unlock(&platform, &actor, id).await?.into()))
}
