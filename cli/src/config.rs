//! Where the control plane is and what opens it: options, environment, the stored keys.

use std::path::{Path, PathBuf};

use crate::{
    address::Address,
    credentials::{Credentials, Secret, Store},
    failure::Failure,
};

/// The address that commands go to unless `--url` names another.
const URL: &str = "PLINTO_URL";
/// The key for the address in `PLINTO_URL`, and for no other.
const API_KEY: &str = "PLINTO_API_KEY";

/// Where to connect, and with what.
#[derive(Debug)]
pub(crate) struct Connection {
    url: Option<String>,
    allow_http: bool,
    folder: Option<PathBuf>,
}

impl Connection {
    /// `url`: the one on the command line; `folder`: of the stored keys.
    pub(crate) fn new(url: Option<String>, allow_http: bool, folder: Option<PathBuf>) -> Self {
        Self {
            url: url.filter(|url| !url.is_empty()),
            allow_http,
            folder: folder.or_else(default_folder),
        }
    }

    /// The address given on the command line or else in `PLINTO_URL`. It is read only when it is
    /// needed: commands on files work whatever the environment says.
    pub(crate) fn given(&self) -> Result<Option<Address>, Failure> {
        match &self.url {
            Some(url) => url.parse().map(Some),
            None => Self::of_environment(),
        }
    }

    fn of_environment() -> Result<Option<Address>, Failure> {
        variable(URL).map(|url| url.parse()).transpose()
    }

    /// An address and the key that is for it. A key is bound to its address: the environment's to
    /// the one in `PLINTO_URL`, a stored one to the one it was stored for.
    /// Errors: there is no such pair; the way there can be listened to; the stored keys can't be
    /// read.
    pub(crate) fn resolve(&self) -> Result<(Address, Secret), Failure> {
        let (address, key) = self.pair()?;
        self.require_privacy(&address)?;
        Ok((address, key))
    }

    fn pair(&self) -> Result<(Address, Secret), Failure> {
        let given = self.given()?;
        let mut other = None;
        if let Some(key) = variable(API_KEY) {
            let bound = Self::of_environment()?.ok_or_else(|| {
                let text = format!("{API_KEY} is set, but not {URL}, the address that it is for");
                Failure::Usage(text)
            })?;
            if given.as_ref() == Some(&bound) {
                return Ok((bound, Secret::new(&key)));
            }
            other = Some(bound);
        }
        let stored = match &self.folder {
            Some(folder) => Store::new(folder.clone()).load()?,
            None => Credentials::default(),
        };
        match given {
            Some(address) => match stored.api_keys.get(&address) {
                Some(key) => Ok((address, key.clone())),
                None => Err(no_key(&address, other.as_ref(), &stored)),
            },
            None => stored.only()?.ok_or_else(|| {
                Failure::Local(anyhow::anyhow!(
                    "not logged in: run `plinto login --url <address>`, or set {URL} and {API_KEY}"
                ))
            }),
        }
    }

    /// Errors: whoever is on the way to `address` could read a key, or change an answer.
    pub(crate) fn require_privacy(&self, address: &Address) -> Result<(), Failure> {
        if self.allow_http || address.is_private() {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "{address} is not encrypted: whoever is on the way there can read and change what is \
             sent; use https, or add --allow-http if nobody else is"
        )))
    }

    /// Where keys are stored.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        self.folder.clone().map(Store::new).ok_or_else(|| {
            Failure::Local(anyhow::anyhow!(
                "there is no home folder; set PLINTO_CONFIG_DIR"
            ))
        })
    }
}

/// `other`: the address that the environment's key is for.
fn no_key(address: &Address, other: Option<&Address>, stored: &Credentials) -> Failure {
    let mut text = format!(
        "no key for this address: {address}; run `plinto login --url {address}`, or set {URL} and \
         {API_KEY}"
    );
    if let Some(other) = other {
        text = format!("{text}; {API_KEY} is for {other}");
    }
    if !stored.api_keys.is_empty() {
        text = format!("{text}; keys are stored for {}", stored.addresses());
    }
    Failure::Local(anyhow::anyhow!(text))
}

/// `$XDG_CONFIG_HOME/plinto`, or `~/.config/plinto`. Source: XDG Base Directory Specification.
fn default_folder() -> Option<PathBuf> {
    let base = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("plinto"))
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
