//! `plinto doctor`: looks at the configuration, the control plane and what the edge gets from it.

use clap::ValueHint;
use plinto_contract::time::UnixMillis;
use plinto_jose::JwkSet;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    address::Address,
    client::{Answer, Client},
    clock,
    config::Connection,
    failure::Failure,
    online::online,
    output::{Output, table},
    policy::verify_bundle,
};

/// 30 s: clocks that differ by more refuse each other's fresh tokens.
const CLOCK_SKEW_S: i64 = 30;
/// 7 d: a bundle this close to its end should have been renewed.
const BUNDLE_SOON_S: i64 = 7 * 24 * 60 * 60;

/// Arguments of `plinto doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// An edge to look at too.
    #[arg(long, value_hint = ValueHint::Url)]
    edge: Option<Address>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    message: String,
    /// What to do about it; empty when all is well.
    remedy: &'static str,
}

#[derive(Debug, Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn ok(&mut self, name: &'static str, message: impl Into<String>) {
        self.add(name, Status::Ok, message, "");
    }

    fn warn(&mut self, name: &'static str, message: impl Into<String>, remedy: &'static str) {
        self.add(name, Status::Warning, message, remedy);
    }

    fn fail(&mut self, name: &'static str, message: impl Into<String>, remedy: &'static str) {
        self.add(name, Status::Failed, message, remedy);
    }

    fn add(
        &mut self,
        name: &'static str,
        status: Status,
        message: impl Into<String>,
        remedy: &'static str,
    ) {
        self.0.push(Check {
            name,
            status,
            message: message.into(),
            remedy,
        });
    }
}

impl Doctor {
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        let checks = online(self.run_checks(connection))?;
        let failed = checks
            .0
            .iter()
            .filter(|check| check.status == Status::Failed)
            .count();
        output.answer(&json!({ "checks": checks.0, "failed": failed }), || {
            describe(&checks)
        })?;
        if failed == 0 {
            Ok(())
        } else {
            Err(Failure::Check(format!(
                "{failed} of {} checks failed",
                checks.0.len()
            )))
        }
    }

    async fn run_checks(self, connection: &Connection) -> Result<Checks, Failure> {
        let mut checks = Checks::default();
        if let Some(client) = configuration(connection, &mut checks)
            && control_plane(&client, &mut checks).await
            && let Some(tenant) = api_key(&client, &mut checks).await
        {
            let slug = tenant
                .get("slug")
                .and_then(Value::as_str)
                .unwrap_or_default();
            token_keys(&client, slug, &mut checks).await;
            active_bundle(&client, slug, &mut checks).await;
        }
        if let Some(edge) = self.edge {
            edge_health(edge, &mut checks).await?;
        }
        Ok(checks)
    }
}

fn describe(checks: &Checks) -> String {
    let rows = checks.0.iter().map(|check| {
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "FAILED",
        };
        let message = if check.remedy.is_empty() {
            check.message.clone()
        } else {
            format!("{}; {}", check.message, check.remedy)
        };
        [status.to_owned(), check.name.to_owned(), message]
    });
    table(["", "", ""], rows)
}

fn configuration(connection: &Connection, checks: &mut Checks) -> Option<Client> {
    const NAME: &str = "configuration";
    let client = connection
        .resolve()
        .and_then(|(url, key)| Ok((url.clone(), Client::new(url, Some(key))?)));
    match client {
        Ok((url, client)) => {
            if url.is_private() {
                checks.ok(NAME, format!("control plane at {url}"));
            } else {
                checks.warn(
                    NAME,
                    format!("{url} is not encrypted"),
                    "use https: the API key travels with every request",
                );
            }
            Some(client)
        }
        Err(error) => {
            checks.fail(NAME, error.to_string(), "");
            None
        }
    }
}

async fn control_plane(client: &Client, checks: &mut Checks) -> bool {
    const NAME: &str = "control plane";
    match client.fetch("/readyz").await {
        Ok(answer) => {
            let version = client.get("/version").await.ok();
            let version = version
                .as_ref()
                .and_then(|version| version.get("version")?.as_str())
                .unwrap_or("unknown")
                .to_owned();
            checks.ok(NAME, format!("ready, version {version}"));
            if version != env!("CARGO_PKG_VERSION") {
                checks.warn(
                    "version",
                    format!("this command line is {}", env!("CARGO_PKG_VERSION")),
                    "use the one of the control plane",
                );
            }
            clock_skew(&answer, checks);
            true
        }
        Err(error) => {
            checks.fail(NAME, error.to_string(), "start it, or correct its address");
            false
        }
    }
}

fn clock_skew(answer: &Answer, checks: &mut Checks) {
    const NAME: &str = "clock";
    let theirs = answer
        .headers
        .get("date")
        .and_then(|date| date.to_str().ok())
        .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(theirs) = theirs else {
        checks.warn(
            NAME,
            "the control plane sends no date",
            "compare the clocks",
        );
        return;
    };
    let skew = theirs
        .timestamp()
        .as_second()
        .saturating_sub(clock::now().0);
    if skew.abs() <= CLOCK_SKEW_S {
        checks.ok(NAME, format!("{skew} s apart"));
    } else {
        let message = format!("{skew} s apart, more than {CLOCK_SKEW_S}");
        checks.fail(NAME, message, "set both by NTP");
    }
}

