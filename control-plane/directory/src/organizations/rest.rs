//! `/v1/organizations`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use plinto_contract::{
    ids::{MemberId, OrganizationId, UserId},
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

use super::{
    model::{CreateOrganization, Member, Organization, UpdateOrganization},
    service::{self, members},
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(create_organization, list_organizations))
        .routes(routes!(
            get_organization,
            update_organization,
            delete_organization
        ))
        .routes(routes!(add_member, list_members))
        .routes(routes!(get_member, update_member, remove_member))
}

/// A customer's company.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationBody {
    #[schema(example = "organization")]
    object: &'static str,
    #[schema(value_type = schemas::OrganizationId)]
    id: OrganizationId,
    #[schema(value_type = schemas::Slug)]
    slug: String,
    #[schema(value_type = schemas::Name)]
    name: String,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl From<Organization> for OrganizationBody {
    fn from(organization: Organization) -> Self {
        Self {
            object: "organization",
            id: organization.id,
            slug: organization.slug,
            name: organization.name,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

/// A person's membership.
#[derive(Debug, Serialize, ToSchema)]
struct MemberBody {
    #[schema(example = "member")]
    object: &'static str,
    #[schema(value_type = schemas::MemberId)]
    id: MemberId,
    #[schema(value_type = schemas::OrganizationId)]
    organization_id: OrganizationId,
    #[schema(value_type = schemas::UserId)]
    user_id: UserId,
    /// Keys of roles.
    #[schema(value_type = Vec<schemas::RoleKey>)]
    roles: Vec<String>,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl From<Member> for MemberBody {
    fn from(member: Member) -> Self {
        Self {
            object: "member",
            id: member.id,
            organization_id: member.organization,
            user_id: member.user,
            roles: member.roles.into_iter().collect(),
            created_at: member.created_at,
            updated_at: member.updated_at,
        }
    }
}

/// An organization to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "slug": "acme", "name": "Acme Inc." }))]
struct CreateOrganizationBody {
    /// Unique in the tenant.
    #[schema(value_type = schemas::Slug)]
    slug: String,
    #[schema(value_type = schemas::Name)]
    name: String,
    /// Its first owner. Without one, the first member must be an owner.
    #[schema(value_type = Option<schemas::UserId>)]
    owner_id: Option<UserId>,
}

/// What shall change of an organization; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme International" }))]
struct UpdateOrganizationBody {
    #[schema(value_type = Option<schemas::Slug>)]
    slug: Option<String>,
    #[schema(value_type = Option<schemas::Name>)]
    name: Option<String>,
}

/// A member to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddMemberBody {
    #[schema(value_type = schemas::UserId)]
    user_id: UserId,
    /// Keys of roles, at least one.
    #[schema(value_type = Vec<schemas::RoleKey>, min_items = 1, max_items = 16)]
    roles: Vec<String>,
}

/// A member's new roles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMemberBody {
    /// Keys of roles, at least one. Replaces the whole set.
    #[schema(value_type = Vec<schemas::RoleKey>, min_items = 1, max_items = 16)]
    roles: Vec<String>,
}

/// Create an organization
///
/// With an owner, that user becomes its first member in the role `owner`. Needs the permission
/// `organizations:write` in the tenant; with an owner, every management permission of that role.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations",
    request_body = CreateOrganizationBody, responses((status = 201, body = OrganizationBody),
        (status = 409, description = "slug_taken")))]
async fn create_organization(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<CreateOrganizationBody>,
) -> Result<Response, ApiError> {
    let input = CreateOrganization {
        slug: body.slug,
        name: body.name,
        owner: body.owner_id,
    };
    let organization = service::create(&platform, &actor, input).await?;
    let version = organization.version;
    Ok(version::written(
        StatusCode::CREATED,
        version,
        OrganizationBody::from(organization),
    ))
}

/// List organizations
///
/// In the order they were made; for members those in which a role of theirs allows it. Needs the
/// permission `organizations:read`.
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", params(PageQuery),
    responses((status = 200, body = List<OrganizationBody>)))]
async fn list_organizations(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<OrganizationBody>>, ApiError> {
    let organizations = service::list(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(organizations, |it| it.id.to_string())))
}

/// Get an organization
///
/// The `ETag` names its version. Needs the permission `organizations:read`.
#[utoipa::path(get, path = "/v1/organizations/{organization_id}", tag = "organizations",
    params(("organization_id" = String, Path)),
    responses((status = 200, body = OrganizationBody),
        (status = 304)))]
async fn get_organization(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<OrganizationId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let organization = service::get(&platform, &actor, id).await?;
    version::read(
        &headers,
        organization.version,
        &OrganizationBody::from(organization),
    )
}

