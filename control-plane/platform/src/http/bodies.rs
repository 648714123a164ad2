//! Requests' bodies are read whole before work begins on them: who sends slowly holds a place of its
//! address's share, and never a slot. Statement W7.

use std::{
    net::IpAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use plinto_contract::{ids::TenantId, problem::Code};
use tokio::time::timeout;

use crate::{
    Platform, PlatformState,
    http::{
        ApiError, Overloaded,
        shares::{Full, Shares},
    },
};

/// A sixteenth of the places is one address's share of them.
const SHARE: usize = 16;
/// 4 and 16: large bodies, of two megabytes at most, that are waited for at once, for a tenant and
/// for all.
const LARGE_EACH: usize = 4;
const LARGE_ALL: usize = 16;

/// Places for bodies that are waited for.
#[derive(Debug)]
pub struct Bodies {
    small: Shares<IpAddr>,
    /// Of those who have shown a good API key.
    large: Shares<TenantId>,
    deadline: Duration,
}

impl PlatformState for Bodies {
    /// As many places as there are slots.
    fn new(platform: &Platform) -> Self {
        let config = &platform.config.http;
        let all = config.concurrency;
        Self {
            small: Shares::new(all.div_ceil(SHARE), all),
            large: Shares::new(LARGE_EACH, LARGE_ALL),
            deadline: Duration::from_secs(config.body_timeout_s),
        }
    }
}

impl Bodies {
    /// A stranger's body, read as far as `limit` and one piece beyond. What is longer goes on where
    /// it was left: whoever reads on finds out that it is too long, and says so in their own way.
    /// `address`: the client's, with a network in place of an `IPv6` address.
    pub async fn read(
        &self,
        address: Option<IpAddr>,
        body: Body,
        limit: usize,
    ) -> Result<Body, ApiError> {
        self.whole(&self.small, address, body, limit).await
    }

    /// The rest of a tenant's body, likewise.
    pub async fn read_large(
        &self,
        tenant: TenantId,
        body: Body,
        limit: usize,
    ) -> Result<Body, ApiError> {
        self.whole(&self.large, Some(tenant), body, limit).await
    }

    async fn whole<K: std::hash::Hash + Eq + Clone>(
        &self,
        shares: &Shares<K>,
        client: Option<K>,
        body: Body,
        limit: usize,
    ) -> Result<Body, ApiError> {
        let mut reading = Reading {
            read: Vec::new(),
            rest: body,
            limit,
        };
        // What came together with the headers is there already, and takes no place.
        let at_once = std::future::poll_fn(|context| Poll::Ready(reading.poll(context))).await;
        if let Poll::Ready(outcome) = at_once {
            outcome?;
            return Ok(reading.finish());
        }
        let _place = shares.acquire(client).map_err(no_place)?;
        timeout(
            self.deadline,
            std::future::poll_fn(|context| reading.poll(context)),
        )
        .await
        .map_err(|_| too_slow(self.deadline))??;
        Ok(reading.finish())
    }
}

fn no_place(full: Full) -> ApiError {
    match full {
        Full::Share => ApiError::new(
            Code::RateLimited,
            "too many requests of this address have not sent their bodies yet",
        )
        .retry_after(1),
        Full::All => ApiError::from(Overloaded),
    }
}

fn too_slow(deadline: Duration) -> ApiError {
    let seconds = deadline.as_secs();
    let detail = format!("the body was not there within {seconds} s");
    ApiError::new(Code::RequestTimeout, detail)
}

/// A body that is being read.
struct Reading {
    read: Vec<u8>,
    rest: Body,
    limit: usize,
}

impl Reading {
    /// Reads what is there. Ready at the body's end, and when more was read than the limit.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ApiError>> {
        while self.read.len() <= self.limit && !self.rest.is_end_stream() {
            match Pin::new(&mut self.rest).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(_))) => {
                    let detail = "the body broke off";
                    return Poll::Ready(Err(ApiError::new(Code::MalformedRequest, detail)));
                }
                // Trailers say nothing that is asked for here.
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn finish(self) -> Body {
        if self.read.len() <= self.limit {
            return Body::from(self.read);
        }
        Body::new(Continued {
            read: Some(Bytes::from(self.read)),
            rest: self.rest,
        })
    }
}

/// A body of which a part was read.
struct Continued {
    read: Option<Bytes>,
    rest: Body,
}

impl HttpBody for Continued {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(read) = self.read.take() {
            return Poll::Ready(Some(Ok(Frame::data(read))));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
