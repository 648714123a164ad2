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

use plinto_contract::{ids::TenantId, time::UnixMillis};
use plinto_platform::{Platform, PlatformState};
use tokio::sync::Notify;

use crate::sign_in::model::Subject;

/// The lines of this process: one for each subject that is being tried.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<HashMap<(TenantId, Subject), Weak<Line>>>);

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
    /// Until when that was.
    full_until: Option<UnixMillis>,
}

impl PlatformState for Lines {
    fn new(_: &Platform) -> Self {
        Self::default()
    }
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
    pub(super) fn enter(self: &Arc<Self>, now: UnixMillis) -> Place {
        let mut state = locked(&self.state);
        // Where nothing is left, only those who are counted all the same are waited for: else whoever
        // comes and comes would keep the others waiting.
        let is_full = state.full_at == Some(state.judged) && Some(now) < state.full_until;
        let is_waited_for = !is_full;
        if is_waited_for {
            state.under_way += 1;
        }
        Place {
            line: Arc::clone(self),
            is_waited_for,
            is_counted: false,
        }
    }

    /// Whoever knew of `judged` found nothing left until then.
    pub(super) fn full(&self, judged: u64, until: UnixMillis) {
        let mut state = locked(&self.state);
        if state.full_at <= Some(judged) {
            state.full_at = Some(judged);
            state.full_until = Some(until);
        }
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
    is_waited_for: bool,
    is_counted: bool,
}

impl Place {
    /// The attempt was counted: its end will be news to those who wait.
    pub(super) fn counted(&mut self) {
        self.is_counted = true;
        if !self.is_waited_for {
            self.is_waited_for = true;
            locked(&self.line.state).under_way += 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = locked(&self.line.state);
        if self.is_waited_for {
            state.under_way = state.under_way.saturating_sub(1);
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const UNTIL: UnixMillis = UnixMillis(10_000);

    /// Whether a wait ended because others were judged; `None` when it goes on.
    async fn waited(line: &Line) -> Option<bool> {
        let turn = line.turn().await;
        timeout(Duration::from_millis(50), turn.moved_on())
            .await
            .ok()
    }

    /// W7: however many come where nothing is left, nobody waits for them.
    #[tokio::test]
    async fn who_comes_where_nothing_is_left_keeps_nobody_waiting() {
        let line = Arc::new(Line::default());
        line.full(0, UNTIL);
        let mut newcomer = line.enter(UnixMillis(9_999));
        assert_eq!(waited(&line).await, Some(false));
        // Somebody else's success may have left something for it all the same.
        newcomer.counted();
        assert_eq!(waited(&line).await, None);
        drop(newcomer);
        assert_eq!(waited(&line).await, Some(true));
    }

    #[tokio::test]
    async fn who_comes_when_the_wait_is_over_is_waited_for() {
        let line = Arc::new(Line::default());
        line.full(0, UNTIL);
        let newcomer = line.enter(UNTIL);
        assert_eq!(waited(&line).await, None);
        drop(newcomer);
        assert_eq!(waited(&line).await, Some(false));
    }
}