async fn api_key(client: &Client, checks: &mut Checks) -> Option<Value> {
    const NAME: &str = "API key";
    match client.get("/v1/tenant").await {
        Ok(tenant) => {
            let slug = tenant.get("slug").and_then(Value::as_str);
            checks.ok(NAME, format!("of tenant {}", slug.unwrap_or_default()));
            Some(tenant)
        }
        Err(error) => {
            checks.fail(NAME, error.to_string(), "run `plinto login` with a new key");
            None
        }
    }
}

async fn token_keys(client: &Client, slug: &str, checks: &mut Checks) {
    const NAME: &str = "token keys";
    const REMEDY: &str = "without them the edge refuses every token";
    match key_set(client, &format!("/t/{slug}/.well-known/jwks.json")).await {
        Ok(keys) if keys.keys.is_empty() => {
            let message = format!("none of {} published keys can be used", keys.skipped);
            checks.fail(NAME, message, REMEDY);
        }
        Ok(keys) if keys.skipped > 0 => {
            let (usable, skipped) = (keys.keys.len(), keys.skipped);
            checks.ok(
                NAME,
                format!("{usable} published, {skipped} more that can't be used"),
            );
        }
        Ok(keys) => checks.ok(NAME, format!("{} published", keys.keys.len())),
        Err(error) => checks.fail(NAME, error, REMEDY),
    }
}

async fn key_set(client: &Client, path: &str) -> Result<JwkSet, String> {
    let answer = client
        .fetch(path)
        .await
        .map_err(|error| error.to_string())?;
    JwkSet::parse(&answer.body).map_err(|error| error.to_string())
}

async fn active_bundle(client: &Client, slug: &str, checks: &mut Checks) {
    const NAME: &str = "active bundle";
    let packed = match client.fetch(&format!("/t/{slug}/edge/bundle")).await {
        Ok(answer) => answer.body,
        Err(Failure::Refused(problem)) if problem.status == 404 => {
            checks.warn(
                NAME,
                "no policy is active",
                "run `plinto policy publish --activate`",
            );
            return;
        }
        Err(error) => {
            checks.fail(NAME, error.to_string(), "see the control plane's log");
            return;
        }
    };
    let verified = match key_set(client, &format!("/t/{slug}/edge/keys")).await {
        Ok(keys) => verify_bundle(&packed, &keys),
        Err(error) => Err(error),
    };
    match verified {
        Ok(bundle) => {
            let activation = &bundle.activation;
            let left = activation.exp.0.saturating_sub(clock::now().0);
            let until: UnixMillis = activation.exp.to_millis();
            let message = format!("sequence {}, valid until {until}", activation.sequence);
            if left <= 0 {
                checks.fail(NAME, message, "it has expired: the edge refuses it");
            } else if left < BUNDLE_SOON_S {
                checks.warn(
                    NAME,
                    message,
                    "the control plane should renew it: see its log",
                );
            } else {
                checks.ok(NAME, message);
            }
        }
        Err(error) => checks.fail(NAME, error, "the edge refuses it and keeps an older one"),
    }
}

async fn edge_health(edge: Address, checks: &mut Checks) -> Result<(), Failure> {
    const NAME: &str = "edge";
    const REMEDY: &str = "see the Worker's log, its ISSUER and its TENANT";
    match Client::new(edge, None)?.response("/.plinto/health").await {
        Ok(answer) => {
            let health: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let message = health_in_words(&health);
            match (answer.status.is_success(), message) {
                (true, Some(message)) => checks.ok(NAME, message),
                (false, Some(message)) => checks.fail(NAME, message, REMEDY),
                (_, None) => {
                    let detail = health.get("detail").and_then(Value::as_str);
                    let detail = detail.unwrap_or("that is not an edge's health");
                    checks.fail(NAME, format!("{}: {detail}", answer.status), REMEDY);
                }
            }
        }
        Err(error) => checks.fail(NAME, error.to_string(), "start it, or correct its address"),
    }
    Ok(())
}

/// The state that an edge reports, with what it lacks; nothing where it is no such report.
fn health_in_words(health: &Value) -> Option<String> {
    let state = health.get("status")?.as_str()?.replace('_', " ");
    let of = |part: &str| health.get(part)?.get("state")?.as_str();
    let bundle_is_valid = health
        .get("bundle")
        .and_then(|bundle| bundle.get("is_valid")?.as_bool());
    let lacking: Vec<&str> = [
        (of("keys") == Some("missing"), "no token keys"),
        (bundle_is_valid.is_none(), "no policy bundle"),
        (
            bundle_is_valid == Some(false),
            "the policy bundle has expired",
        ),
        (of("revocations") == Some("unknown"), "no revocations"),
        (
            of("revocations") == Some("stale_flagged"),
            "old revocations",
        ),
    ]
    .into_iter()
    .filter_map(|(is_lacking, words)| is_lacking.then_some(words))
    .collect();
    if lacking.is_empty() {
        return Some(state);
    }
    Some(format!("{state}: {}", lacking.join(", ")))
}
