//! README's table of what Plinto has and lacks beside others, made from `docs/comparison.toml`.

use plinto_tests::process::root;
use serde::Deserialize;
use serde_json::Value;

use super::{in_step, openapi};

const BEGIN: &str = "<!-- comparison: written by `make generate` from docs/comparison.toml -->\n";
const END: &str = "<!-- /comparison -->\n";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    checked: String,
    row: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    what: String,
    plinto: Mark,
    /// Where the repository shows what Plinto has.
    #[serde(default)]
    shown_by: Vec<String>,
    /// What no path or operation of the API has as long as Plinto lacks it.
    #[serde(default)]
    absent: Vec<String>,
    keycloak: Other,
    zitadel: Other,
    auth0: Other,
    clerk: Other,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    has: Mark,
    source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Yes,
    Partly,
    No,
}

impl Mark {
    fn shown(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "",
        }
    }
}

impl Row {
    fn others(&self) -> [&Other; 4] {
        [&self.keycloak, &self.zitadel, &self.auth0, &self.clerk]
    }
}

fn comparison() -> Comparison {
    let text = std::fs::read_to_string(root().join("docs/comparison.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

#[test]
fn the_table_in_the_readme_is_in_step() {
    let comparison = comparison();
    let mut lines = vec![
        format!(
            "Others as their documentation had it on {}. An empty cell is a no; \
             [docs/comparison.toml](docs/comparison.toml) has the sources.\n",
            comparison.checked
        ),
        "| | Plinto | Keycloak | Zitadel | Auth0 | Clerk |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for row in &comparison.row {
        let mut cells = vec![row.what.as_str(), row.plinto.shown()];
        cells.extend(row.others().map(|other| other.has.shown()));
        lines.push(format!("| {} |", cells.join(" | ")));
    }
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where the table ends");
    let table = lines.join("\n");
    in_step(
        "README.md",
        &format!("{before}{BEGIN}{table}\n{END}{after}"),
    );
}

#[test]
fn what_plinto_claims_to_have_is_shown_in_the_repository() {
    for row in comparison().row {
        let has = row.plinto != Mark::No;
        assert_eq!(has, !row.shown_by.is_empty(), "{}", row.what);
        for path in &row.shown_by {
            assert!(root().join(path).exists(), "{}: {path} is gone", row.what);
        }
        for other in row.others() {
            let is_address = other.source.starts_with("https://");
            assert!(is_address, "{}: {}", row.what, other.source);
        }
    }
}

#[test]
fn what_the_readme_says_is_missing_is_missing() {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let mut names = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        names.push(path.to_lowercase());
        for operation in operations.as_object().unwrap().values() {
            names.extend(operation["operationId"].as_str().map(str::to_lowercase));
        }
    }
    for row in comparison().row {
        let lacks = row.plinto == Mark::No;
        assert_eq!(lacks, !row.absent.is_empty(), "{}", row.what);
        for word in &row.absent {
            let found = names.iter().find(|name| name.contains(word.as_str()));
            assert_eq!(found, None, "docs/comparison.toml lacks `{}`", row.what);
        }
    }
}
