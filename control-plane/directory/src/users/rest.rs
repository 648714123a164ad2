//! `/v1/users`, and a person's own `/v1/me` under each issuer.

use axum::{extract::State, http::StatusCode};
use plinto_contract::{
    ids::UserId,
    problem::{Code, FieldError},
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, Json, List, Page, Path, Query, page::PageQuery, schemas},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Email, Status, User},
    service,
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list_users))
        .routes(routes!(get_user))
        .routes(routes!(disable_user))
        .routes(routes!(enable_user))
        .routes(routes!(revoke_user_sessions))
}

/// Routes under an issuer.
pub fn issuer_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(get_me))
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserBody {
    #[schema(example = "user")]
    object: &'static str,
    #[schema(value_type = schemas::UserId)]
    id: UserId,
    #[schema(value_type = schemas::EmailAddress)]
    email: String,
    #[schema(value_type = Option<schemas::PersonName>)]
    name: Option<String>,
    status: Status,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
    #[schema(value_type = Option<schemas::Moment>)]
    disabled_at: Option<UnixMillis>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            object: "user",
            id: user.id,
            email: user.email,
            name: user.name,
            status: user.status,
            created_at: user.created_at,
            updated_at: user.updated_at,
            disabled_at: user.disabled_at,
        }
    }
}

/// Which users to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UserQuery {
    /// `active` or `disabled`.
    #[param(value_type = Option<Status>)]
    status: Option<String>,
    /// Only the user with this e-mail address, however they wrote it.
    #[param(value_type = Option<schemas::EmailAddress>)]
    email: Option<String>,
}

impl UserQuery {
    fn filter(&self) -> Result<service::Filter, ApiError> {
        let refused = |name: &str, code: &str, detail: String| {
            ApiError::fields(
                Code::ValidationFailed,
                vec![FieldError::new(name, code, detail)],
            )
        };
        let status = match self.status.as_deref() {
            None => None,
            Some(text) => Some(Status::from_text(text).ok_or_else(|| {
                refused(
                    "?status",
                    "invalid_value",
                    "`active` or `disabled`".to_owned(),
                )
            })?),
        };
        let email = match self.email.as_deref() {
            None => None,
            Some(text) => Some(
                Email::parse(text)
                    .map_err(|problem| refused("?email", problem.code(), problem.to_string()))?,
            ),
        };
        Ok(service::Filter { status, email })
    }
}

/// List users
///
/// In the order they signed up. Needs the permission `users:read`.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", params(PageQuery, UserQuery),
    responses((status = 200, body = List<UserBody>))
)]
async fn list_users(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
    Query(query): Query<UserQuery>,
) -> Result<Json<List<UserBody>>, ApiError> {
    let filter = query.filter()?;
    let users = service::list(&platform, &actor, &filter, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(users, |user| user.id.to_string())))
}

/// One user
///
/// Needs the permission `users:read`.
#[utoipa::path(
    get, path = "/v1/users/{user_id}", tag = "users", params(("user_id" = String, Path)),
    responses((status = 200, body = UserBody))
)]
async fn get_user(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ApiError> {
    Ok(Json(service::get(&platform, &actor, id).await?.into()))
}

/// Disable a user and end their sessions
///
/// They can not sign in, and everything they hold is refused from then on. Needs the permission
/// `users:write`.
#[utoipa::path(
    post, path = "/v1/users/{user_id}/disable", tag = "users", params(("user_id" = String, Path)),
    responses((status = 200, body = UserBody))
)]
async fn disable_user(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ApiError> {
    Ok(Json(service::disable(&platform, &actor, id).await?.into()))
}

/// Let a disabled user sign in again
///
/// Sessions that have ended stay ended. Needs the permission `users:write`.
#[utoipa::path(
    post, path = "/v1/users/{user_id}/enable", tag = "users", params(("user_id" = String, Path)),
    responses((status = 200, body = UserBody))
)]
async fn enable_user(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ApiError> {
    Ok(Json(service::enable(&platform, &actor, id).await?.into()))
}

/// End all sessions of a user
///
/// They may sign in again at once. Needs the permission `sessions:revoke`.
#[utoipa::path(
    post, path = "/v1/users/{user_id}/revoke_sessions", tag = "users",
    params(("user_id" = String, Path)), responses((status = 204))
)]
async fn revoke_user_sessions(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<UserId>,
) -> Result<StatusCode, ApiError> {
    service::end_sessions(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The person behind the access token
///
/// Needs an access token.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/me", tag = "me", params(("tenant" = String, Path)),
    responses((status = 200, body = UserBody))
)]
async fn get_me(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<Json<UserBody>, ApiError> {
    Ok(Json(service::me(&platform, &actor).await?.into()))
}
