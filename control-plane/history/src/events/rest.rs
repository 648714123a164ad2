//! `/v1/events` and `/v1/event_cursors`.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use plinto_contract::{
    events::{Event, EventActor, EventContext, EventResult},
    ids::{EventId, OrganizationId, RequestId, TenantId},
    problem::{Code, FieldError},
    text::number,
    time::UnixMillis,
};
use plinto_platform::{
    Platform,
    actor::Actor,
    http::{
        ApiError, Json, List, Page, Path, Query,
        layers::WorkSlot,
        page::{Limit, LimitQuery, PageQuery},
        schemas,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    model::{After, Cursor, Kinds, NoPosition, WAIT_MAX},
    service::{self, Part, Reading},
};

/// Routes of the management API.
pub fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(get_event))
        .routes(routes!(list_event_cursors))
        .routes(routes!(
            get_event_cursor,
            put_event_cursor,
            delete_event_cursor
        ))
}

/// Those that are answered when something happens.
pub fn waiting_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list_events))
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventBody {
    #[schema(example = "event")]
    object: &'static str,
    #[schema(value_type = schemas::EventId)]
    id: EventId,
    /// Its place in the tenant's log: 1, 2, 3 … without a gap.
    seq: i64,
    /// What happened, such as `session.created`.
    #[serde(rename = "type")]
    #[schema(example = "session.created")]
    kind: &'static str,
    /// The version of the shape of `data`.
    version: i64,
    #[schema(value_type = schemas::TenantId)]
    tenant_id: TenantId,
    #[schema(value_type = schemas::Moment)]
    created_at: UnixMillis,
    /// `success`, `failure` or `denied`.
    #[schema(value_type = String, example = "success")]
    result: EventResult,
    actor: ActorBody,
    /// Id of the thing it happened to.
    target: String,
    /// The organization that it concerns alone.
    #[schema(value_type = Option<schemas::OrganizationId>)]
    organization_id: Option<OrganizationId>,
    #[schema(value_type = Option<schemas::RequestId>)]
    request_id: Option<RequestId>,
    context: ContextBody,
    /// As the reference of events has it for the type.
    #[schema(value_type = Object)]
    data: Map<String, Value>,
}

/// Who made it happen.
#[derive(Debug, Serialize, ToSchema)]
struct ActorBody {
    /// `anonymous`, `user`, `api_key` or `system`.
    #[serde(rename = "type")]
    kind: String,
    /// The user's or key's id.
    id: Option<String>,
    /// The session that the user acted in.
    session_id: Option<String>,
}

/// From where it was asked for.
#[derive(Debug, Serialize, ToSchema)]
struct ContextBody {
    ip: Option<String>,
    user_agent: Option<String>,
}

impl From<EventActor> for ActorBody {
    fn from(actor: EventActor) -> Self {
        Self {
            kind: actor.kind,
            id: (!actor.id.is_empty()).then_some(actor.id),
            session_id: actor.session_id.map(|id| id.to_string()),
        }
    }
}

impl From<EventContext> for ContextBody {
    fn from(context: EventContext) -> Self {
        Self {
            ip: context.ip,
            user_agent: context.user_agent,
        }
    }
}

impl From<Event> for EventBody {
    fn from(event: Event) -> Self {
        Self {
            object: "event",
            id: event.id,
            seq: event.seq,
            kind: event.kind.as_str(),
            version: event.version,
            tenant_id: event.tenant_id,
            created_at: event.created_at,
            result: event.result,
            actor: event.actor.into(),
            target: event.target,
            organization_id: event.organization_id,
            request_id: event.request_id,
            context: event.context.into(),
            data: event.data,
        }
    }
}

/// Events in the order of the log.
#[derive(Debug, Serialize, ToSchema)]
struct EventsBody {
    #[schema(example = "list")]
    object: &'static str,
    data: Vec<EventBody>,
    /// Whether there are more already.
    has_more: bool,
    /// Give it as `after` to go on behind these; it is there even if there was nothing.
    #[schema(value_type = schemas::EventPosition)]
    position: String,
}

impl From<Part> for EventsBody {
    fn from(part: Part) -> Self {
        Self {
            object: "list",
            data: part.events.into_iter().map(EventBody::from).collect(),
            has_more: part.has_more,
            position: part.position.to_string(),
        }
    }
}

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// `position` of an earlier answer, or `latest` for what happens from now on. Without it, the log
    /// from its beginning.
    #[param(inline, value_type = Option<schemas::EventPositionOrLatest>)]
    after: Option<String>,
    /// Only these types, with commas between them; `session.*` stands for all that begin so.
    #[serde(rename = "type")]
    #[param(inline, value_type = Option<schemas::EventTypes>)]
    kinds: Option<String>,
    /// Seconds to wait for an event when there is none, 0 to 30. Default 0.
    #[param(value_type = Option<u16>, minimum = 0, maximum = 30)]
    wait: Option<String>,
}

impl EventsQuery {
    fn read(&self, limit: u16) -> Result<(Reading, Duration), ApiError> {
        let mut errors = Vec::new();
        let after = match self.after.as_deref().map(str::parse) {
            None => After::Beginning,
            Some(Ok(after)) => after,
            Some(Err(error)) => {
                errors.push(error);
                After::Beginning
            }
        };
        let kinds = match self.kinds.as_deref().map(str::parse) {
            None => Kinds::All,
            Some(Ok(kinds)) => kinds,
            Some(Err(error)) => {
                errors.push(error);
                Kinds::All
            }
        };
        let seconds = self.wait.as_deref().map_or(Some(0), number::<u64>);
        let wait = seconds
            .map(Duration::from_secs)
            .filter(|wait| *wait <= WAIT_MAX);
        if wait.is_none() {
            let detail = "expected seconds from 0 to 30";
            errors.push(FieldError::new("?wait", "out_of_range", detail));
        }
        match wait {
            Some(wait) if errors.is_empty() => {
                let limit = i64::from(limit);
                Ok((
                    Reading {
                        after,
                        kinds,
                        limit,
                    },
                    wait,
                ))
            }
            _ => Err(ApiError::fields(Code::ValidationFailed, errors)),
        }
    }
}

