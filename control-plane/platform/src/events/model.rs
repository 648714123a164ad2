//! An event on its way into the log.

use std::net::IpAddr;

use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_contract::{
    events::{Event, EventActor, EventKind},
    ids::{EventId, OrganizationId, RequestId, TenantId},
    time::UnixMillis,
};

/// What is known of an event before it has a place in the log.
#[derive(Debug)]
pub(super) struct NewEvent {
    pub(super) id: EventId,
    pub(super) kind: EventKind,
    pub(super) version: i64,
    pub(super) tenant: TenantId,
    pub(super) actor: EventActor,
    pub(super) target: String,
    pub(super) organization: Option<OrganizationId>,
    pub(super) created_at: UnixMillis,
    pub(super) request_id: Option<RequestId>,
    pub(super) personal: Option<Personal>,
    /// A JSON object.
    pub(super) data: String,
}

/// By which index events are looked up.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Their numbers alone.
    Number,
    /// Who made them happen: a user's or key's id.
    Actor(&'a str),
    /// What they happened to.
    Target(&'a str),
    /// What happened.
    Kind(EventKind),
}

/// An event of the log with what proves it.
#[derive(Debug)]
pub struct Logged {
    /// The event.
    pub event: Event,
    /// What the digest of its context begins with; `None`: it has no context, or it was erased.
    pub salt: Option<String>,
    /// That digest, once the context was erased.
    pub context_digest: Option<String>,
}

/// What is erased with a person, and the salt with which the log proves the rest without it.
#[derive(Debug)]
pub(super) struct Personal {
    pub(super) ip: String,
    pub(super) user_agent: Option<String>,
    pub(super) salt: String,
}

impl Personal {
    pub(super) fn new(ip: IpAddr, user_agent: &str, salt: [u8; 16]) -> Self {
        Self {
            ip: ip.to_canonical().to_string(),
            user_agent: (!user_agent.is_empty()).then(|| user_agent.to_owned()),
            salt: Base64UrlUnpadded::encode_string(&salt),
        }
    }
}
