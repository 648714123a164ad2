//! `plinto login` and `plinto logout`: an API key is kept for its address, and forgotten.

use std::io::{IsTerminal as _, Read as _};

use serde_json::json;

use crate::{
    address::Address,
    client::Client,
    config::Connection,
    credentials::{Secret, Store},
    failure::Failure,
    online::online,
    output::Output,
};

/// What a tenant's API key starts with.
const KEY_PREFIX: &str = "plinto_sk_";
/// 1 KiB: more than any key has.
const KEY_BYTES: u64 = 1024;

/// Arguments of `plinto login`.
#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// Store the key without asking the control plane whether it knows it.
    #[arg(long)]
    offline: bool,
}

impl Login {
    /// The key comes from stdin or a prompt, never from an argument: those are public.
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        let store = connection.store()?;
        let address = match connection.given()? {
            Some(address) => address,
            None => only_address(&store, "name the control plane with --url")?,
        };
        connection.require_privacy(&address)?;
        let key = read_key(&address)?;
        if !key.expose().starts_with(KEY_PREFIX) {
            return Err(Failure::Check(format!(
                "that is not an API key: one starts with `{KEY_PREFIX}`"
            )));
        }
        let mut tenant = String::new();
        if !self.offline {
            let client = Client::new(address.clone(), Some(key.clone()))?;
            let answer = online(client.get("/v1/tenant"))?;
            let slug = answer.get("slug").and_then(|slug| slug.as_str());
            slug.unwrap_or_default().clone_into(&mut tenant);
        }
        let hint = key.hint();
        let count = store.change(|credentials| {
            credentials.api_keys.insert(address.clone(), key);
            credentials.api_keys.len()
        })?;
        let path = store.file();
        let value = json!({ "url": address, "tenant": tenant, "key": hint, "file": path });
        output.answer(&value, || {
            let of = if tenant.is_empty() {
                String::new()
            } else {
                format!(" of tenant {tenant}")
            };
            let choose = if count > 1 {
                "\nThere are keys for several addresses: choose one with --url or PLINTO_URL"
            } else {
                ""
            };
            format!(
                "Logged in to {address}{of} with the key {hint}\nStored in {}{choose}",
                path.display()
            )
        })
    }
}

/// Arguments of `plinto logout`.
#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    /// Forget the keys of all addresses.
    #[arg(long)]
    all: bool,
}

impl Logout {
    /// Forgets the key of the address given, or the only one.
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        let store = connection.store()?;
        let wanted = if self.all {
            None
        } else {
            Some(match connection.given()? {
                Some(address) => address,
                None => only_address(&store, "not logged in")?,
            })
        };
        let stored = store.load()?.api_keys;
        if let Some(address) = wanted
            .as_ref()
            .filter(|address| !stored.contains_key(address))
        {
            let text = format!("no key for this address: {address}");
            return Err(Failure::Local(anyhow::anyhow!(text)));
        }
        let forgotten = store.change(|credentials| match &wanted {
            None => std::mem::take(&mut credentials.api_keys),
            Some(address) => credentials
                .api_keys
                .remove_entry(address)
                .into_iter()
                .collect(),
        })?;
        let value = json!({ "forgotten": forgotten.keys().collect::<Vec<_>>() });
        output.answer(&value, || {
            if forgotten.is_empty() {
                return "No key was stored.".to_owned();
            }
            let lines: Vec<String> = forgotten
                .iter()
                .map(|(address, key)| format!("Forgot the key {} for {address}", key.hint()))
                .collect();
            let stays = "A key stays good until it is revoked: POST /v1/api_keys/{id}/revoke";
            format!("{}\n{stays}", lines.join("\n"))
        })
    }
}

/// The address of the only key there is. `otherwise`: what to say where there is none.
fn only_address(store: &Store, otherwise: &str) -> Result<Address, Failure> {
    let only = store.load()?.only()?;
    only.map(|(address, _)| address)
        .ok_or_else(|| Failure::Usage(otherwise.to_owned()))
}

fn read_key(address: &Address) -> Result<Secret, Failure> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("API key for {address}: ")).map_err(Failure::local)?
    } else {
        let mut text = String::new();
        std::io::stdin()
            .take(KEY_BYTES)
            .read_to_string(&mut text)
            .map_err(Failure::local)?;
        text
    };
    Ok(Secret::new(&text))
}
