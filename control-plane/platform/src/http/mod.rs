//! The toolkit all handlers share: who asks, problems, input, pages, layers. Knows no feature.

pub mod actor;
mod bodies;
pub mod cache;
pub mod cors;
mod error_format;
pub mod group;
pub mod idempotency;
pub mod input;
pub mod known;
pub mod layers;
pub mod page;
pub mod problem;
pub mod query;
mod rate_limit;
pub mod retry;
pub mod schemas;
pub mod server;
pub mod shared;
mod shares;
mod slots;
mod strict;
mod text;
pub mod version;

pub use bodies::Bodies;
pub use cache::{CachePolicy, aged, cached};
pub use error_format::{ErrorBody, ErrorFormat};
pub use group::{AllowedOrigins, Authentication, Group, Groups};
pub use input::{Json, OptionalJson, Path, Query};
pub use page::{List, Page};
pub use problem::{ApiError, HasCode};
pub use rate_limit::{Ask, RateLimits};
pub use shares::{Place, Shares};
pub use slots::{Overloaded, Slots};