/// Follow the tenant's events
///
/// All of them in the order of the log, without a gap. Go on with `after` from the `position` of the
/// answer before. With `wait`, an answer without events comes only when that time is over. Needs the
/// permission `events:read`.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(LimitQuery, EventsQuery),
    responses((status = 200, body = EventsBody), (status = 410, description = "event_log_restored")))]
async fn list_events(
    State(platform): State<Platform>,
    actor: Actor,
    slot: WorkSlot,
    Limit(limit): Limit,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsBody>, ApiError> {
    let (mut reading, wait) = query.read(limit)?;
    if wait.is_zero() {
        return Ok(Json(
            service::read(&platform, &actor, &reading).await?.into(),
        ));
    }
    let until = Instant::now() + wait;
    let mut waiting = service::wait(&platform, &actor)?;
    loop {
        let part = service::read(&platform, &actor, &reading).await?;
        if !part.events.is_empty() {
            return Ok(Json(part.into()));
        }
        // From here on: `latest` is to mean what it meant when the request came.
        reading.after = After::Position(part.position.clone());
        slot.give_back();
        let next = tokio::time::timeout_at(until, waiting.next(&platform)).await;
        if !matches!(next, Ok(true)) {
            return Ok(Json(part.into()));
        }
        slot.take_again(&platform)?;
    }
}

/// Get an event
///
/// Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/events/{event_id}", tag = "events",
    params(("event_id" = String, Path)), responses((status = 200, body = EventBody)))]
async fn get_event(
    State(platform): State<Platform>,
    actor: Actor,
    Path(id): Path<EventId>,
) -> Result<Json<EventBody>, ApiError> {
    Ok(Json(service::get(&platform, &actor, id).await?.into()))
}

/// A place in the log that is kept for a reader.
#[derive(Debug, Serialize, ToSchema)]
struct EventCursorBody {
    #[schema(example = "event_cursor")]
    object: &'static str,
    #[schema(example = "billing")]
    name: String,
    /// Give it as `after`.
    #[schema(value_type = schemas::EventPosition)]
    position: String,
    #[schema(value_type = schemas::Moment)]
    updated_at: UnixMillis,
}

impl From<Cursor> for EventCursorBody {
    fn from(cursor: Cursor) -> Self {
        Self {
            object: "event_cursor",
            name: cursor.name,
            position: cursor.position.to_string(),
            updated_at: cursor.updated_at,
        }
    }
}

/// A place to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"position": "tenant_01jd0000000000000000000000.9f86d081884c7d65.42"}))]
struct PutEventCursorBody {
    /// `position` of an answer whose events have been dealt with.
    #[schema(value_type = schemas::EventPosition)]
    position: String,
}

/// List the places that are kept for readers
///
/// In the order of their names. Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/event_cursors", tag = "events", params(PageQuery),
    responses((status = 200, body = List<EventCursorBody>)))]
async fn list_event_cursors(
    State(platform): State<Platform>,
    actor: Actor,
    page: Page,
) -> Result<Json<List<EventCursorBody>>, ApiError> {
    let cursors = service::list_cursors(&platform, &actor, page.after(), page.fetch()).await?;
    Ok(Json(page.answer(cursors, |cursor| cursor.name.clone())))
}

/// Get a place that is kept for a reader
///
/// Needs the permission `events:read`.
#[utoipa::path(get, path = "/v1/event_cursors/{event_cursor}", tag = "events",
    params(("event_cursor" = String, Path)), responses((status = 200, body = EventCursorBody)))]
async fn get_event_cursor(
    State(platform): State<Platform>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<Json<EventCursorBody>, ApiError> {
    Ok(Json(
        service::find_cursor(&platform, &actor, &name).await?.into(),
    ))
}

/// Keep a place for a reader
///
/// Under a name of 1 to 64 letters, digits, `-`, `_` and `.`; what was kept under it is replaced. A
/// reader that deals with events and then keeps their place sees each at least once, whatever ends it
/// in between. Needs the permission `events:read`.
#[utoipa::path(put, path = "/v1/event_cursors/{event_cursor}", tag = "events",
    params(("event_cursor" = String, Path)),
    request_body = PutEventCursorBody,
    responses((status = 200, body = EventCursorBody), (status = 410, description = "event_log_restored")))]
async fn put_event_cursor(
    State(platform): State<Platform>,
    actor: Actor,
    Path(name): Path<String>,
    Json(body): Json<PutEventCursorBody>,
) -> Result<Json<EventCursorBody>, ApiError> {
    let position = body.position.parse().map_err(|NoPosition| {
        let detail = "expected the `position` of an answer";
        let error = FieldError::new("/position", "invalid_value", detail);
        ApiError::fields(Code::ValidationFailed, vec![error])
    })?;
    let cursor = service::put_cursor(&platform, &actor, name, position).await?;
    Ok(Json(cursor.into()))
}

/// Forget a place
///
/// Needs the permission `events:read`.
#[utoipa::path(delete, path = "/v1/event_cursors/{event_cursor}", tag = "events",
    params(("event_cursor" = String, Path)), responses((status = 204)))]
async fn delete_event_cursor(
    State(platform): State<Platform>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    service::delete_cursor(&platform, &actor, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
