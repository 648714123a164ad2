//! The verbs on events: follow a log, look one up, keep places in it.

use std::time::Duration;

use plinto_contract::{
    events::{Event, EventKind},
    ids::{EventId, TenantId},
    problem::FieldError,
};
use plinto_platform::{
    Platform, PlatformState,
    actor::{Actor, Permission},
    authority::{self, Need},
    db::{DbError, Tx},
    events as log,
    feed::{Feed, Growth},
    http::{Place, Shares},
};

use super::{
    error::{EventsError, PositionFault},
    model::{After, CURSORS_MAX, Cursor, Kinds, Position, is_cursor_name},
    store,
};

/// 1,000 requests that wait in a process, 100 of one tenant: each holds a connection and little memory.
const WAITING_MAX: usize = 1_000;
const WAITING_OF_TENANT_MAX: usize = 100;
/// 2 s: another process may have written, and the word of it been lost.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What a reader wants.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) after: After,
    pub(super) kinds: Kinds,
    pub(super) limit: i64,
}

/// Events, and the place behind them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) events: Vec<Event>,
    pub(super) has_more: bool,
    pub(super) position: Position,
}

/// How many requests wait.
struct Waiting(Shares<TenantId>);

impl PlatformState for Waiting {
    fn new(_: &Platform) -> Self {
        Self(Shares::new(WAITING_OF_TENANT_MAX, WAITING_MAX))
    }
}

/// A request that waits for its tenant's log to grow.
pub(super) struct Wait {
    growth: Growth,
    #[expect(dead_code, reason = "held, not read")]
    place: Place<TenantId>,
}

/// The next events after a place, in the order of the log.
/// Errors: `Position`: the place is none of this log.
pub(super) async fn read(
    platform: &Platform,
    actor: &Actor,
    reading: &Reading,
) -> Result<Part, EventsError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = authority::begin_reading(platform, actor, Permission::EventsRead).await?;
    let (epoch, head) = log::head(&mut tx, actor.tenant).await?;
    let after = match &reading.after {
        After::Beginning => 0,
        After::Latest => head,
        After::Position(position) => place(position, "?after", actor.tenant, &epoch, head)?,
    };
    let fetch = reading.limit.saturating_add(1);
    let mut events = match &reading.kinds {
        Kinds::All => log::after(&mut tx, actor.tenant, after, fetch).await?,
        Kinds::Only(kinds) => of_kinds(&mut tx, actor.tenant, kinds, after, fetch).await?,
    };
    let limit = usize::try_from(reading.limit).unwrap_or(usize::MAX);
    let has_more = events.len() > limit;
    events.truncate(limit);
    // What a filter leaves out up to the end of the log is behind the reader, too.
    let seq = match events.last() {
        Some(last) if has_more => last.seq,
        _ => head,
    };
    Ok(Part {
        events,
        has_more,
        position: Position {
            tenant: actor.tenant,
            epoch,
            seq,
        },
    })
}

/// The first `limit` events of some kinds: each kind has an order of its own in the index.
async fn of_kinds(
    tx: &mut Tx,
    tenant: TenantId,
    kinds: &[EventKind],
    after: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    let mut events = Vec::new();
    for kind in kinds {
        events.extend(log::of_kind(tx, tenant, *kind, after, limit).await?);
    }
    events.sort_by_key(|event: &Event| event.seq);
    events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(events)
}

/// `pointer`: where the position stands in the request.
fn place(
    position: &Position,
    pointer: &'static str,
    tenant: TenantId,
    epoch: &str,
    head: i64,
) -> Result<i64, EventsError> {
    let fault = if position.tenant != tenant {
        PositionFault::OtherTenant
    } else if position.epoch != epoch {
        PositionFault::OtherEpoch
    } else if position.seq > head {
        PositionFault::Beyond(head)
    } else {
        return Ok(position.seq);
    };
    Err(EventsError::Position { pointer, fault })
}

/// Begins to wait, before the log is read.
/// Errors: `TooManyWaiting`.
pub(super) fn wait(platform: &Platform, actor: &Actor) -> Result<Wait, EventsError> {
    actor.require(Permission::EventsRead)?;
    let waiting = platform.state::<Waiting>();
    let place = waiting.0.acquire(Some(actor.tenant));
    Ok(Wait {
        place: place.map_err(|_| EventsError::TooManyWaiting)?,
        growth: platform.state::<Feed>().listen(actor.tenant),
    })
}

impl Wait {
    /// Ends when it is time to look again: the log has grown, or may have. `false`: the process stops,
    /// and nobody waits any longer.
    pub(super) async fn next(&mut self, platform: &Platform) -> bool {
        let next = tokio::time::timeout(LOOK_AGAIN, self.growth.next());
        platform.stopping.run_until_cancelled(next).await.is_some()
    }
}

/// One event.
pub(super) async fn get(
    platform: &Platform,
    actor: &Actor,
    id: EventId,
) -> Result<Event, EventsError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    let found = log::find(&mut tx, actor.tenant, id).await?;
    found.ok_or(EventsError::NotFound)
}

/// A place that is kept under a name.
pub(super) async fn find_cursor(
    platform: &Platform,
    actor: &Actor,
    name: &str,
) -> Result<Cursor, EventsError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    let found = store::find(&mut tx, actor.tenant, name).await?;
    found.ok_or(EventsError::NotFound)
}

/// The places that are kept, in the order of their names.
pub(super) async fn list_cursors(
    platform: &Platform,
    actor: &Actor,
    after: &str,
    limit: i64,
) -> Result<Vec<Cursor>, EventsError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    Ok(store::list(&mut tx, actor.tenant, after, limit).await?)
}

/// Keeps a place under a name: what lies before it has been dealt with.
/// Errors: as of [`read`]; `TooManyCursors`.
pub(super) async fn put_cursor(
    platform: &Platform,
    actor: &Actor,
    name: String,
    position: Position,
) -> Result<Cursor, EventsError> {
    actor.require(Permission::EventsRead)?;
    if !is_cursor_name(&name) {
        let detail = "1 to 64 letters, digits, `-`, `_` and, behind them, `.` make a name";
        let error = FieldError::new("", "invalid_name", detail);
        return Err(EventsError::Invalid(vec![error]));
    }
    let need = Need::Permission(Permission::EventsRead);
    let mut work = authority::begin(platform, actor, need).await?;
    let (epoch, head) = log::head(&mut work.tx, actor.tenant).await?;
    place(&position, "/position", actor.tenant, &epoch, head)?;
    let cursor = Cursor {
        name,
        position,
        updated_at: platform.clock.now(),
    };
    store::put(&mut work.tx, actor.tenant, &cursor).await?;
    if store::count(&mut work.tx, actor.tenant).await? > CURSORS_MAX {
        return Err(EventsError::TooManyCursors(CURSORS_MAX));
    }
    work.commit().await?;
    Ok(cursor)
}

/// Forgets a place.
pub(super) async fn delete_cursor(
    platform: &Platform,
    actor: &Actor,
    name: &str,
) -> Result<(), EventsError> {
    actor.require(Permission::EventsRead)?;
    let need = Need::Permission(Permission::EventsRead);
    let mut work = authority::begin(platform, actor, need).await?;
    if !store::delete(&mut work.tx, actor.tenant, name).await? {
        return Err(EventsError::NotFound);
    }
    work.commit().await?;
    Ok(())
}
