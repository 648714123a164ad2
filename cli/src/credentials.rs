//! The stored API keys: one for each address, in a file that only its owner can read.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{address::Address, failure::Failure};

/// Name of the stored file.
const FILE: &str = "credentials.toml";
/// Held while the file is changed, so that logins at the same time don't undo each other.
const LOCK: &str = "credentials.lock";

/// A secret that does not print itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, as the control plane lists keys.
    pub(crate) fn hint(&self) -> String {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        format!("…{}", self.0.get(start..).unwrap_or_default())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// What `plinto login` stores.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// Each key under the address that it is for, and is sent to.
    #[serde(default)]
    pub(crate) api_keys: BTreeMap<Address, Secret>,
}

impl Credentials {
    /// The only address and its key; nothing where none is stored.
    /// Errors: there are several, of which one must be chosen.
    pub(crate) fn only(&self) -> Result<Option<(Address, Secret)>, Failure> {
        if self.api_keys.len() > 1 {
            let addresses = self.addresses();
            return Err(Failure::Usage(format!(
                "there are keys for several addresses; choose one with --url or PLINTO_URL: \
                 {addresses}"
            )));
        }
        let only = self.api_keys.first_key_value();
        Ok(only.map(|(address, key)| (address.clone(), key.clone())))
    }

    /// The addresses, for people.
    pub(crate) fn addresses(&self) -> String {
        let addresses: Vec<String> = self.api_keys.keys().map(Address::to_string).collect();
        addresses.join(", ")
    }
}

/// The folder that the file is in.
#[derive(Debug, Clone)]
pub(crate) struct Store(PathBuf);

impl Store {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// Reads the file; where there is none, nothing is stored.
    /// Errors: it is unreadable, or others can read it.
    pub(crate) fn load(&self) -> Result<Credentials, Failure> {
        let path = self.file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Credentials::default());
            }
            Err(error) => return Err(Failure::file(&path, error)),
        };
        check_mode(&path)?;
        // SECURITY: a TOML error quotes the line, which may be the key.
        toml::from_str(&text).map_err(|_| {
            let why = "does not hold keys by address; remove it and run `plinto login` again";
            Failure::file(&path, anyhow::anyhow!(why))
        })
    }

    /// Changes what is stored, as one step: read, changed and written while nobody else does.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Credentials) -> T,
    ) -> Result<T, Failure> {
        private_folder(&self.0).map_err(|error| Failure::file(&self.0, error))?;
        let path = self.0.join(LOCK);
        let lock = private_options()
            .create(true)
            .truncate(false)
            .open(&path)
            .and_then(|file| file.lock().map(|()| file));
        // let go when it is closed, however this ends
        let _held = lock.map_err(|error| Failure::file(&path, error))?;
        let mut credentials = self.load()?;
        let made = change(&mut credentials);
        self.write(&credentials)?;
        Ok(made)
    }

    /// Written beside and renamed: no moment with half a file or with the wrong mode.
    fn write(&self, credentials: &Credentials) -> Result<(), Failure> {
        let path = self.file();
        let text = toml::to_string(credentials).map_err(Failure::local)?;
        let fresh = path.with_extension("toml.new");
        write_private(&fresh, &text).map_err(|error| Failure::file(&fresh, error))?;
        fs::rename(&fresh, &path).map_err(|error| Failure::file(&path, error))
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file: File = private_options().create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Refuses a file that others can read.
#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(|error| Failure::file(path, error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o700 == mode {
        Ok(())
    } else {
        Err(Failure::file(
            path,
            anyhow::anyhow!("others can read it (mode {mode:o}); run `chmod 600` on it"),
        ))
    }
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), Failure> {
    Ok(())
}
