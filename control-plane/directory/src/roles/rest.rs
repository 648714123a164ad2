//! `/v1/roles`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use plinto_contract::{ids::RoleId, problem::Code, time::UnixMillis};
use plinto_platform::{
    Platform,
    actor::{Actor, PermissionSet},
    http::{ApiError, Json, List, Page, Path, page::PageQuery, schemas, version},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{CreateRole, Role, UpdateRole},
    service,
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(create_role, list_roles))
        .routes(routes!(get_role, update_role, delete_role))
}

/// A named set of permissions, the same in every organization of the tenant.
#[derive(Debug, Serialize, ToSchema)]
struct RoleBody {
    #[schema(example = "role")]
    object: &'static str,
    #[schema(value_type = schemas::RoleId)]
    id: RoleId,
    /// What tokens and policies call it.
    #[schema(value_type = schemas::RoleKey)]
    key: String,
    #[schema(value_type = schemas::Name)]
    name: String,
    #[schema(value_type = schemas::Description)]
    description: String,
    /// What it allows in the application.
    #[schema(value_type = Vec<schemas::RolePermission>)]
    permissions: Vec<String>,
    /// What it allows with this API: administrators in the whole tenant, members in their
    /// organization.
    #[schema(value_type = Vec<schemas::Permission>)]
    management_permissions: Vec<&'static str>,
    /// Whether Plinto made it: such a role keeps its key and stays.
    is_system: bool,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl From<Role> for RoleBody {
    fn from(role: Role) -> Self {
        Self {
            object: "role",
            id: role.id,
            key: role.key,
            name: role.name,
            description: role.description,
            permissions: role.permissions.into_iter().collect(),
            management_permissions: role.management_permissions.names(),
            is_system: role.is_system,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}

/// A role to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "key": "editor", "name": "Editor", "permissions": ["document:read", "document:write"]
}))]
struct CreateRoleBody {
    /// Unique in the tenant, and for ever.
    #[schema(value_type = schemas::RoleKey)]
    key: String,
    #[schema(value_type = schemas::Name)]
    name: String,
    #[serde(default)]
    #[schema(value_type = schemas::Description)]
    description: String,
    #[serde(default)]
    #[schema(value_type = Vec<schemas::RolePermission>, max_items = 256)]
    permissions: Vec<String>,
    /// None that the caller does not have.
    #[serde(default)]
    #[schema(value_type = Vec<schemas::Permission>)]
    management_permissions: Vec<String>,
}

/// What shall change of a role; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "permissions": ["document:read"] }))]
struct UpdateRoleBody {
    #[schema(value_type = Option<schemas::Name>)]
    name: Option<String>,
    #[schema(value_type = Option<schemas::Description>)]
    description: Option<String>,
    /// Replaces the whole set.
    #[schema(value_type = Option<Vec<schemas::RolePermission>>, max_items = 256)]
    permissions: Option<Vec<String>>,
    /// Replaces the whole set. None that the caller does not have may come or go.
    #[schema(value_type = Option<Vec<schemas::Permission>>)]
    management_permissions: Option<Vec<String>>,
}

fn management(names: &[String]) -> Result<PermissionSet, ApiError> {
    PermissionSet::read(names, "/management_permissions")
        .map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))
}

/// Create a role
///
/// It is the same in every organization of the tenant, and known to the active policy soon after.
/// Needs the permission `roles:write`.
#[utoipa::path(post, path = "/v1/roles", tag = "roles", request_body = CreateRoleBody,
    responses((status = 201, body = RoleBody),
        (status = 409, description = "role_key_taken")))]
async fn create_role(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<CreateRoleBody>,
) -> Result<Response, ApiError> {
    let input = CreateRole {
        key: body.key,
        name: body.name,
        description: body.description,
        permissions: body.permissions,
        management_permissions: management(&body.management_permissions)?,
    };
    let role = service::create(&platform, &actor, input).await?;
    Ok(version::written(
        StatusCode::CREATED,
        role.version,
        RoleBody::from(role),
    ))
}

/// List roles
///
/// In the order they were made, those that every tenant starts with first. Needs the permission
/// `roles:read`.
#[utoipa::path(get, path = "/v1/roles", tag = "roles", params(PageQuery),
    responses((status = 200, body = List<RoleBody>)))]
async fn list_roles(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<RoleBody>>, ApiError> {
    let roles = service::list(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(roles, |role| role.id.to_string())))
}

/// Get a role
///
/// The `ETag` names its version. Needs the permission `roles:read`.
#[utoipa::path(get, path = "/v1/roles/{role_id}", tag = "roles",
    params(("role_id" = String, Path)), responses((status = 200, body = RoleBody),
        (status = 304)))]
async fn get_role(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let role = service::get(&platform, &actor, id).await?;
    version::read(&headers, role.version, &RoleBody::from(role))
}

/// Change a role
///
/// Permissions replace the whole set. Only with `If-Match`: a blind change could undo another
/// one. Needs the permission `roles:write`.
#[utoipa::path(patch, path = "/v1/roles/{role_id}", tag = "roles",
    params(("role_id" = String, Path), ("if-match" = String, Header, description = "ETag of the version that you have seen")),
    request_body = UpdateRoleBody, responses((status = 200, body = RoleBody)))]
async fn update_role(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
    Json(body): Json<UpdateRoleBody>,
) -> Result<Response, ApiError> {
    let input = UpdateRole {
        name: body.name,
        description: body.description,
        permissions: body.permissions,
        management_permissions: body
            .management_permissions
            .map(|names| management(&names))
            .transpose()?,
    };
    let role = service::update(&platform, &actor, id, version::required(&headers)?, input).await?;
    Ok(version::written(
        StatusCode::OK,
        role.version,
        RoleBody::from(role),
    ))
}

/// Delete a role
///
/// Only one that no member and no administrator has; those that every tenant starts with stay. Needs the permission
/// `roles:write`.
#[utoipa::path(delete, path = "/v1/roles/{role_id}", tag = "roles",
    params(("role_id" = String, Path), ("if-match" = String, Header, description = "ETag of the version that you have seen")),
    responses((status = 204),
        (status = 409, description = "role_in_use")))]
async fn delete_role(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<RoleId>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    service::delete(&platform, &actor, id, version::required(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
