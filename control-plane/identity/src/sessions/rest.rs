//! `/v1/sessions`, and a person's own sessions under each issuer.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use plinto_contract::{
    ids::{OrganizationId, SessionId, UserId},
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{ApiError, Json, List, OptionalJson, Page, Path, Query, page::PageQuery, schemas},
    secret::Secret,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{IssuedTokens, Position, RevokedReason, Session},
    service,
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list_sessions))
        .routes(routes!(get_session))
        .routes(routes!(revoke_session))
}

/// Routes under an issuer.
pub fn issuer_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list_my_sessions))
        .routes(routes!(revoke_my_session))
        .routes(routes!(switch_organization))
        .routes(routes!(sign_out))
}

/// One sign-in of one person.
#[derive(Debug, Serialize, ToSchema)]
struct SessionBody {
    #[schema(example = "session")]
    object: &'static str,
    #[schema(value_type = schemas::SessionId)]
    id: SessionId,
    #[schema(value_type = schemas::UserId)]
    user_id: UserId,
    #[schema(value_type = Option<schemas::OrganizationId>)]
    organization_id: Option<OrganizationId>,
    client_id: String,
    /// Whether its access tokens are for the management API instead of an application.
    is_for_management: bool,
    /// How the person proved who they are (RFC 8176).
    #[schema(example = json!(["pwd"]))]
    amr: Vec<String>,
    #[schema(value_type = schemas::Moment)]
    authenticated_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    last_used_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    expires_at: UnixMillis,
    ip: Option<String>,
    user_agent: Option<String>,
    #[schema(value_type = Option<schemas::Moment>)]
    revoked_at: Option<UnixMillis>,
    revoked_reason: Option<RevokedReason>,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> Self {
        let (revoked_at, revoked_reason) = session.revoked.unzip();
        Self {
            object: "session",
            id: session.id,
            user_id: session.user,
            organization_id: session.organization,
            client_id: session.client_id,
            is_for_management: session.is_for_management,
            amr: session.amr,
            authenticated_at: session.authenticated_at,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ip: session.ip,
            user_agent: session.user_agent,
            revoked_at,
            revoked_reason,
        }
    }
}

/// A token response. Source: RFC 6749 §5.1.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokensBody {
    /// A JWT, `typ: at+jwt`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// Good once; its successor comes with the next access token.
    refresh_token: String,
    #[schema(value_type = schemas::SessionId)]
    session_id: SessionId,
    #[schema(value_type = Option<schemas::OrganizationId>)]
    organization_id: Option<OrganizationId>,
}

impl From<IssuedTokens> for TokensBody {
    fn from(tokens: IssuedTokens) -> Self {
        Self {
            access_token: tokens.access_token.to_string(),
            token_type: "Bearer",
            expires_in: tokens.expires_in_s,
            refresh_token: tokens.refresh_token.to_text().to_string(),
            session_id: tokens.session.id,
            organization_id: tokens.session.organization,
        }
    }
}

/// An answer with tokens in it, which nobody on the way may keep. Source: RFC 6749 §5.1.
pub(crate) fn not_stored(status: StatusCode, body: impl Serialize) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, Json(body)).into_response()
}

/// Which sessions to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionQuery {
    /// Only this user's.
    #[param(value_type = Option<schemas::UserId>)]
    user_id: Option<UserId>,
}

/// List sessions that have not ended
///
/// In the order in which they end. Without `user_id` a page may hold fewer than `limit`, and none at all, though more follow.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", params(PageQuery, SessionQuery),
    responses((status = 200, body = List<SessionBody>))
)]
async fn list_sessions(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
    Query(query): Query<SessionQuery>,
) -> Result<Json<List<SessionBody>>, ApiError> {
    let filter = service::Filter {
        user: query.user_id,
    };
    let after = Position::parse(page.after());
    let sessions = service::list(&platform, &actor, &filter, after, page.fetch()).await?;
    let mut list: List<SessionBody> = page.answer(sessions, |session| session.position().to_text());
    // Only now: the cursor goes on after the last row that was looked at.
    list.data.retain(|session| session.revoked_at.is_none());
    Ok(Json(list))
}

