//! Looks for events.

use serde_json::{Value, json};

use crate::{client::Client, events::listed, failure::Failure, output::Output};

const EVENTS: &str = "/v1/audit/events";
/// 100: events of one answer.
const PAGE_MAX: usize = 100;

/// What to look for; each that is given has to hold.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Who made it happen: a user's or API key's id, `anonymous` or `system`.
    #[arg(long)]
    actor: Option<String>,
    /// Only these types, with commas between them; `session.*` stands for all that begin so.
    #[arg(long = "type", value_name = "TYPES")]
    types: Option<String>,
    /// The id of what it happened to.
    #[arg(long)]
    target: Option<String>,
    /// Only what concerns this organization.
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// Only what was asked for from this address.
    #[arg(long)]
    ip: Option<String>,
    /// `success`, `failure` or `denied`.
    #[arg(long)]
    result: Option<String>,
    /// Not before this moment, such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "MOMENT")]
    from: Option<String>,
    /// Not after this moment.
    #[arg(long, value_name = "MOMENT")]
    to: Option<String>,
    /// A text in ids, types, addresses, programs or data.
    #[arg(short, long, value_name = "TEXT")]
    q: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl List {
    pub(super) async fn run(self, client: &Client, output: Output) -> Result<(), Failure> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let query = self.query();
        let (mut events, mut cursor) = (Vec::new(), None);
        while events.len() < limit {
            let left = limit.saturating_sub(events.len()).min(PAGE_MAX);
            let mut query = query.clone();
            query.push(("limit", left.to_string()));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page = client.get_with(EVENTS, &query).await?;
            let data = page.get("data").and_then(Value::as_array);
            events.extend(data.into_iter().flatten().cloned());
            cursor = page
                .get("next_cursor")
                .and_then(Value::as_str)
                .map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        output.answer(
            &json!({ "data": events, "has_more": cursor.is_some() }),
            || listed(&events),
        )
    }

    fn query(self) -> Vec<(&'static str, String)> {
        let values = [
            ("actor", self.actor),
            ("type", self.types),
            ("target", self.target),
            ("organization_id", self.organization),
            ("ip", self.ip),
            ("result", self.result),
            ("from", self.from),
            ("to", self.to),
            ("q", self.q),
        ];
        values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}
