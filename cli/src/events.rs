//! The commands on events: what has happened in the tenant, and what happens next.

use std::time::Duration;

use serde_json::Value;

use crate::{
    client::{Client, text},
    config::Connection,
    failure::Failure,
    online::online,
    output::{Output, table, tell},
};

const EVENTS: &str = "/v1/events";
const CURSORS: &str = "/v1/event_cursors";
/// 500: events of one answer.
const PART: &str = "500";
/// 25 s: how long one request waits. Proxies close connections that are silent for longer.
const WAIT: &str = "25";
/// 1 s, doubled up to 30 s: before a control plane that did not answer is asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Events {
    /// Print events as they happen, until Ctrl-C. With `--output json`, one a line.
    Tail(Tail),
    /// List events in the order in which they happened.
    List(List),
    /// Show one event.
    Get {
        /// Its id, `evt_…`.
        id: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tail {
    /// Only these types, with commas between them; `session.*` stands for all that begin so.
    #[arg(long = "type", value_name = "TYPES")]
    types: Option<String>,
    /// Begin behind this position instead of now; `beginning` for the whole log.
    #[arg(long, conflicts_with = "cursor")]
    after: Option<String>,
    /// Begin where the control plane keeps a place under this name, and keep it there as events are
    /// printed. Without one, at the beginning of the log.
    #[arg(long, value_name = "NAME")]
    cursor: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only these types, with commas between them; `session.*` stands for all that begin so.
    #[arg(long = "type", value_name = "TYPES")]
    types: Option<String>,
    /// Begin behind this position: that of an earlier answer, or `latest`.
    #[arg(long)]
    after: Option<String>,
    /// Events to list, 1 to 1,000.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,
}

impl Events {
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        let client = Client::connect(connection)?;
        match self {
            Self::Tail(tail) => online(tail.run(&client, output)),
            Self::List(list) => list.run(&client, output),
            Self::Get { id } => {
                let event = online(client.get(&format!("{EVENTS}/{}", segment(&id)?)))?;
                output.answer(&event, || {
                    serde_json::to_string_pretty(&event).unwrap_or_default()
                })
            }
        }
    }
}

impl List {
    fn run(self, client: &Client, output: Output) -> Result<(), Failure> {
        let mut query = vec![("limit", self.limit.to_string())];
        query.extend(self.types.map(|types| ("type", types)));
        query.extend(self.after.map(|after| ("after", after)));
        let part = online(client.get_with(EVENTS, &query))?;
        output.answer(&part, || {
            let shown = listed(events(&part));
            if part.get("has_more") == Some(&Value::Bool(true)) {
                format!(
                    "{shown}\nMore: plinto events list --after {}",
                    text(&part, "position")
                )
            } else {
                shown
            }
        })
    }
}

impl Tail {
    async fn run(self, client: &Client, output: Output) -> Result<(), Failure> {
        let cursor = match &self.cursor {
            Some(name) => Some(format!("{CURSORS}/{}", segment(name)?)),
            None => None,
        };
        let mut after = self.first(client, cursor.as_deref()).await?;
        let mut pause = FIRST_PAUSE;
        loop {
            let part = match self.next(client, after.as_deref()).await {
                Ok(part) => part,
                Err(failure) if failure.is_passing() => {
                    tell(&format!("{failure}; asking again in {} s", pause.as_secs()));
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause.saturating_mul(2));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            pause = FIRST_PAUSE;
            for event in events(&part) {
                let line = || {
                    format!(
                        "{}  {}  {}  by {}",
                        text(event, "created_at"),
                        text(event, "type"),
                        text(event, "target"),
                        actor(event)
                    )
                };
                if !output.line(event, line)? {
                    return Ok(());
                }
            }
            let position = text(&part, "position");
            if let Some(path) = cursor.as_deref().filter(|_| !events(&part).is_empty()) {
                let body = serde_json::json!({ "position": position });
                match client.put(path, &body).await {
                    // The next time keeps a later place.
                    Err(failure) if failure.is_passing() => tell(&failure.to_string()),
                    kept => drop(kept?),
                }
            }
            after = Some(position);
        }
    }

    /// The position to begin behind; `None`: the beginning of the log.
    async fn first(
        &self,
        client: &Client,
        cursor: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        if let Some(path) = cursor {
            return match client.get(path).await {
                Ok(kept) => Ok(Some(text(&kept, "position"))),
                Err(Failure::Refused(problem)) if problem.status == 404 => Ok(None),
                Err(failure) => Err(failure),
            };
        }
        match self.after.as_deref() {
            Some("beginning") => Ok(None),
            Some(position) => Ok(Some(position.to_owned())),
            None => Ok(Some("latest".to_owned())),
        }
    }

    async fn next(&self, client: &Client, after: Option<&str>) -> Result<Value, Failure> {
        let mut query = vec![("limit", PART.to_owned()), ("wait", WAIT.to_owned())];
        query.extend(self.types.clone().map(|types| ("type", types)));
        query.extend(after.map(|after| ("after", after.to_owned())));
        client.get_with(EVENTS, &query).await
    }
}

fn events(part: &Value) -> &[Value] {
    let data = part.get("data").and_then(Value::as_array);
    data.map_or(&[], Vec::as_slice)
}

/// Events as a table.
pub(crate) fn listed(events: &[Value]) -> String {
    let rows = events.iter().map(|event| {
        [
            text(event, "seq"),
            text(event, "created_at"),
            text(event, "type"),
            text(event, "result"),
            actor(event),
            text(event, "target"),
        ]
    });
    table(["SEQ", "WHEN", "TYPE", "RESULT", "BY", "TARGET"], rows)
}

/// Who made it happen: an id, or what kind of actor has none.
fn actor(event: &Value) -> String {
    let actor = event.get("actor").unwrap_or(&Value::Null);
    let id = text(actor, "id");
    if id.is_empty() {
        text(actor, "type")
    } else {
        id
    }
}

/// A name as one segment of a path.
/// Errors: it could not stand there.
fn segment(name: &str) -> Result<&str, Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // `.` and `..` lead elsewhere.
    if !name.is_empty() && name.bytes().all(is_plain) && !name.starts_with('.') {
        return Ok(name);
    }
    let text =
        format!("`{name}` is no name: letters, digits, `-`, `_` and, behind them, `.` make one");
    Err(Failure::Usage(text))
}
