//! Arguments of a statement: text, integer, boolean, each possibly null.

use plinto_contract::{
    ids::{
        ActivationId, ApiKeyId, BundleId, EventId, FamilyId, MemberId, OrganizationId,
        RefreshTokenId, RequestId, RoleId, SessionId, SigningKeyId, TenantId, TokenId, UserId,
    },
    time::{UnixMillis, UnixSeconds},
};
use sqlx::{Postgres, Sqlite, postgres::PgArguments, query::Query, sqlite::SqliteArguments};

/// One argument, in the three column types that both engines share.
#[derive(Debug, Clone)]
pub enum Arg {
    /// A `text` column.
    Text(Option<String>),
    /// A `bigint` column.
    Int(Option<i64>),
    /// A `boolean` column.
    Bool(Option<bool>),
}

/// The arguments of one statement, `$1` first. Built by [`args!`](crate::args).
#[derive(Debug, Clone, Default)]
pub struct Args(pub Vec<Arg>);

/// Builds [`Args`](crate::db::Args) from values that know their column type.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        $crate::db::Args(vec![$($crate::db::Arg::from($value)),*])
    };
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<Option<&str>> for Arg {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<&String> for Arg {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

macro_rules! from {
    ($($type:ty => $variant:ident($value:ident) $convert:expr;)+) => {$(
        impl From<$type> for Arg {
            fn from($value: $type) -> Self {
                Self::$variant(Some($convert))
            }
        }

        impl From<Option<$type>> for Arg {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$value| $convert))
            }
        }
    )+};
}

from! {
    String => Text(value) value;
    i64 => Int(value) value;
    i32 => Int(value) i64::from(value);
    u32 => Int(value) i64::from(value);
    u16 => Int(value) i64::from(value);
    bool => Bool(value) value;
    UnixMillis => Int(value) value.0;
    UnixSeconds => Int(value) value.0;
    ActivationId => Text(value) value.to_string();
    ApiKeyId => Text(value) value.to_string();
    BundleId => Text(value) value.to_string();
    EventId => Text(value) value.to_string();
    FamilyId => Text(value) value.to_string();
    MemberId => Text(value) value.to_string();
    OrganizationId => Text(value) value.to_string();
    RefreshTokenId => Text(value) value.to_string();
    RequestId => Text(value) value.to_string();
    RoleId => Text(value) value.to_string();
    SessionId => Text(value) value.to_string();
    SigningKeyId => Text(value) value.to_string();
    TenantId => Text(value) value.to_string();
    TokenId => Text(value) value.to_string();
    UserId => Text(value) value.to_string();
}

pub(super) fn sqlite(sql: &'static str, args: Args) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(sql);
    for arg in args.0 {
        query = match arg {
            Arg::Text(value) => query.bind(value),
            Arg::Int(value) => query.bind(value),
            Arg::Bool(value) => query.bind(value),
        };
    }
    query
}

pub(super) fn postgres(sql: &'static str, args: Args) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for arg in args.0 {
        query = match arg {
            Arg::Text(value) => query.bind(value),
            Arg::Int(value) => query.bind(value),
            Arg::Bool(value) => query.bind(value),
        };
    }
    query
}
