//! Services that are cheap to clone, however many layers they wrap.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tower::{Layer, Service, ServiceExt, layer::layer_fn, util::Oneshot};

/// A service behind a pointer. axum clones what a layer wraps for each request, and each of these
/// clones copies every layer below: without a pointer in between, the cost of a request grows with
/// the square of the number of its layers.
#[derive(Debug)]
pub struct Shared<S>(Arc<S>);

/// Puts what is wrapped behind a pointer.
pub fn shared<S>() -> impl Layer<S, Service = Shared<S>> + Clone {
    layer_fn(|service| Shared(Arc::new(service)))
}

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, R> Service<R> for Shared<S>
where
    S: Service<R> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Oneshot<S, R>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        S::clone(&self.0).oneshot(request)
    }
}
