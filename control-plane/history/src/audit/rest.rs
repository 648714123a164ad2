//! `/v1/audit`.

use axum::extract::State;
use plinto_contract::{
    ids::EventId,
    problem::{Code, FieldError},
    text::number,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{
        ApiError, Json, List, Page, Query,
        page::{Limit, LimitQuery, PageQuery},
        schemas,
    },
};
use plinto_tlog::Hash;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    filter::{Asked, Filter},
    model::Record,
    service::{self, Consistency, Inclusion, Records, Signed, search},
};
use crate::events::EventBody;

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_checkpoint))
        .routes(routes!(get_inclusion_proof))
        .routes(routes!(get_consistency_proof))
        .routes(routes!(list_records))
        .routes(routes!(search_events))
}

/// What was last signed of the tenant's log.
#[derive(Debug, Serialize, ToSchema)]
struct CheckpointBody {
    #[schema(example = "checkpoint")]
    object: &'static str,
    /// How many events it covers.
    size: i64,
    /// How the log is called in what is signed.
    #[schema(example = "id.example.com/tenant_01jd0000000000000000000000/events")]
    origin: String,
    /// The whole of it, signature and all: a C2SP signed note with a C2SP tlog-checkpoint.
    note: String,
    /// The key that it is signed with, as signed notes write it. Keep it: a signature proves something
    /// to whoever knew the key before.
    verifier_key: String,
}

impl From<Signed> for CheckpointBody {
    fn from(signed: Signed) -> Self {
        Self {
            object: "checkpoint",
            size: signed.size,
            origin: signed.origin,
            note: signed.note,
            verifier_key: signed.verifier,
        }
    }
}

/// That an event is in the log.
#[derive(Debug, Serialize, ToSchema)]
struct InclusionProofBody {
    #[schema(example = "inclusion_proof")]
    object: &'static str,
    /// The event with what its leaf is made of.
    #[schema(value_type = Object)]
    record: Map<String, Value>,
    /// Its place in the tree, from 0.
    index: i64,
    /// The hashes on the way to the root (RFC 9162 §2.1.3), in base64.
    hashes: Vec<String>,
    /// The same as a file: a C2SP tlog-proof.
    proof: String,
    checkpoint: CheckpointBody,
}

impl From<Inclusion> for InclusionProofBody {
    fn from(inclusion: Inclusion) -> Self {
        Self {
            object: "inclusion_proof",
            index: inclusion.record.logged.event.seq.saturating_sub(1),
            record: record(inclusion.record),
            hashes: texts(&inclusion.path),
            proof: inclusion.proof,
            checkpoint: inclusion.signed.into(),
        }
    }
}

/// That a log of one size is the beginning of the log of another.
#[derive(Debug, Serialize, ToSchema)]
struct ConsistencyProofBody {
    #[schema(example = "consistency_proof")]
    object: &'static str,
    from: i64,
    to: i64,
    /// The hashes that show it (RFC 9162 §2.1.4), in base64.
    hashes: Vec<String>,
}

impl From<Consistency> for ConsistencyProofBody {
    fn from(consistency: Consistency) -> Self {
        Self {
            object: "consistency_proof",
            from: consistency.from,
            to: consistency.to,
            hashes: texts(&consistency.path),
        }
    }
}

/// A part of the log.
#[derive(Debug, Serialize, ToSchema)]
struct RecordsBody {
    #[schema(example = "list")]
    object: &'static str,
    /// Events with `leaf_hash`, their hash in the tree, and `salt`.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Map<String, Value>>,
    /// How many events are signed.
    size: i64,
}

impl From<Records> for RecordsBody {
    fn from(records: Records) -> Self {
        Self {
            object: "list",
            data: records.records.into_iter().map(record).collect(),
            size: records.sealed,
        }
    }
}

/// The leaf, and beside it what is not in the leaf.
fn record(record: Record) -> Map<String, Value> {
    let mut members = record.leaf;
    if let Some(salt) = record.logged.salt {
        let context = json!(record.logged.event.context);
        members.insert("context".to_owned(), context);
        members.insert("salt".to_owned(), Value::String(salt));
    }
    let hash = Value::String(record.hash.to_string());
    members.insert("leaf_hash".to_owned(), hash);
    members
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

/// Which event.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InclusionQuery {
    /// The event's id.
    #[param(value_type = schemas::EventId)]
    event_id: String,
}

/// Which two sizes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConsistencyQuery {
    /// The smaller size: that of a checkpoint that you have.
    #[param(value_type = i64, minimum = 1)]
    from: String,
    /// The larger one; that of the last checkpoint if left out.
    #[param(value_type = Option<i64>, minimum = 1)]
    to: Option<String>,
}

/// Which part of the log.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RecordsQuery {
    /// The number of the event that the wanted ones follow. Default 0.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: Option<String>,
}

fn natural(name: &str, text: &str) -> Result<i64, ApiError> {
    number(text)
        .filter(|number: &i64| *number >= 0)
        .ok_or_else(|| {
            let detail = "expected a whole number";
            let error = FieldError::new(name, "invalid_value", detail);
            ApiError::fields(Code::ValidationFailed, vec![error])
        })
}