/// Change an organization
///
/// With `If-Match`, only if nobody else has changed it since. Needs the permission
/// `organizations:write`, in the organization or, for another slug, in the tenant.
#[utoipa::path(patch, path = "/v1/organizations/{organization_id}", tag = "organizations",
    params(("organization_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    request_body = UpdateOrganizationBody,
    responses((status = 200, body = OrganizationBody),
        (status = 409, description = "slug_taken")))]
async fn update_organization(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<OrganizationId>,
    headers: HeaderMap,
    Json(body): Json<UpdateOrganizationBody>,
) -> Result<Response, ApiError> {
    let input = UpdateOrganization {
        slug: body.slug,
        name: body.name,
    };
    let seen = version::expected(&headers)?;
    let organization = service::update(&platform, &actor, id, seen, input).await?;
    let version = organization.version;
    Ok(version::written(
        StatusCode::OK,
        version,
        OrganizationBody::from(organization),
    ))
}

/// Delete an organization and its memberships
///
/// Its members leave, and the access tokens they hold for it are refused. Needs the permission
/// `organizations:write` in the tenant.
#[utoipa::path(delete, path = "/v1/organizations/{organization_id}", tag = "organizations",
    params(("organization_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    responses((status = 204)))]
async fn delete_organization(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<OrganizationId>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    service::delete(&platform, &actor, id, version::expected(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Add a member
///
/// The first member must be an owner. Needs the permission `organizations:write` in the tenant, and
/// every management permission of the roles.
#[utoipa::path(post, path = "/v1/organizations/{organization_id}/members", tag = "organizations",
    params(("organization_id" = String, Path)), request_body = AddMemberBody,
    responses((status = 201, body = MemberBody),
        (status = 409, description = "already_member, last_owner")))]
async fn add_member(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<OrganizationId>,
    Json(body): Json<AddMemberBody>,
) -> Result<Response, ApiError> {
    let member = members::add(&platform, &actor, id, body.user_id, body.roles).await?;
    Ok(version::written(
        StatusCode::CREATED,
        member.version,
        MemberBody::from(member),
    ))
}

/// List members
///
/// In the order of their ids. Needs the permission `organizations:read`.
#[utoipa::path(get, path = "/v1/organizations/{organization_id}/members", tag = "organizations",
    params(("organization_id" = String, Path), PageQuery),
    responses((status = 200, body = List<MemberBody>)))]
async fn list_members(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<OrganizationId>,
    page: Page,
) -> Result<Json<List<MemberBody>>, ApiError> {
    let members = members::list(&platform, &actor, id, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(members, |member| member.user.to_string())))
}

/// Get a member
///
/// The `ETag` names the version of their roles. Needs the permission `organizations:read`.
#[utoipa::path(get, path = "/v1/organizations/{organization_id}/members/{user_id}",
    tag = "organizations",
    params(("organization_id" = String, Path), ("user_id" = String, Path)),
    responses((status = 200, body = MemberBody),
        (status = 304)))]
async fn get_member(
    State(platform): State<Platform>,
    actor: Actor,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member = members::get(&platform, &actor, id, user).await?;
    version::read(&headers, member.version, &MemberBody::from(member))
}

/// Replace a member's roles
///
/// The access tokens that the member holds are refused from then on; their sessions go on. Needs the
/// permission `organizations:write`: in the tenant, with every management permission of the roles that
/// come or go, or in the organization, with roles that allow all that these do.
#[utoipa::path(patch, path = "/v1/organizations/{organization_id}/members/{user_id}",
    tag = "organizations",
    params(("organization_id" = String, Path), ("user_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    request_body = UpdateMemberBody, responses((status = 200, body = MemberBody),
        (status = 409, description = "last_owner")))]
async fn update_member(
    State(platform): State<Platform>,
    actor: Actor,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    headers: HeaderMap,
    Json(body): Json<UpdateMemberBody>,
) -> Result<Response, ApiError> {
    let seen = version::expected(&headers)?;
    let member = members::update(&platform, &actor, id, user, seen, body.roles).await?;
    Ok(version::written(
        StatusCode::OK,
        member.version,
        MemberBody::from(member),
    ))
}

/// Remove a member
///
/// The access tokens that the member holds are refused from then on. Needs the permission
/// `organizations:write`, as for a change of their roles.
#[utoipa::path(delete, path = "/v1/organizations/{organization_id}/members/{user_id}",
    tag = "organizations",
    params(("organization_id" = String, Path), ("user_id" = String, Path), ("if-match" = Option<String>, Header, description = "ETag of the version that you have seen")),
    responses((status = 204),
        (status = 409, description = "last_owner")))]
async fn remove_member(
    State(platform): State<Platform>,
    actor: Actor,
    Path((id, user)): Path<(OrganizationId, UserId)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let seen = version::expected(&headers)?;
    members::remove(&platform, &actor, id, user, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
