//! Header names of our own, in the lower case that HTTP/2 uses.

/// Every header the edge sets for the application starts with this; a client's own are stripped.
pub const PREFIX: &str = "x-plinto-";
/// `sub` of the verified token.
pub const SUBJECT: &str = "x-plinto-subject";
/// `sid` of the verified token.
pub const SESSION: &str = "x-plinto-session";
/// `tenant` of the verified token.
pub const TENANT: &str = "x-plinto-tenant";
/// `org` of the verified token.
pub const ORGANIZATION: &str = "x-plinto-organization";
/// `roles` of the verified token, comma separated.
pub const ROLES: &str = "x-plinto-roles";
/// `client_id` of the verified token.
pub const CLIENT: &str = "x-plinto-client";
/// The decision's obligations, as JSON.
pub const OBLIGATIONS: &str = "x-plinto-obligations";
/// Set when the revocation feed was older than its hard limit and the route lets such pass.
pub const REVOCATION_STALE: &str = "x-plinto-revocation-stale";
/// Sequence of the bundle that a response carries or was decided by.
pub const SEQUENCE: &str = "x-plinto-sequence";
/// The secret by which the application knows the edge.
pub const UPSTREAM_SECRET: &str = "x-plinto-upstream-secret";
/// The tenant, by its slug, that a request to the management API is about; its sender's own without it.
pub const MANAGED_TENANT: &str = "plinto-tenant";
/// Names one request, in every answer and log line.
pub const REQUEST_ID: &str = "x-request-id";
/// A client's own name for its request, kept apart from ours.
pub const CLIENT_REQUEST_ID: &str = "x-client-request-id";
