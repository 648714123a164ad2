//! What a setting is, and the macro that declares them: from a field with its doc, default and
//! bounds it makes the struct, its `Default`, the row in the reference and the check.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf};

use super::{ConfigError, LogFormat, PublicUrl};
use crate::secret::Secret;

/// The variable by which hosting services hand a database over. The setting's own wins over it.
const DATABASE_URL: &str = "DATABASE_URL";

/// How a variable's text becomes a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    Text,
    /// Digits alone.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Not at all: lists are for the file.
    List,
}

/// One setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The table of the file that it stands in; empty at the top level.
    pub section: &'static str,
    /// Its key in that table.
    pub key: &'static str,
    /// How it is read from a variable.
    pub kind: Kind,
    /// What it means, as the field's doc says.
    pub about: &'static str,
    /// What it is when nobody gives it, as a variable would say it; `None` for what is absent then.
    pub default: Option<String>,
    /// The least and the most it may be, unless that hangs on another setting.
    pub bounds: Option<RangeInclusive<i64>>,
}

impl Setting {
    /// Its place in the file, such as `http.timeout_s`.
    pub fn path(&self) -> String {
        path(self.section, self.key)
    }

    /// The variables that can give it, the weakest first. Its own is made of its place:
    /// `http.timeout_s` is `PLINTO_HTTP_TIMEOUT_S`.
    pub fn variables(&self) -> Vec<String> {
        let own = format!("PLINTO_{}", self.path().replace('.', "_").to_uppercase());
        match (self.kind, self.section, self.key) {
            (Kind::List, ..) => Vec::new(),
            (_, "database", "url") => vec![DATABASE_URL.to_owned(), own],
            _ => vec![own],
        }
    }
}

fn path(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// A table of the settings file.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its key; empty for the top level.
    pub name: &'static str,
    /// What its settings are about.
    pub about: &'static str,
    /// In the order of declaration.
    pub settings: Vec<Setting>,
}

/// What a setting can hold.
pub(super) trait SettingValue {
    /// How a variable's text becomes one.
    const KIND: Kind;

    /// As a variable would say it; `None` for what is absent, and for lists.
    fn text(&self) -> Option<String>;

    /// To be held against bounds. What is too large for TOML counts as its largest number.
    fn number(&self) -> Option<i64> {
        None
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl SettingValue for $type {
            const KIND: Kind = Kind::Integer;

            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }

            fn number(&self) -> Option<i64> {
                Some(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+};
}

macro_rules! texts {
    ($($type:ty: $text:expr;)+) => {$(
        impl SettingValue for $type {
            const KIND: Kind = Kind::Text;

            fn text(&self) -> Option<String> {
                let text: fn(&Self) -> String = $text;
                Some(text(self))
            }
        }
    )+};
}

integers!(i64, u64, u32, usize);
texts! {
    String: Clone::clone;
    SocketAddr: ToString::to_string;
    PathBuf: |path| path.display().to_string();
    PublicUrl: |url| url.as_str().to_owned();
    LogFormat: |format| format.as_str().to_owned();
    Secret: |secret| secret.expose().to_owned();
}

impl SettingValue for bool {
    const KIND: Kind = Kind::Boolean;

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<V: SettingValue> SettingValue for Option<V> {
    const KIND: Kind = V::KIND;

    fn text(&self) -> Option<String> {
        self.as_ref().and_then(SettingValue::text)
    }

    fn number(&self) -> Option<i64> {
        self.as_ref().and_then(SettingValue::number)
    }
}

impl<V> SettingValue for Vec<V> {
    const KIND: Kind = Kind::List;

    fn text(&self) -> Option<String> {
        None
    }
}

/// Errors: the value lies outside.
pub(super) fn within(
    section: &str,
    key: &str,
    value: &impl SettingValue,
    bounds: Option<RangeInclusive<i64>>,
) -> Result<(), ConfigError> {
    match (value.number(), bounds) {
        (Some(number), Some(bounds)) if !bounds.contains(&number) => Err(ConfigError::Invalid {
            key: path(section, key),
            reason: format!("must lie between {} and {}", bounds.start(), bounds.end()),
        }),
        _ => Ok(()),
    }
}

/// Declares the settings of a table of the file, and the tables in it: a struct, its defaults, what
/// the reference says of each, and whether numbers lie within their bounds.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $config:ident {
            $(
                $(#[doc = $doc:literal])+
                pub $key:ident: $type:ty = $default:expr $(, within $bounds:expr)?;
            )*
            $(section $section:ident: $section_config:ident;)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $config {
            $($(#[doc = $doc])+ pub $key: $type,)*
            $(#[doc = concat!("The section `", stringify!($section), "`.")]
            pub $section: $section_config,)*
        }

        impl Default for $config {
            fn default() -> Self {
                Self {
                    $($key: $default,)*
                    $($section: $section_config::default(),)*
                }
            }
        }

        impl $config {
            /// This table of the file, called `name`, and those in it.
            fn tables(name: &'static str) -> Vec<Section> {
                let default = Self::default();
                let own = Section {
                    name,
                    about: concat!($($about),+).trim_ascii(),
                    settings: vec![$(Setting {
                        section: name,
                        key: stringify!($key),
                        kind: <$type as SettingValue>::KIND,
                        about: concat!($($doc),+).trim_ascii(),
                        default: default.$key.text(),
                        bounds: None$(.or(Some($bounds)))?,
                    }),*],
                };
                [vec![own], $($section_config::tables(stringify!($section))),*].concat()
            }

            /// Errors: the first number outside its bounds, in the order of declaration.
            fn check_bounds(&self, name: &'static str) -> Result<(), ConfigError> {
                $(within(name, stringify!($key), &self.$key, None$(.or(Some($bounds)))?)?;)*
                $(self.$section.check_bounds(stringify!($section))?;)*
                Ok(())
            }
        }
    };
}
pub(super) use settings;
