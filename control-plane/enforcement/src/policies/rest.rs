//! `/v1/policies`, and the documents that edges fetch.

use axum::{
    Extension,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use plinto_contract::{
    headers::SEQUENCE,
    ids::{ActivationId, BundleId},
    limits::BUNDLE_PACKED_BYTES,
    problem::Code,
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{
        ApiError, CachePolicy, Json, List, Page, Path, aged, cached, input::too_large,
        page::PageQuery, schemas,
    },
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{Activation, Bundle, Status},
    service::{
        self, activate,
        edge::{self, Artifacts},
    },
};

/// What a bundle travels as.
const GZIP: &str = "application/gzip";
/// 1 s: a new activation is seen this soon, however many edges ask.
const CURRENT_MAX_AGE_S: u32 = 1;

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    // The archive may be as large as a bundle may be; its reader says what is wrong with a larger.
    let upload_limit = BUNDLE_PACKED_BYTES.saturating_mul(2);
    OpenApiRouter::new()
        .routes(routes!(publish_bundle))
        .layer(DefaultBodyLimit::max(upload_limit))
        .routes(routes!(list_bundles))
        .routes(routes!(get_bundle))
        .routes(routes!(get_bundle_archive))
        .routes(routes!(activate_bundle))
        .routes(routes!(roll_back_policy))
        .routes(routes!(get_policy_status))
        .routes(routes!(list_activations))
}

/// Routes under an issuer, open to everybody.
pub fn public_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_active_artifact))
        .routes(routes!(get_artifact))
        .layer(Extension(Artifacts::default()))
}

/// A published bundle.
#[derive(Debug, Serialize, ToSchema)]
struct BundleBody {
    #[schema(example = "bundle")]
    object: &'static str,
    #[schema(value_type = schemas::BundleId)]
    id: BundleId,
    /// SHA-256 of its content.
    revision: String,
    /// SHA-256 of the archive.
    digest: String,
    size_bytes: i64,
    file_count: i64,
    #[schema(example = "app/authz/decision")]
    entrypoint: String,
    tests_passed: i64,
    /// A user's or key's id, or `system`.
    published_by: String,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    /// Whether it is what the edge enforces.
    is_active: bool,
}

impl From<Bundle> for BundleBody {
    fn from(bundle: Bundle) -> Self {
        Self {
            object: "bundle",
            id: bundle.id,
            revision: bundle.revision,
            digest: bundle.digest,
            size_bytes: bundle.size_bytes,
            file_count: bundle.file_count,
            entrypoint: bundle.entrypoint,
            tests_passed: bundle.tests_passed,
            published_by: bundle.published_by,
            created_at: bundle.created_at,
            is_active: bundle.is_active,
        }
    }
}

/// One step in what the edge enforces.
#[derive(Debug, Serialize, ToSchema)]
struct ActivationBody {
    #[schema(example = "activation")]
    object: &'static str,
    #[schema(value_type = schemas::ActivationId)]
    id: ActivationId,
    /// Rises with every activation, a roll-back included.
    sequence: i64,
    revision: String,
    /// Where a roll-back from here leads.
    previous_revision: Option<String>,
    /// `activated`, `rolled_back`, `roles_changed`, `key_rotated` or `renewed`.
    reason: &'static str,
    /// SHA-256 of the signed artifact.
    digest: String,
    size_bytes: i64,
    roles_version: i64,
    signed_by_kid: String,
    /// A user's or key's id, or `system`.
    activated_by: String,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    #[schema(value_type = schemas::Moment)]
    expires_at: UnixMillis,
}

impl From<Activation> for ActivationBody {
    fn from(activation: Activation) -> Self {
        Self {
            object: "activation",
            id: activation.id,
            sequence: activation.sequence,
            revision: activation.revision,
            previous_revision: activation.previous_revision,
            reason: activation.reason.as_str(),
            digest: activation.digest,
            size_bytes: activation.size_bytes,
            roles_version: activation.roles_version,
            signed_by_kid: activation.signed_by_kid,
            activated_by: activation.activated_by,
            created_at: activation.created_at,
            expires_at: activation.expires_at,
        }
    }
}

/// What is active.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyStatusBody {
    #[schema(example = "policy_status")]
    object: &'static str,
    /// `null` before the first activation.
    active: Option<ActivationBody>,
    /// Why the active artifact will be built anew shortly; `null`: it is up to date.
    outdated: Option<&'static str>,
    roles_version: i64,
}

impl From<Status> for PolicyStatusBody {
    fn from(status: Status) -> Self {
        Self {
            object: "policy_status",
            active: status.active.map(ActivationBody::from),
            outdated: status.outdated.map(super::model::Reason::as_str),
            roles_version: status.roles_version,
        }
    }
}

/// Publish a policy bundle
///
/// The body is a bundle as `plinto policy build` makes it. It is refused whole, with every finding
/// as `file:line:column`, when it cannot be read, does not compile, lacks its entrypoint, or fails
/// one of its tests. Publishing the same content again answers 200 with what is there.
#[utoipa::path(post, path = "/v1/policies/bundles", tag = "policies",
    request_body(content = Vec<u8>, content_type = "application/gzip"),
    responses((status = 201, body = BundleBody), (status = 200, body = BundleBody),
        (status = 413, description = "bundle_too_large"),
        (status = 422, description = "bundle_malformed, bundle_signature_invalid, policy_syntax, policy_refused, policy_entrypoint_missing, policy_too_expensive, policy_tests_failed")))]
async fn publish_bundle(
    State(platform): State<Platform>,
    actor: Actor,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<BundleBody>), ApiError> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if media_type != Some(GZIP) {
        let detail = format!("the body must be `{GZIP}`");
        return Err(ApiError::new(Code::UnsupportedMediaType, detail));
    }
    let body = body.map_err(too_large)?;
    let (bundle, is_new) = service::publish(&platform, &actor, body.to_vec()).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(bundle.into())))
}

