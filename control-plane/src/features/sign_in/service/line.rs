//! Who has to wait until others have been judged.
//!
//! An attempt counts as failed until it turns out otherwise, so that many guesses at once are each
//! counted before any is judged. Many right passwords at once would then use up what is meant for
//! wrong ones. So whoever finds nothing left while others are being judged waits for how these turn
//! out, one after the other, and is refused only when nobody is left to wait for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use plinto_contract::ids::TenantId;
use tokio::sync::Notify;

use crate::features::sign_in::model::Subject;

/// The lines of this process: one for each subject that is being tried.
#[derive(Debug, Default)]
pub struct Lines(Mutex<HashMap<(TenantId, Subject), Weak<Line>>>);

/// Attempts on one subject.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Held by the first of those who wait until it has asked again: the others need not ask for what
    /// it doesn't get.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Attempts that are being counted or judged.
    under_way: usize,
    /// Attempts that were judged, or given up.
    judged: u64,
    /// How many of them were known to somebody who found nothing left.
    full_at: Option<u64>,
}

impl Lines {
    pub(super) fn line(&self, tenant: TenantId, subject: &Subject) -> Arc<Line> {
        let mut lines = locked(&self.0);
        let key = (tenant, subject.clone());
        if let Some(line) = lines.get(&key).and_then(Weak::upgrade) {
            return line;
        }
        lines.retain(|_, line| line.strong_count() > 0);
        let line = Arc::default();
        lines.insert(key, Arc::downgrade(&line));
        line
    }
}

impl Line {
    /// How many have been judged so far.
    pub(super) fn judged(&self) -> u64 {
        locked(&self.state).judged
    }

    /// Takes a place, from before the attempt is counted until it is judged.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        locked(&self.state).under_way += 1;
        Place {
            line: Arc::clone(self),
            is_counted: false,
        }
    }

    /// Whoever knew of `judged` found nothing left.
    pub(super) fn full(&self, judged: u64) {
        let mut state = locked(&self.state);
        state.full_at = state.full_at.max(Some(judged));
    }

    /// Waits until nobody else waits in front.
    pub(super) async fn turn(&self) -> Turn<'_> {
        Turn {
            line: self,
            _first: self.turn.lock().await,
        }
    }
}

/// The turn of the first who waits. Kept until there was something left, it spares the others asking.
pub(super) struct Turn<'a> {
    line: &'a Line,
    _first: tokio::sync::MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// Waits until more have been judged than when somebody last found nothing left; `false` when
    /// nobody is left to be judged.
    pub(super) async fn moved_on(&self) -> bool {
        loop {
            let mut changed = std::pin::pin!(self.line.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let state = locked(&self.line.state);
                if state.full_at != Some(state.judged) {
                    return true;
                }
                if state.under_way == 0 {
                    return false;
                }
            }
            changed.await;
        }
    }
}

/// An attempt's place in a line, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    line: Arc<Line>,
    is_counted: bool,
}

impl Place {
    /// The attempt was counted: its end will be news to those who wait.
    pub(super) fn counted(&mut self) {
        self.is_counted = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = locked(&self.line.state);
        state.under_way = state.under_way.saturating_sub(1);
        if self.is_counted {
            state.judged += 1;
        }
        drop(state);
        self.line.changed.notify_waiters();
    }
}

/// Nothing that is held under these locks can be half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
