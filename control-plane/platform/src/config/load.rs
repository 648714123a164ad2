//! Reads the settings from their two sources.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use plinto_contract::text::number;
use toml::{Table, Value};

use super::{Config, Kind, Setting};

/// Why the settings cannot be used: one line that names the key and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// As it was named.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML, has an unknown key or a wrong type.
    #[error("`{path}`: {reason}")]
    File {
        /// As it was named.
        path: String,
        /// The parser's words, with line and column, in one line.
        reason: String,
    },
    /// A variable that is not a setting.
    #[error("unknown variable `{0}`: the settings are listed in docs/reference/configuration.md")]
    UnknownVariable(String),
    /// A variable whose value has the wrong type.
    #[error("variable `{name}`: {reason}")]
    Variable {
        /// Such as `PLINTO_LISTEN`.
        name: String,
        /// What was expected.
        reason: String,
    },
    /// A value that cannot work.
    #[error("`{key}` {reason}")]
    Invalid {
        /// Its place in the file, such as `http.timeout_s`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Variables of the command line, the scripts and the test suite, which share our prefix.
const OF_OTHERS: &[&str] = &[
    "PLINTO_API_KEY",
    "PLINTO_BINARIES_ARE_BUILT",
    "PLINTO_CARGO_FLAGS",
    "PLINTO_CONFIG",
    "PLINTO_CONFIG_DIR",
    "PLINTO_EDGE_BUILT",
    "PLINTO_OUTPUT",
    "PLINTO_POSTGRES_BIN",
    "PLINTO_PROFILE",
    "PLINTO_URL",
    "PLINTO_VECTORS",
];
/// The same, by how they begin.
const GROUPS_OF_OTHERS: &[&str] = &["PLINTO_RUN_", "PLINTO_TEST_"];

/// The settings file when nobody names one; it may be absent then.
const DEFAULT_FILE: &str = "plinto.toml";

impl Config {
    /// Reads the file (`plinto.toml` if it exists and none is named), then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = match file {
            Some(path) => Some((path, read(path)?)),
            None if Path::new(DEFAULT_FILE).exists() => {
                let path = Path::new(DEFAULT_FILE);
                Some((path, read(path)?))
            }
            None => None,
        };
        let source = text.as_ref().map(|(path, text)| (*path, text.as_str()));
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let environment = readable(std::env::vars_os())?;
        Self::from_sources(source, &environment)
    }

    /// Puts the two sources together.
    pub fn from_sources(
        file: Option<(&Path, &str)>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => Table::new(),
            Some((path, text)) => {
                let wrong = |error: toml::de::Error| ConfigError::File {
                    path: path.display().to_string(),
                    reason: one_line(&error.to_string()),
                };
                // Once into the types, for an error with its line; once as a table to lay over.
                toml::from_str::<Self>(text).map_err(wrong)?;
                text.parse::<Table>().map_err(wrong)?
            }
        };
        lay_over(&mut table, environment)?;
        // The file's own values were fine: what is wrong came from a variable.
        let config =
            serde_path_to_error::deserialize::<_, Self>(Value::Table(table)).map_err(|error| {
                ConfigError::Variable {
                    name: variable_of(&error.path().to_string(), environment),
                    reason: one_line(&error.inner().to_string()),
                }
            })?;
        config.check()?;
        Ok(config)
    }
}

/// Every variable that can give a setting, with that setting. Where two give the same, the later wins.
fn variables() -> Vec<(String, Setting)> {
    let settings = Config::sections().into_iter().flat_map(|own| own.settings);
    settings
        .flat_map(|setting| {
            let variables = setting.variables().into_iter();
            variables.map(move |variable| (variable, setting.clone()))
        })
        .collect()
}

/// The variable that gave the value at a place such as `database.url`.
fn variable_of(place: &str, environment: &BTreeMap<String, String>) -> String {
    let given = variables()
        .into_iter()
        .rev()
        .find(|(variable, setting)| setting.path() == place && environment.contains_key(variable));
    given.map_or_else(|| place.to_owned(), |(variable, _)| variable)
}

/// The variables as text. One that is none is refused if its name is ours; others' are theirs.
fn readable(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let ours = self::variables();
    let mut read = BTreeMap::new();
    for (name, value) in variables {
        let Ok(name) = name.into_string() else {
            continue;
        };
        match value.into_string() {
            Ok(value) => drop(read.insert(name, value)),
            Err(_) if ours.iter().any(|(variable, _)| *variable == name) => {
                let reason = "is not UTF-8".to_owned();
                return Err(ConfigError::Variable { name, reason });
            }
            Err(_) => {}
        }
    }
    Ok(read)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    })
}

fn lay_over(table: &mut Table, environment: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let ours = variables();
    for name in environment.keys() {
        let is_ours = ours.iter().any(|(variable, _)| variable == name);
        if name.starts_with("PLINTO_") && !is_ours && !is_others(name) {
            return Err(ConfigError::UnknownVariable(name.clone()));
        }
    }
    for (variable, setting) in ours {
        let Some(text) = environment.get(&variable) else {
            continue;
        };
        let value = parse(&variable, setting.kind, text)?;
        let target = if setting.section.is_empty() {
            &mut *table
        } else {
            let section = table
                .entry(setting.section)
                .or_insert_with(|| Value::Table(Table::new()));
            match section {
                Value::Table(section) => section,
                _ => continue,
            }
        };
        target.insert(setting.key.to_owned(), value);
    }
    Ok(())
}

