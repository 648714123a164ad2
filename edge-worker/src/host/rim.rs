//! What the Worker does for the edge: clock, network, data centre's cache, WebCrypto, tasks.

use std::{cell::RefMut, rc::Rc, time::Duration};

use futures_util::{FutureExt as _, future::LocalBoxFuture};
use plinto_contract::time::UnixMillis;
use plinto_jose::SignatureJob;
use worker::Delay;

use super::{Host, documents, platform, webcrypto};
use crate::{
    config::Config,
    document::Copy,
    memory::Memory,
    refresh,
    rim::{Fetched, Place, RefreshLease, Rim},
};

impl Rim for Rc<Host> {
    fn config(&self) -> &Config {
        &self.state.config
    }

    fn memory(&self) -> RefMut<'_, Memory> {
        self.state.memory.borrow_mut()
    }

    fn now(&self) -> UnixMillis {
        platform::now()
    }

    async fn pause(&self, millis: i64) {
        Delay::from(Duration::from_millis(u64::try_from(millis).unwrap_or(0))).await;
    }

    async fn fetch(
        &self,
        place: &Place,
        etag: Option<&str>,
        timeout_ms: i64,
    ) -> Result<Fetched, String> {
        documents::fetch(place, etag, u32::try_from(timeout_ms).unwrap_or(0)).await
    }

    async fn cached(&self, place: &Place) -> Option<Copy> {
        documents::cached(place).await
    }

    async fn share(&self, place: &Place, copy: &Copy) {
        documents::share(place, copy).await;
    }

    async fn verify(&self, job: &SignatureJob<'_>) -> bool {
        webcrypto::verify(&self.state.imported, job).await
    }

    fn run(&self, lease: RefreshLease) -> LocalBoxFuture<'static, ()> {
        let host = Self::clone(self);
        let refreshing = async move {
            if let Err(error) = refresh::refresh(&host, lease).await {
                host.log(&error);
            }
        };
        let refreshing = refreshing.boxed_local().shared();
        // a client that goes away takes its request with it, but not what others wait for
        self.context.wait_until(refreshing.clone());
        refreshing.boxed_local()
    }

    fn log(&self, line: &str) {
        worker::console_error!("edge: {line}");
    }
}
