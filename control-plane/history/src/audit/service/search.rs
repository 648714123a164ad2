//! Looks for events, the newest first.

use plinto_contract::{events::Event, ids::TenantId};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    db::{DbError, Tx},
    events::{self as log, By},
};

use crate::audit::{error::AuditError, filter::Filter};

/// 2,000 events are looked at for one answer: who looks for something rare gets it in several.
const LOOKED_AT_MAX: i64 = 2_000;
/// 10 minutes: clocks of several servers differ by less, so the order of moments and the order of the log do.
const CLOCKS_MS: i64 = 600_000;
/// 4 types each are looked up by themselves; more are picked out of all.
const KINDS_MAX: usize = 4;

/// What was found, and where to go on.
#[derive(Debug)]
pub(in crate::audit) struct Found {
    pub(in crate::audit) events: Vec<Event>,
    /// The number of the event before which the rest is; `None`: there is none.
    pub(in crate::audit) next: Option<i64>,
}

/// Events that the filter finds, before an event of the log or its end, the newest first. There may be few
/// or none, and more behind.
pub(in crate::audit) async fn search(
    platform: &Platform,
    actor: &Actor,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Found, AuditError> {
    actor.require(Permission::EventsRead)?;
    let mut tx = platform.db.read().await?;
    let mut before = before.unwrap_or(i64::MAX);
    if let Some(to) = filter.to {
        let last = log::last_until(&mut tx, actor.tenant, to.plus_millis(CLOCKS_MS)).await?;
        before = before.min(last.saturating_add(1));
    }
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut events, mut looked_at) = (Vec::new(), 0_i64);
    // Little where most events are wanted, and few statements where hardly any is.
    let mut fetch = limit.saturating_mul(2);
    while looked_at < LOOKED_AT_MAX {
        fetch = fetch.min(LOOKED_AT_MAX.saturating_sub(looked_at));
        let part = next(&mut tx, actor.tenant, filter, before, fetch).await?;
        let Some(last) = part.last() else {
            return Ok(Found { events, next: None });
        };
        let (reached, is_last) = (last.seq, i64::try_from(part.len()).unwrap_or(0) < fetch);
        let is_before = filter
            .from
            .is_some_and(|from| last.created_at < from.plus_millis(CLOCKS_MS.saturating_neg()));
        looked_at = looked_at.saturating_add(fetch);
        for event in part {
            if filter.finds(&event) {
                if events.len() >= wanted {
                    let next = Some(event.seq.saturating_add(1));
                    return Ok(Found { events, next });
                }
                events.push(event);
            }
        }
        if is_last || is_before {
            return Ok(Found { events, next: None });
        }
        before = reached;
        fetch = fetch.saturating_mul(4);
    }
    let next = Some(before);
    Ok(Found { events, next })
}

/// The next events by the index that leads to the fewest.
async fn next(
    tx: &mut Tx,
    tenant: TenantId,
    filter: &Filter,
    before: i64,
    limit: i64,
) -> Result<Vec<Event>, DbError> {
    if let Some(target) = &filter.target {
        return log::before(tx, tenant, By::Target(target), before, limit).await;
    }
    // Those who have no id are too many for an index.
    let actor = filter.actor.as_deref().filter(|actor| actor.contains('_'));
    if let Some(actor) = actor {
        return log::before(tx, tenant, By::Actor(actor), before, limit).await;
    }
    match &filter.kinds {
        Some(kinds) if kinds.len() <= KINDS_MAX => {
            let mut events = Vec::new();
            for kind in kinds {
                events.extend(log::before(tx, tenant, By::Kind(*kind), before, limit).await?);
            }
            events.sort_by_key(|event: &Event| std::cmp::Reverse(event.seq));
            events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(events)
        }
        _ => log::before(tx, tenant, By::Number, before, limit).await,
    }
}
