//! Sizes and durations that both sides of a boundary must agree on. Those of tokens and key sets are
//! `plinto_jose`'s.

use std::ops::RangeInclusive;

/// 600 s: life of an access token. Source: statement T16.
pub const ACCESS_TOKEN_LIFETIME_S: i64 = 600;
/// 30 s: how far two clocks may differ. Source: statement T7.
pub const CLOCK_LEEWAY_S: i64 = 30;
/// 15 s: how long caches may keep a published key set, and as long again while they ask anew. Short,
/// so that a key that is no longer published is soon refused everywhere (T15).
pub const JWKS_MAX_AGE_S: u32 = 15;
/// 30 s: how long the edge goes by a key set without asking about a key that it lacks.
pub const JWKS_EDGE_AGE_S: i64 = 30;
/// 1 MiB: a bundle as it is published.
pub const BUNDLE_PACKED_BYTES: usize = 1024 * 1024;
/// 256 KiB: the keys and permissions of a tenant's roles together. They travel in every activated bundle.
pub const ROLES_BYTES: usize = 256 * 1024;
/// 2 MiB: an activated bundle as it travels, with roles and signature. Whatever may be published and
/// stored fits, also when it packs worse than whoever published it could.
pub const ACTIVATED_PACKED_BYTES: usize = 2 * BUNDLE_PACKED_BYTES;
/// 15 s: in each such period of the clock the revocation feed is signed anew, even if it says the same.
pub const FEED_PERIOD_S: i64 = 15;
/// 8 MiB: a bundle's files together.
pub const BUNDLE_UNPACKED_BYTES: usize = 8 * 1024 * 1024;
/// 1,024: files in a bundle. What a file costs beyond its bytes is a header of 512 bytes, which counts
/// in [`BUNDLE_UNPACKED_BYTES`], and a line of less than 512 bytes in the signature.
pub const BUNDLE_FILES: usize = 1_024;
/// 30 d: how long an activated bundle is valid without being renewed.
pub const BUNDLE_LIFETIME_S: i64 = 30 * 24 * 60 * 60;
/// 64: how deep a value nests that goes into a policy or comes out of one. Who handles a value calls
/// itself once per level, and a Worker's stack is small.
pub const POLICY_VALUE_DEPTH: usize = 64;
/// 4 KiB: obligations as JSON in ASCII, which travel in a header; common servers allow 8 KiB for all headers.
pub const OBLIGATIONS_BYTES: usize = 4 * 1024;
/// 64 KiB: a policy input.
pub const POLICY_INPUT_BYTES: usize = 64 * 1024;
/// 1 MiB: a request body to the control plane. Source: statement W7.
pub const REQUEST_BODY_BYTES: usize = 1024 * 1024;
/// 1 s to 1 h: how long an application may be given to begin its answer.
pub const UPSTREAM_TIMEOUT_S: RangeInclusive<u32> = 1..=3_600;
/// 20: items of a list when nobody says how many.
pub const PAGE_DEFAULT: u16 = 20;
/// 100: items of a list at most.
pub const PAGE_MAX: u16 = 100;
