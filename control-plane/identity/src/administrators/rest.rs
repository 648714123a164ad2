//! `/v1/administrators`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use plinto_contract::{
    ids::{TenantId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, Json, List, Page, Path, page::PageQuery, schemas, version},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{model::Administrator, service};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(add_administrator, list_administrators))
        .routes(routes!(
            get_administrator,
            update_administrator,
            remove_administrator
        ))
}

/// A person who may use the management API on the whole tenant.
#[derive(Debug, Serialize, ToSchema)]
struct AdministratorBody {
    #[schema(example = "administrator")]
    object: &'static str,
    #[schema(value_type = schemas::UserId)]
    user_id: UserId,
    /// The tenant whose user they are: another one for somebody who administers several.
    #[schema(value_type = schemas::TenantId)]
    home_tenant_id: TenantId,
    /// Keys of roles. Their management permissions hold in the whole tenant.
    #[schema(value_type = Vec<schemas::RoleKey>)]
    roles: Vec<String>,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl From<Administrator> for AdministratorBody {
    fn from(administrator: Administrator) -> Self {
        Self {
            object: "administrator",
            user_id: administrator.user,
            home_tenant_id: administrator.home,
            roles: administrator.roles.into_iter().collect(),
            created_at: administrator.created_at,
            updated_at: administrator.updated_at,
        }
    }
}

/// A person who shall be an administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "user_id": "user_01h455vb4pex5vsknk084sn02q", "roles": ["administrator"]
}))]
struct AddAdministratorBody {
    #[schema(value_type = schemas::UserId)]
    user_id: UserId,
    /// The tenant whose user they are. Default: this one.
    #[schema(value_type = Option<schemas::TenantId>)]
    home_tenant_id: Option<TenantId>,
    /// Keys of roles, at least one; none that allows what the caller may not do.
    #[schema(value_type = Vec<schemas::RoleKey>, min_items = 1, max_items = 16)]
    roles: Vec<String>,
}

/// An administrator's new roles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "roles": ["administrator"] }))]
struct UpdateAdministratorBody {
    /// Keys of roles, at least one. Replaces the whole set.
    #[schema(value_type = Vec<schemas::RoleKey>, min_items = 1, max_items = 16)]
    roles: Vec<String>,
}

/// Make a person an administrator
///
/// They use this API with an access token from a sign-in with `resource`. Needs the permission
/// `administrators:write`, and every management permission of the roles.
#[utoipa::path(post, path = "/v1/administrators", tag = "administrators",
    request_body = AddAdministratorBody, responses((status = 201, body = AdministratorBody),
        (status = 409, description = "already_administrator")))]
async fn add_administrator(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<AddAdministratorBody>,
) -> Result<Response, ApiError> {
    let home = body.home_tenant_id.unwrap_or(actor.tenant);
    let administrator = service::add(&platform, &actor, (home, body.user_id), body.roles).await?;
    let version = administrator.version;
    let body = AdministratorBody::from(administrator);
    Ok(version::written(StatusCode::CREATED, version, body))
}

/// List administrators
///
/// In the order of their ids. Needs the permission `administrators:read`.
#[utoipa::path(get, path = "/v1/administrators", tag = "administrators", params(PageQuery),
    responses((status = 200, body = List<AdministratorBody>)))]
async fn list_administrators(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<AdministratorBody>>, ApiError> {
    let found = service::list(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(found, |it| it.user.to_string())))
}

/// Get an administrator
///
/// The `ETag` names the version of their roles. Needs the permission `administrators:read`.
#[utoipa::path(get, path = "/v1/administrators/{user_id}", tag = "administrators",
    params(("user_id" = String, Path)), responses((status = 200, body = AdministratorBody),
        (status = 304)))]
async fn get_administrator(
    State(platform): State<Platform>,
    actor: Actor,
    Path(user): Path<UserId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let administrator = service::get(&platform, &actor, user).await?;
    let version = administrator.version;
    version::read(&headers, version, &AdministratorBody::from(administrator))
}

/// Replace an administrator's roles
///
/// In force at once. Needs the permission `administrators:write`, and every management permission of
/// the roles that come or go.
#[utoipa::path(patch, path = "/v1/administrators/{user_id}", tag = "administrators",
    params(("user_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    request_body = UpdateAdministratorBody,
    responses((status = 200, body = AdministratorBody)))]
async fn update_administrator(
    State(platform): State<Platform>,
    actor: Actor,
    Path(user): Path<UserId>,
    headers: HeaderMap,
    Json(body): Json<UpdateAdministratorBody>,
) -> Result<Response, ApiError> {
    let seen = version::expected(&headers)?;
    let administrator = service::update(&platform, &actor, user, seen, body.roles).await?;
    let version = administrator.version;
    let body = AdministratorBody::from(administrator);
    Ok(version::written(StatusCode::OK, version, body))
}

/// End a person's being an administrator
///
/// In force at once. Needs the permission `administrators:write`, and every management permission of
/// their roles.
#[utoipa::path(delete, path = "/v1/administrators/{user_id}", tag = "administrators",
    params(("user_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    responses((status = 204)))]
async fn remove_administrator(
    State(platform): State<Platform>,
    actor: Actor,
    Path(user): Path<UserId>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let seen = version::expected(&headers)?;
    service::remove(&platform, &actor, user, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