/// Get what was last signed of the log
///
/// At most ten seconds old. Whoever keeps it can show later whether something of before was changed.
/// Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = CheckpointBody), (status = 409, description = "event_not_sealed")))]
async fn get_checkpoint(
    State(platform): State<Platform>,
    actor: Actor,
) -> Result<Json<CheckpointBody>, ApiError> {
    Ok(Json(service::checkpoint(&platform, &actor).await?.into()))
}

/// Prove that an event is in the log
///
/// Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/audit/inclusion_proof", tag = "audit", params(InclusionQuery),
    responses((status = 200, body = InclusionProofBody), (status = 404, description = "not_found"), (status = 409, description = "event_not_sealed")))]
async fn get_inclusion_proof(
    State(platform): State<Platform>,
    actor: Actor,
    Query(query): Query<InclusionQuery>,
) -> Result<Json<InclusionProofBody>, ApiError> {
    let id: EventId = query.event_id.parse().map_err(|error| {
        let text = format!("{error}");
        let error = FieldError::new("?event_id", "invalid_value", text);
        ApiError::fields(Code::ValidationFailed, vec![error])
    })?;
    Ok(Json(
        service::inclusion(&platform, &actor, id).await?.into(),
    ))
}

/// Prove that the log of one size is the beginning of that of another
///
/// So nothing was changed or removed in between. Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/audit/consistency_proof", tag = "audit", params(ConsistencyQuery),
    responses((status = 200, body = ConsistencyProofBody), (status = 409, description = "event_not_sealed")))]
async fn get_consistency_proof(
    State(platform): State<Platform>,
    actor: Actor,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<ConsistencyProofBody>, ApiError> {
    let from = natural("?from", &query.from)?;
    let to = query
        .to
        .as_deref()
        .map(|to| natural("?to", to))
        .transpose()?;
    let proof = service::consistency(&platform, &actor, from, to).await?;
    Ok(Json(proof.into()))
}

/// List events with what proves them
///
/// Those that are signed, in the order of the log. A leaf is SHA-256 over a zero byte and the canonical
/// JSON (RFC 8785) of the event without `context`, `salt` and `leaf_hash`; `context_digest` in it is
/// SHA-256 over `salt` and the canonical `context`. Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/audit/records", tag = "audit", params(LimitQuery, RecordsQuery),
    responses((status = 200, body = RecordsBody), (status = 409, description = "event_not_sealed")))]
async fn list_records(
    State(platform): State<Platform>,
    actor: Actor,
    Limit(limit): Limit,
    Query(query): Query<RecordsQuery>,
) -> Result<Json<RecordsBody>, ApiError> {
    let after = query.after.as_deref().unwrap_or("0");
    let after = natural("?after", after)?;
    let records = service::records(&platform, &actor, after, i64::from(limit)).await?;
    Ok(Json(records.into()))
}

/// What is looked for; each that is given has to hold.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Who made it happen: a user's or API key's id, `anonymous` or `system`.
    #[param(pattern = "^[A-Za-z0-9_]{1,80}$")]
    actor: Option<String>,
    /// Only these types, with commas between them; `session.*` stands for all that begin so.
    #[serde(rename = "type")]
    #[param(inline, value_type = Option<schemas::EventTypes>)]
    kinds: Option<String>,
    /// The id of what it happened to.
    #[param(pattern = "^[A-Za-z0-9_]{1,80}$")]
    target: Option<String>,
    /// Only what concerns this organization.
    #[param(value_type = Option<schemas::OrganizationId>)]
    organization_id: Option<String>,
    /// Only what was asked for from this address.
    #[param(
        pattern = "^(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}$"
    )]
    ip: Option<String>,
    /// `success`, `failure` or `denied`.
    #[param(pattern = "^(success|failure|denied)$")]
    result: Option<String>,
    /// Not before this moment.
    #[param(value_type = Option<schemas::Moment>)]
    from: Option<String>,
    /// Not after this moment.
    #[param(value_type = Option<schemas::Moment>)]
    to: Option<String>,
    /// A text in ids, types, addresses, programs or data, in upper or lower case.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
}

/// Search the log
///
/// The newest first. A page may have few events or none, and `next_cursor` all the same: 2,000 events are
/// looked at for each. Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", params(PageQuery, SearchQuery),
    responses((status = 200, body = List<EventBody>)))]
async fn search_events(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
    Query(query): Query<SearchQuery>,
) -> Result<Json<List<EventBody>>, ApiError> {
    let asked = Asked {
        actor: query.actor.as_deref(),
        kinds: query.kinds.as_deref(),
        target: query.target.as_deref(),
        organization: query.organization_id.as_deref(),
        ip: query.ip.as_deref(),
        result: query.result.as_deref(),
        from: query.from.as_deref(),
        to: query.to.as_deref(),
        text: query.q.as_deref(),
    };
    let filter =
        Filter::read(&asked).map_err(|errors| ApiError::fields(Code::ValidationFailed, errors))?;
    let before = number(page.after());
    let found = search::search(&platform, &actor, &filter, before, page.limit()).await?;
    let next = found.next.map(|next| next.to_string());
    Ok(Json(page.part(found.events, next.as_deref())))
}
