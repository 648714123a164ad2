//! Who, in this process, waits for events: for the next one of a tenant's log, or for those of all tenants
//! that have no place in a log yet.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use plinto_contract::ids::TenantId;
use tokio::sync::{Notify, watch};

use crate::{Platform, PlatformState, db::Db};

/// Wakes those who wait.
#[derive(Debug, Default)]
pub struct Feed {
    tenants: Mutex<HashMap<TenantId, watch::Sender<()>>>,
    outbox: Notify,
}

/// Somebody's wait. Only what comes after it began wakes it, so it begins before the log is read.
#[derive(Debug)]
pub struct Growth(watch::Receiver<()>);

impl PlatformState for Feed {
    fn new(_: &Platform) -> Self {
        Self::default()
    }
}

impl Feed {
    /// Begins to listen to one tenant's log.
    pub fn listen(&self, tenant: TenantId) -> Growth {
        let mut feeds = self.feeds();
        feeds.retain(|_, feed| feed.receiver_count() > 0);
        let feed = feeds.entry(tenant).or_insert_with(|| watch::channel(()).0);
        Growth(feed.subscribe())
    }

    /// A transaction with events of this tenant was committed.
    pub fn recorded(&self, db: &Db, tenant: TenantId) {
        if db.has_outbox() {
            self.outbox.notify_one();
        } else {
            self.grown(tenant);
        }
    }

    /// Ends when there is something in the outbox that was not there when this was last asked.
    pub async fn recorded_somewhere(&self) {
        self.outbox.notified().await;
    }

    /// The tenant's log has grown.
    pub fn grown(&self, tenant: TenantId) {
        if let Some(feed) = self.feeds().get(&tenant) {
            feed.send_replace(());
        }
    }

    /// Some log may have grown.
    pub fn may_have_grown(&self) {
        for feed in self.feeds().values() {
            feed.send_replace(());
        }
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<TenantId, watch::Sender<()>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Growth {
    /// Ends when the log may have grown since this was last asked.
    pub async fn next(&mut self) {
        // The sender is kept for as long as somebody listens.
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
