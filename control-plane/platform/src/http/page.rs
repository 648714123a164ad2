//! Lists by cursor: stable while rows come and go.

use aws_lc_rs::hmac;
use axum::{extract::FromRequestParts, http::request::Parts};
use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_contract::{
    limits::{PAGE_DEFAULT, PAGE_MAX},
    problem::{Code, FieldError},
    text::number,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Platform, PlatformState,
    http::{ApiError, input::pairs},
};

/// 16 bytes of the tag: a forged cursor would only start a list elsewhere.
const TAG_LEN: usize = 16;

/// Seals positions, so that a cursor works only for the list it came from.
#[derive(Debug)]
pub struct Cursors(hmac::Key);

impl PlatformState for Cursors {
    fn new(platform: &Platform) -> Self {
        Self(platform.envelope.derive("page cursors"))
    }
}

impl Cursors {
    fn tag(&self, scope: &str, position: &str) -> Vec<u8> {
        let tag = hmac::sign(&self.0, format!("{scope}\n{position}").as_bytes());
        tag.as_ref().iter().take(TAG_LEN).copied().collect()
    }

    fn seal(&self, scope: &str, position: &str) -> String {
        let mut bytes = self.tag(scope, position);
        bytes.extend_from_slice(position.as_bytes());
        Base64UrlUnpadded::encode_string(&bytes)
    }

    fn open(&self, scope: &str, cursor: &str) -> Option<String> {
        let bytes = Base64UrlUnpadded::decode_vec(cursor).ok()?;
        let (tag, position) = bytes.split_at_checked(TAG_LEN)?;
        let position = String::from_utf8(position.to_vec()).ok()?;
        (self.tag(scope, &position) == tag).then_some(position)
    }
}

/// `?limit=…&cursor=…` of a request.
#[derive(Debug)]
pub struct Page {
    platform: Platform,
    scope: String,
    limit: u16,
    after: Option<String>,
}

/// How the two parameters read in the `OpenAPI` document.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items to return, 1 to 100. Default 20.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
    /// `next_cursor` of the previous answer. Without it, the list begins.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl Page {
    /// Items after this position are asked for; empty: the first ones.
    pub fn after(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    /// How many rows to fetch: one more than fit tells whether there are more.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit).saturating_add(1)
    }

    /// How many items are asked for.
    pub fn limit(&self) -> i64 {
        i64::from(self.limit)
    }

    /// The answer where whoever looked knows whether there is more, and where: there may be fewer items
    /// than fit, or none, and more behind.
    pub fn part<R, T: From<R>>(&self, rows: Vec<R>, next: Option<&str>) -> List<T> {
        let cursors = self.platform.state::<Cursors>();
        List {
            object: ListObject::List,
            data: rows.into_iter().map(T::from).collect(),
            has_more: next.is_some(),
            next_cursor: next.map(|position| cursors.seal(&self.scope, position)),
        }
    }

    /// The answer: `rows` holds up to [`Page::fetch`]; `position` is what they are ordered by.
    pub fn answer<R, T: From<R>>(
        &self,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> String,
    ) -> List<T> {
        let limit = usize::from(self.limit);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| has_more).map(|row| {
            self.platform
                .state::<Cursors>()
                .seal(&self.scope, &position(row))
        });
        List {
            object: ListObject::List,
            data: rows.into_iter().map(T::from).collect(),
            has_more,
            next_cursor,
        }
    }
}

impl FromRequestParts<Platform> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, ApiError> {
        let mut limit = PAGE_DEFAULT;
        let mut cursor = None;
        let mut filters = Vec::new();
        for (name, value) in pairs(parts) {
            match name.as_str() {
                "limit" => limit = read_limit(&value, PAGE_MAX)?,
                "cursor" => cursor = Some(value),
                _ => filters.push((name, value)),
            }
        }
        filters.sort();
        // A cursor belongs to one list of one tenant under one set of filters.
        let tenant = parts
            .extensions
            .get::<crate::actor::Actor>()
            .map(|actor| actor.tenant);
        let scope = format!("{tenant:?} {} {filters:?}", parts.uri.path());
        let after = match cursor {
            None => None,
            Some(cursor) => Some(
                platform
                    .state::<Cursors>()
                    .open(&scope, &cursor)
                    .ok_or_else(|| {
                        ApiError::new(Code::InvalidCursor, Code::InvalidCursor.title())
                    })?,
            ),
        };
        Ok(Self {
            platform: platform.clone(),
            scope,
            limit,
            after,
        })
    }
}

/// `?limit=…` of a request that follows a log: 1 to 1,000, or 100.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub u16);

const LIMIT_DEFAULT: u16 = 100;
const LIMIT_MAX: u16 = 1_000;

/// How it reads in the `OpenAPI` document.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LimitQuery {
    /// Events to return, 1 to 1,000. Default 100.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u16>,
}

impl<S: Send + Sync> FromRequestParts<S> for Limit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut limit = LIMIT_DEFAULT;
        for (_, value) in pairs(parts).iter().filter(|(name, _)| name == "limit") {
            limit = read_limit(value, LIMIT_MAX)?;
        }
        Ok(Self(limit))
    }
}

fn read_limit(text: &str, most: u16) -> Result<u16, ApiError> {
    number(text)
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| {
            let detail = format!("expected a number from 1 to {most}");
            ApiError::fields(
                Code::ValidationFailed,
                vec![FieldError::new("?limit", "out_of_range", detail)],
            )
        })
}

/// One part of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct List<T> {
    /// Always `list`.
    object: ListObject,
    /// At most `limit` of them.
    pub data: Vec<T>,
    /// Whether `next_cursor` leads to more.
    pub has_more: bool,
    /// Give it as `cursor` to get the next part; null in the last one.
    pub next_cursor: Option<String>,
}

/// What `object` of a list says.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListObject {
    /// Written `list`.
    List,
}

impl<T> List<T> {
    /// A list that is always short enough to be given whole.
    pub fn whole(data: Vec<T>) -> Self {
        Self {
            object: ListObject::List,
            data,
            has_more: false,
            next_cursor: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_in_its_own_list_only() {
        let cursors = Cursors(hmac::Key::new(hmac::HMAC_SHA256, b"key"));
        let cursor = cursors.seal("/v1/users", "user_1");
        assert_eq!(
            cursors.open("/v1/users", &cursor).as_deref(),
            Some("user_1")
        );
        assert_eq!(cursors.open("/v1/roles", &cursor), None);
        assert_eq!(cursors.open("/v1/users", "AAAA"), None);
        assert_eq!(cursors.open("/v1/users", "not base64!"), None);
    }
}