/// List published bundles, newest first
///
/// Newest first. Needs the permission `policies:read`.
#[utoipa::path(get, path = "/v1/policies/bundles", tag = "policies", params(PageQuery),
    responses((status = 200, body = List<BundleBody>)))]
async fn list_bundles(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<BundleBody>>, ApiError> {
    let bundles = service::list(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(bundles, |bundle| bundle.id.to_string())))
}

/// Get a published bundle
///
/// Needs the permission `policies:read`.
#[utoipa::path(get, path = "/v1/policies/bundles/{revision}", tag = "policies",
    params(("revision" = String, Path)), responses((status = 200, body = BundleBody)))]
async fn get_bundle(
    State(platform): State<Platform>,
    actor: Actor,
    Path(revision): Path<String>,
) -> Result<Json<BundleBody>, ApiError> {
    let bundle = service::get(&platform, &actor, service::revision(&revision)?).await?;
    Ok(Json(bundle.into()))
}

/// Get a bundle's archive, byte for byte as it was published
///
/// Needs the permission `policies:read`.
#[utoipa::path(get, path = "/v1/policies/bundles/{revision}/archive", tag = "policies",
    params(("revision" = String, Path)),
    responses((status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 304)))]
async fn get_bundle_archive(
    State(platform): State<Platform>,
    actor: Actor,
    Path(revision): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let archive = service::archive(&platform, &actor, service::revision(&revision)?).await?;
    Ok(cached(
        &headers,
        GZIP,
        archive,
        Some(&revision),
        CachePolicy::Private,
    ))
}

/// Make a published bundle what the edge enforces
///
/// Signs it with the tenant's bundle key under the next sequence; edges take it up within about a
/// second. Needs the permission `policies:activate`.
#[utoipa::path(post, path = "/v1/policies/bundles/{revision}/activate", tag = "policies",
    params(("revision" = String, Path)), responses((status = 200, body = ActivationBody),
        (status = 412, description = "precondition_failed"),
        (status = 422, description = "policy_too_expensive, policy_tests_failed, policy_refused, bundle_too_large")))]
async fn activate_bundle(
    State(platform): State<Platform>,
    actor: Actor,
    Path(revision): Path<String>,
) -> Result<Json<ActivationBody>, ApiError> {
    let made = activate::activate(&platform, &actor, service::revision(&revision)?).await?;
    Ok(Json(made.into()))
}

/// Go back to the bundle that was active before
///
/// Activates the revision that was active before the present one, under a new sequence. Needs the
/// permission `policies:activate`.
#[utoipa::path(post, path = "/v1/policies/rollback", tag = "policies",
    responses((status = 200, body = ActivationBody),
        (status = 404, description = "not_found"),
        (status = 409, description = "nothing_to_roll_back_to"),
        (status = 412, description = "precondition_failed")))]
async fn roll_back_policy(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<Json<ActivationBody>, ApiError> {
    let made = activate::roll_back(&platform, &actor).await?;
    Ok(Json(made.into()))
}

/// What is active, and whether it is up to date
///
/// Needs the permission `policies:read`.
#[utoipa::path(get, path = "/v1/policies/status", tag = "policies",
    responses((status = 200, body = PolicyStatusBody)))]
async fn get_policy_status(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<Json<PolicyStatusBody>, ApiError> {
    let status = service::status(&platform, &actor).await?;
    Ok(Json(status.into()))
}

/// List activations, newest first
///
/// Also those that a changed role or an approaching expiry brought about. Needs the permission
/// `policies:read`.
#[utoipa::path(get, path = "/v1/policies/activations", tag = "policies", params(PageQuery),
    responses((status = 200, body = List<ActivationBody>)))]
async fn list_activations(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<ActivationBody>>, ApiError> {
    let before = page.after().parse().unwrap_or(0);
    let history = service::history(&platform, &actor, before, page.fetch()).await?;
    Ok(Json(page.answer(history, |made| made.sequence.to_string())))
}

/// The active policy bundle, signed, with the tenant's roles
///
/// A gzipped tar with a signature in it. Edges ask with the `ETag` they have.
#[utoipa::path(get, path = "/t/{tenant}/edge/bundle", tag = "edge",
    params(("tenant" = String, Path)),
    responses((status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 304)))]
async fn get_active_artifact(
    State(platform): State<Platform>,
    Extension(artifacts): Extension<Artifacts>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (active, content) = edge::current(&platform, &artifacts, &slug).await?;
    let policy = CachePolicy::Brief {
        max_age_s: CURRENT_MAX_AGE_S,
    };
    let body = Bytes::from_owner(content);
    let mut response = cached(&headers, GZIP, body, Some(&active.value.digest), policy);
    response
        .headers_mut()
        .insert(SEQUENCE, HeaderValue::from(active.value.sequence));
    Ok(aged(response, active.age_s))
}

/// A recent signed policy bundle by its digest
///
/// For edges that learnt the digest elsewhere; caches may keep it for ever.
#[utoipa::path(get, path = "/t/{tenant}/edge/bundles/{digest}", tag = "edge",
    params(("tenant" = String, Path), ("digest" = String, Path)),
    responses((status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 304)))]
async fn get_artifact(
    State(platform): State<Platform>,
    Extension(artifacts): Extension<Artifacts>,
    Path((slug, digest)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let content = edge::by_digest(&platform, &artifacts, &slug, &digest).await?;
    let body = Bytes::from_owner(content);
    Ok(cached(
        &headers,
        GZIP,
        body,
        Some(&digest),
        CachePolicy::Immutable,
    ))
}
