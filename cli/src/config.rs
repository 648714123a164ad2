//! Where the control plane is and what opens it: options, environment, the stored file.

use std::{
    fmt, fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::failure::Failure;

/// Name of the stored file.
const FILE: &str = "credentials.toml";

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

    /// The prefix and the last four characters, as the control plane lists keys.
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    /// The control plane's address.
    pub(crate) url: Url,
    /// The API key.
    pub(crate) api_key: Secret,
}

/// Where to connect, and with what.
#[derive(Debug)]
pub(crate) struct Connection {
    url: Option<String>,
    folder: Option<PathBuf>,
}

impl Connection {
    pub(crate) fn new(url: Option<String>, folder: Option<PathBuf>) -> Self {
        Self {
            url: url.filter(|url| !url.is_empty()),
            folder: folder.or_else(default_folder),
        }
    }

    /// The address given on the command line or in `PLINTO_URL`. It is read only when it is
    /// needed: commands on files work whatever the environment says.
    pub(crate) fn given_url(&self) -> Result<Option<Url>, Failure> {
        self.url.as_deref().map(address).transpose()
    }

    /// Address and key. The environment goes before the stored file.
    /// Errors: neither has them; the file is unreadable or open to others.
    pub(crate) fn resolve(&self) -> Result<(Url, Secret), Failure> {
        let key = variable("PLINTO_API_KEY").map(|text| Secret::new(&text));
        let given = self.given_url()?;
        if let (Some(url), Some(key)) = (&given, &key) {
            return Ok((url.clone(), key.clone()));
        }
        let stored = self.load()?;
        let url = given.or_else(|| stored.as_ref().map(|stored| stored.url.clone()));
        let key = key.or_else(|| stored.map(|stored| stored.api_key));
        match (url, key) {
            (Some(url), Some(key)) => Ok((url, key)),
            _ => Err(Failure::Local(anyhow::anyhow!(
                "not logged in: run `plinto login`, or set PLINTO_URL and PLINTO_API_KEY"
            ))),
        }
    }

    pub(crate) fn file(&self) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(FILE))
    }

    /// Reads the stored file, if there is one.
    pub(crate) fn load(&self) -> Result<Option<Stored>, Failure> {
        let Some(path) = self.file() else {
            return Ok(None);
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(&path, error)),
        };
        check_mode(&path)?;
        // SECURITY: a TOML error quotes the line, which may be the key.
        toml::from_str(&text).map(Some).map_err(|_| {
            Failure::file(
                &path,
                anyhow::anyhow!("is not readable; run `plinto login` again"),
            )
        })
    }

    /// Writes the stored file so that only its owner can read it.
    pub(crate) fn store(&self, stored: &Stored) -> Result<PathBuf, Failure> {
        let path = self.file().ok_or_else(|| {
            Failure::Local(anyhow::anyhow!(
                "there is no home folder; set PLINTO_CONFIG_DIR"
            ))
        })?;
        let text = toml::to_string(stored).map_err(Failure::local)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
        // Written beside and renamed: no moment with half a file or with the wrong mode.
        let fresh = path.with_extension("toml.new");
        write_private(&fresh, &text).map_err(|error| Failure::file(&fresh, error))?;
        fs::rename(&fresh, &path).map_err(|error| Failure::file(&path, error))?;
        Ok(path)
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
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

/// `$XDG_CONFIG_HOME/plinto`, or `~/.config/plinto`. Source: XDG Base Directory Specification.
fn default_folder() -> Option<PathBuf> {
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("plinto"))
}

/// Reads an address of a server.
pub(crate) fn address(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|error| Failure::Usage(format!("`{text}` is not an address: {error}")))
}

/// The format of answers that the environment asks for.
pub(crate) fn output() -> Option<String> {
    variable("PLINTO_OUTPUT")
}

/// Whether colours are unwanted. Source: no-color.org.
pub(crate) fn no_colour() -> bool {
    variable("NO_COLOR").is_some()
}

/// A variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "this file is where the command line reads its settings"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