/// One session
///
/// One that has ended too, as long as it is kept. Needs the permission `sessions:read`.
#[utoipa::path(
    get, path = "/v1/sessions/{session_id}", tag = "sessions",
    params(("session_id" = String, Path)), responses((status = 200, body = SessionBody))
)]
async fn get_session(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<SessionId>,
) -> Result<Json<SessionBody>, ApiError> {
    Ok(Json(service::get(&platform, &actor, id).await?.into()))
}

/// End a session
///
/// Its refresh token opens nothing any more, and edges refuse its access tokens within about a
/// second. Needs the permission `sessions:revoke`.
#[utoipa::path(
    post, path = "/v1/sessions/{session_id}/revoke", tag = "sessions",
    params(("session_id" = String, Path)), responses((status = 200, body = SessionBody))
)]
async fn revoke_session(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<SessionId>,
) -> Result<Json<SessionBody>, ApiError> {
    Ok(Json(service::revoke(&platform, &actor, id).await?.into()))
}

/// List my sessions that have not ended
///
/// In the order in which they end, this one among them.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/me/sessions", tag = "me",
    params(("tenant" = String, Path), PageQuery),
    responses((status = 200, body = List<SessionBody>))
)]
async fn list_my_sessions(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<SessionBody>>, ApiError> {
    let after = Position::parse(page.after());
    let sessions = service::list_mine(&platform, &actor, after, page.fetch()).await?;
    Ok(Json(
        page.answer(sessions, |session| session.position().to_text()),
    ))
}

/// End one of my sessions
///
/// From another device, for instance. Its tokens are refused from then on.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/me/sessions/{session_id}/revoke", tag = "me",
    params(("tenant" = String, Path), ("session_id" = String, Path)), responses((status = 204))
)]
async fn revoke_my_session(
    State(platform): State<Platform>,
    actor: Actor,
    Path((_, id)): Path<(String, SessionId)>,
) -> Result<StatusCode, ApiError> {
    service::revoke_mine(&platform, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SwitchOrganizationBody {
    /// An organization I am a member of; `null` for none.
    #[schema(value_type = Option<schemas::OrganizationId>, required = true)]
    #[serde(deserialize_with = "present")]
    organization_id: Option<OrganizationId>,
    /// The current one of this session; it is spent.
    #[schema(value_type = String)]
    refresh_token: Secret,
}

/// Reads a value that may be `null` but must be there.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Go on in another organization, under a new session
///
/// The session of the access token ends and its refresh token is spent; the new tokens are for
/// the organization named.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/me/organization", tag = "me", params(("tenant" = String, Path)),
    request_body = SwitchOrganizationBody, responses((status = 200, body = TokensBody))
)]
async fn switch_organization(
    State(platform): State<Platform>,
    actor: Actor,
    Json(body): Json<SwitchOrganizationBody>,
) -> Result<Response, ApiError> {
    let SwitchOrganizationBody {
        organization_id,
        refresh_token,
    } = body;
    let tokens =
        service::switch_organization(&platform, &actor, organization_id, &refresh_token).await?;
    Ok(not_stored(StatusCode::OK, TokensBody::from(tokens)))
}

/// What to sign out of.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct SignOutBody {
    /// Whether every session of mine ends, on every device. Default false: only this one.
    all: bool,
}

/// End this session, or all of mine
///
/// Without a body, the session of the access token.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/sign_out", tag = "sign_in", params(("tenant" = String, Path)),
    request_body = Option<SignOutBody>, responses((status = 204))
)]
async fn sign_out(
    State(platform): State<Platform>,
    actor: Actor,
    OptionalJson(body): OptionalJson<SignOutBody>,
) -> Result<StatusCode, ApiError> {
    service::sign_out(&platform, &actor, body.all).await?;
    Ok(StatusCode::NO_CONTENT)
}
