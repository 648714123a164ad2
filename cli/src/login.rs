//! `plinto login`: stores an API key, readable by its owner only.

use std::io::{IsTerminal as _, Read as _};

use serde_json::json;
use url::Url;

use crate::{
    client::Client,
    config::{Connection, Secret, Stored},
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
        let url = match connection.given_url()? {
            Some(url) => url,
            None => match connection.load()? {
                Some(stored) => stored.url,
                None => {
                    return Err(Failure::Usage(
                        "name the control plane with --url".to_owned(),
                    ));
                }
            },
        };
        let api_key = read_key(&url)?;
        if !api_key.expose().starts_with(KEY_PREFIX) {
            return Err(Failure::Check(format!(
                "that is not an API key: one starts with `{KEY_PREFIX}`"
            )));
        }
        let mut tenant = String::new();
        if !self.offline {
            let client = Client::new(url.clone(), Some(api_key.clone()))?;
            let answer = online(client.get("/v1/tenant"))?;
            let slug = answer.get("slug").and_then(|slug| slug.as_str());
            slug.unwrap_or_default().clone_into(&mut tenant);
        }
        let stored = Stored { url, api_key };
        let path = connection.store(&stored)?;
        let value = json!({
            "url": stored.url,
            "tenant": tenant,
            "key": stored.api_key.hint(),
            "file": path,
        });
        output.answer(&value, || {
            let of = if tenant.is_empty() {
                String::new()
            } else {
                format!(" of tenant {tenant}")
            };
            format!(
                "Logged in to {}{of} with the key {}\nStored in {}",
                stored.url,
                stored.api_key.hint(),
                path.display()
            )
        });
        Ok(())
    }
}

fn read_key(url: &Url) -> Result<Secret, Failure> {
    let text = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("API key for {url}: ")).map_err(Failure::local)?
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
