//! How many requests run at once. Statement W7.

use std::{net::IpAddr, sync::Arc};

use tokio::sync::Semaphore;

use crate::{Platform, PlatformState, http::Shares};

/// Places to run in. Those for public documents are apart, so that edges get what they need while all
/// else is taken.
#[derive(Debug)]
pub struct Slots {
    work: Arc<Semaphore>,
    /// An address has a quarter of them.
    pub documents: Shares<IpAddr>,
}

/// All slots, and all places in their queue, are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has more to do than it can")]
pub struct Overloaded;

impl PlatformState for Slots {
    fn new(platform: &Platform) -> Self {
        let each = platform.config.http.concurrency;
        Self {
            work: Arc::new(Semaphore::new(each)),
            documents: Shares::new(each.div_ceil(4), each),
        }
    }
}

impl Slots {
    /// Those for work.
    pub fn work(&self) -> Arc<Semaphore> {
        Arc::clone(&self.work)
    }
}
