//! How processes on one database tell each other whose logs have grown. A word that is lost costs whoever
//! waits some seconds.

use std::{collections::BTreeSet, time::Duration};

use plinto_contract::ids::TenantId;
use tokio::sync::mpsc;

use crate::{Platform, db::DbError, feed::Feed};

/// 5 ms: between two words of a process.
const PAUSE: Duration = Duration::from_millis(5);
/// 10 s: until a connection that broke is tried again.
const RECOVERY: Duration = Duration::from_secs(10);
/// 200 tenants are named; if there are more, everybody looks.
const NAMED_MAX: usize = 200;

/// Passes on what it is given, until the process stops.
pub(super) async fn tell(platform: Platform, mut grown: mpsc::UnboundedReceiver<TenantId>) {
    while let Some(first) = grown.recv().await {
        let mut tenants = BTreeSet::from([first]);
        while let Ok(more) = grown.try_recv() {
            tenants.insert(more);
        }
        let names: Vec<String> = tenants.iter().map(TenantId::to_string).collect();
        let text = if names.len() <= NAMED_MAX {
            names.join(" ")
        } else {
            String::new()
        };
        if let Err(error) = platform.db.notify(&text).await {
            tracing::warn!(%error, "other processes could not be told that logs have grown");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Wakes those who wait in this process when another one tells that a log has grown.
pub(super) async fn hear(platform: Platform) {
    loop {
        match listen(&platform).await {
            // Nobody can be heard here.
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "other processes cannot be heard; it is tried again");
                tokio::time::sleep(RECOVERY).await;
            }
        }
    }
}

async fn listen(platform: &Platform) -> Result<(), DbError> {
    let Some(mut listener) = platform.db.listen().await? else {
        return Ok(());
    };
    let feed = platform.state::<Feed>();
    loop {
        let text = listener.next().await?;
        let tenants: Vec<TenantId> = text
            .split(' ')
            .filter_map(|tenant| tenant.parse().ok())
            .collect();
        if tenants.is_empty() {
            feed.may_have_grown();
        }
        for tenant in tenants {
            feed.grown(tenant);
        }
    }
}
