//! A future's outcome at once where it never has to wait, a promise of it where it does.

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use wasm_bindgen::JsValue;
use worker::js_sys::futures::future_to_promise;

/// Runs a future: its outcome if it never has to wait, else a promise of it. Most requests need
/// nothing that is not at hand, and a promise costs them more than the decision.
pub(crate) fn now_or_later(future: impl Future<Output = String> + 'static) -> JsValue {
    let relay = Arc::new(Relay::default());
    let waker = Waker::from(Arc::clone(&relay));
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(lines) => JsValue::from_str(&lines),
        Poll::Pending => future_to_promise(AssertUnwindSafe(poll_fn(move |context| {
            relay.to(context.waker());
            let lines = future.as_mut().poll(&mut Context::from_waker(&waker));
            lines.map(|lines| Ok(JsValue::from_str(&lines)))
        })))
        .into(),
    }
}

/// One waker for the whole life of a future, whoever polls it: `worker::Delay` wakes the one that
/// polled it first.
#[derive(Debug, Default)]
struct Relay(Mutex<Option<Waker>>);

impl Relay {
    fn to(&self, waker: &Waker) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
    }
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
