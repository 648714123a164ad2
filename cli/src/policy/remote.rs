//! The commands that ask the control plane.

use serde_json::{Value, json};

use super::{
    folder::{PolicyFolder, after_remarks},
    offline::{counted, load},
    testing::{run_tests, verdict},
};
use crate::{
    client::{Client, text},
    config::Connection,
    failure::Failure,
    online::online,
    output::{Output, table},
};

/// Where bundles are published and listed.
const BUNDLES: &str = "/v1/policies/bundles";
/// Characters of a whole revision.
const REVISION_CHARS: usize = 64;
/// Fewest characters that may stand for a revision.
const PREFIX_CHARS: usize = 7;

/// Members of an activation, in the order in which people ask for them.
const SHOWN: [&str; 8] = [
    "revision",
    "sequence",
    "reason",
    "created_at",
    "activated_by",
    "expires_at",
    "previous_revision",
    "signed_by_kid",
];

/// Checks and tests a policy, then sends it; `--dry-run` stops before that.
pub(crate) fn publish(
    folder: &PolicyFolder,
    activate: bool,
    dry_run: bool,
    connection: &Connection,
    output: Output,
) -> Result<(), Failure> {
    let checked = load(folder)?;
    let report = run_tests(&checked.folder)?;
    verdict(&report, "; `plinto policy test` shows where")?;
    let summary = format!(
        "{} ({} bytes, {}, {} passed)",
        checked.revision,
        checked.packed.len(),
        counted(checked.folder.source.files.len(), "file", "files"),
        counted(report.passed(), "test", "tests"),
    );
    if dry_run {
        let mut value = checked.to_json();
        if let Some(members) = value.as_object_mut() {
            members.insert("dry_run".to_owned(), json!(true));
        }
        return output.answer(&value, || {
            let text = format!("Would publish revision {summary}");
            after_remarks(&checked.remarks(), &text)
        });
    }
    let client = Client::connect(connection)?;
    let remarks = checked.remarks();
    let revision = checked.revision.clone();
    let (published, activation) = online(async {
        let published = client.upload(BUNDLES, checked.packed, output).await?;
        if text(&published, "revision") != revision {
            // The control plane computes the revision itself; another one means another content.
            let text = format!("the control plane stored another revision than {revision}");
            return Err(Failure::Unreachable(text));
        }
        let activation = if activate {
            Some(client.post(&activation_path(&revision)).await?)
        } else {
            None
        };
        Ok((published, activation))
    })?;
    let value = json!({ "bundle": published, "activation": activation });
    output.answer(&value, || {
        let next = match &activation {
            Some(activation) => activated(activation),
            None => format!("Next: plinto policy activate {revision}"),
        };
        after_remarks(&remarks, &format!("Published revision {summary}\n{next}"))
    })
}

fn activation_path(revision: &str) -> String {
    format!("{BUNDLES}/{revision}/activate")
}

fn activated(activation: &Value) -> String {
    format!(
        "Activated revision {} as sequence {}",
        text(activation, "revision"),
        text(activation, "sequence")
    )
}

/// Activates a revision.
pub(crate) fn activate(
    revision: &str,
    connection: &Connection,
    output: Output,
) -> Result<(), Failure> {
    let is_hex = revision
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex || !(PREFIX_CHARS..=REVISION_CHARS).contains(&revision.len()) {
        let text = format!(
            "a revision is {REVISION_CHARS} hexadecimal characters, or at least {PREFIX_CHARS} \
             of them"
        );
        return Err(Failure::Usage(text));
    }
    let client = Client::connect(connection)?;
    let activation = online(async {
        let revision = if revision.len() == REVISION_CHARS {
            revision.to_owned()
        } else {
            complete(&client, revision).await?
        };
        client.post(&activation_path(&revision)).await
    })?;
    output.answer(&activation, || activated(&activation))
}

/// The one published revision that begins with `prefix`.
async fn complete(client: &Client, prefix: &str) -> Result<String, Failure> {
    let bundles = client.list(BUNDLES).await?;
    let revisions: Vec<String> = bundles
        .iter()
        .map(|bundle| text(bundle, "revision"))
        .filter(|revision| revision.starts_with(prefix))
        .collect();
    match revisions.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Failure::Check(format!(
            "no published revision begins with {prefix}"
        ))),
        _ => Err(Failure::Check(format!(
            "several revisions begin with {prefix}"
        ))),
    }
}

/// Goes one step back.
pub(crate) fn rollback(connection: &Connection, output: Output) -> Result<(), Failure> {
    let client = Client::connect(connection)?;
    let activation = online(client.post("/v1/policies/rollback"))?;
    output.answer(&activation, || {
        format!("Rolled back. {}", activated(&activation))
    })
}

/// Shows what is active.
pub(crate) fn status(connection: &Connection, output: Output) -> Result<(), Failure> {
    let client = Client::connect(connection)?;
    let status = online(client.get("/v1/policies/status"))?;
    output.answer(&status, || {
        let active = match status.get("active") {
            None | Some(Value::Null) => {
                return "No policy is active: the edge refuses everything.".to_owned();
            }
            Some(active) => active,
        };
        let rows = SHOWN.iter().filter_map(|name| {
            let value = text(active, name);
            (!value.is_empty()).then(|| [name.replace('_', " "), value])
        });
        let outdated = text(&status, "outdated");
        let pending = (!outdated.is_empty()).then(|| ["is being rebuilt".to_owned(), outdated]);
        table(["", ""], rows.chain(pending))
    })
}

/// Lists revisions, newest first; a star marks the one in force.
pub(crate) fn list(connection: &Connection, output: Output) -> Result<(), Failure> {
    let client = Client::connect(connection)?;
    let bundles = online(client.list(BUNDLES))?;
    output.answer(&json!({ "data": bundles }), || {
        let rows = bundles.iter().map(|bundle| {
            let is_active = bundle.get("is_active") == Some(&Value::Bool(true));
            [
                if is_active { "*" } else { "" }.to_owned(),
                text(bundle, "revision"),
                text(bundle, "created_at"),
                text(bundle, "tests_passed"),
                text(bundle, "size_bytes"),
            ]
        });
        table(["", "REVISION", "PUBLISHED", "TESTS", "BYTES"], rows)
    })
}