fn is_others(variable: &str) -> bool {
    OF_OTHERS.contains(&variable)
        || GROUPS_OF_OTHERS
            .iter()
            .any(|group| variable.starts_with(group))
}

fn parse(variable: &str, kind: Kind, text: &str) -> Result<Value, ConfigError> {
    let expected = |what: &str| ConfigError::Variable {
        name: variable.to_owned(),
        reason: format!("expected {what}"),
    };
    match kind {
        Kind::Text | Kind::List => Ok(Value::String(text.to_owned())),
        Kind::Integer => number(text)
            .map(Value::Integer)
            .ok_or_else(|| expected("a whole number in digits, without a sign before it")),
        Kind::Boolean => text
            .parse()
            .map(Value::Boolean)
            .map_err(|_| expected("`true` or `false`")),
    }
}

/// toml draws the line and a caret; a log line has room for one line.
fn one_line(message: &str) -> String {
    message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('|') && !line.starts_with('^'))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::from_sources(Some((Path::new("plinto.toml"), file)), &environment)
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
        let config = load(
            "listen = '127.0.0.1:1'\n[http]\ntimeout_s = 5\nbody_bytes = 2048\n",
            &[
                ("PLINTO_HTTP_TIMEOUT_S", "6"),
                ("PLINTO_RUN_EDGE_PORT", "1"),
                ("UNRELATED", "x"),
            ],
        )
        .unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.http.timeout_s, 6);
        assert_eq!(config.http.body_bytes, 2_048);
        assert_eq!(config.http.concurrency, 1_024);
        assert_eq!(config.issuer("acme"), "http://127.0.0.1:7400/t/acme");
    }

    /// A variable is made of section and key: `[http] url` and a top-level `http_url` would share one.
    #[test]
    fn no_two_settings_share_a_variable_and_none_has_that_of_another_program() {
        let mut seen = std::collections::BTreeSet::new();
        for (variable, _) in variables() {
            assert!(!is_others(&variable), "{variable}");
            assert!(seen.insert(variable.clone()), "{variable}");
        }
        for variable in [
            "PLINTO_LISTEN",
            "PLINTO_HTTP_BODY_TIMEOUT_S",
            "DATABASE_URL",
        ] {
            assert!(seen.contains(variable), "{variable}");
        }
    }

    #[test]
    fn the_settings_own_variable_wins_over_that_of_hosting_services_and_lists_have_none() {
        let both = [
            ("DATABASE_URL", "sqlite:theirs"),
            ("PLINTO_DATABASE_URL", "sqlite:ours"),
        ];
        assert_eq!(
            load("", &both).unwrap().database.url.expose(),
            "sqlite:ours"
        );
        let error = load("", &[("PLINTO_PREVIOUS_MASTER_KEYS", "x")]).unwrap_err();
        assert!(matches!(error, ConfigError::UnknownVariable(_)), "{error}");
    }

    #[test]
    fn unknown_keys_are_named_in_one_line() {
        for (file, variables, named) in [
            ("lissen = 'x'", vec![], "lissen"),
            ("[http]\nbody = 1", vec![], "body"),
            ("", vec![("PLINTO_LISSEN", "x")], "PLINTO_LISSEN"),
        ] {
            let error = load(file, &variables).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn wrong_values_are_refused() {
        assert!(load("listen = 5", &[]).is_err());
        for number in ["soon", "+5", "05", " 5", "5 ", "", "5.0", "0x5"] {
            assert!(load("", &[("PLINTO_HTTP_TIMEOUT_S", number)]).is_err());
        }
        for switch in ["True", "1", "yes", " true"] {
            let result = load("", &[("PLINTO_DATABASE_GROUP_COMMITS", switch)]);
            assert!(result.is_err(), "{switch}");
        }
        assert!(load("[sessions]\naccess_token_s = 601", &[]).is_err());
        assert!(load("public_url = 'id.example.com'", &[]).is_err());
        assert!(load("[database]\nurl = 'mysql://x'", &[]).is_err());
        assert!(load("", &[("DATABASE_URL", "postgres://x/y")]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_can_not_be_read_is_told_with_its_variable() {
        for (variable, value) in [
            ("PLINTO_LISTEN", "localhost:7400"),
            ("PLINTO_PUBLIC_URL", "id.example.com"),
            ("PLINTO_LOG_FORMAT", "xml"),
        ] {
            let error = load("", &[(variable, value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("`{variable}`")), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_no_text_ends_the_start_only_if_it_is_ours() {
        use std::os::unix::ffi::OsStringExt as _;
        let of = |name: &str| {
            let value = OsString::from_vec(vec![0xff]);
            readable([(OsString::from(name), value)].into_iter())
        };
        assert!(of("LESSOPEN").unwrap().is_empty());
        let error = of("PLINTO_LISTEN").unwrap_err().to_string();
        assert_eq!(error, "variable `PLINTO_LISTEN`: is not UTF-8");
    }

    #[test]
    fn settings_do_not_print_their_secrets() {
        let config = load(
            "master_key = 'hush'\n[database]\nurl = 'postgres://u:hush@h/d'",
            &[],
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("hush"));
    }
}
