//! Rules inside the control plane: handlers, services, stores.

use std::collections::{BTreeMap, BTreeSet};

use super::arrows::features;
use super::house::House;
use super::source::{Function, Source};

/// Verbs that run without a person or a key behind them, and why that is right.
const WITHOUT_ACTOR: &[(&str, &str)] = &[
    ("api_keys::authenticate", "finds out who the actor is"),
    ("sessions::authenticate", "finds out who the actor is"),
    (
        "sessions::authenticate_for_management",
        "finds out who the actor is",
    ),
    (
        "sessions::issue",
        "called by verbs that have checked their actor",
    ),
    ("events::next", "goes on waiting for the actor who began to"),
    (
        "sessions::run_due_work",
        "the server's own work, over all tenants",
    ),
    (
        "sign_in::run_due_work",
        "the server's own work, over all tenants",
    ),
    (
        "signing_keys::active_kid",
        "a public name; called by verbs that have checked their actor",
    ),
    ("policies::by_digest", "published to everybody"),
    ("policies::current", "published to everybody"),
    ("revocations::feed", "published to everybody"),
    (
        "signing_keys::check_master_key",
        "at the start, before anybody asks; says yes or no",
    ),
    ("signing_keys::document", "published to everybody"),
    ("signing_keys::jwks", "published to everybody"),
    (
        "signing_keys::prepare",
        "generates keys before there is a tenant; touches no row",
    ),
    (
        "signing_keys::run_due_work",
        "the server's own work, over all tenants",
    ),
    (
        "signing_keys::sign",
        "called by verbs that have checked their actor",
    ),
    (
        "tenants::allows_origin",
        "answers a browser, before there is an actor",
    ),
    ("tenants::by_id", "the tenant is the actor's own"),
    (
        "tenants::by_slug",
        "finds the tenant that a path names, before there is an actor",
    ),
    (
        "tenants::tell",
        "forgets what this process keeps; called by verbs that have checked their actor",
    ),
    ("tenants::exist", "asked at start, before there is an actor"),
    ("tenants::published", "published to everybody"),
    (
        "tenants::only",
        "fills in the page to try the API, open to everybody",
    ),
    ("audit::signer", "for the sealer, which nobody is behind"),
    (
        "audit::existing_key",
        "for verbs that have checked their actor, and for the sealer",
    ),
    ("tenants::all", "for whoever can open the database"),
];

/// Store functions whose row is not found by tenant, and why that is right.
const WITHOUT_TENANT: &[(&str, &str)] = &[
    ("api_keys::find_by_hash", "the key says which tenant it is"),
    (
        "policies::expiring",
        "the server's own work, over all tenants",
    ),
    (
        "roles::bundles_due",
        "the server's own work, over all tenants",
    ),
    (
        "sessions::purge_some",
        "the server's own work, over all tenants",
    ),
    (
        "sign_in::purge_some",
        "the server's own work, over all tenants",
    ),
    (
        "signing_keys::any_sealed",
        "whether the master key is this database's",
    ),
    (
        "signing_keys::bundles_due",
        "the server's own work, over all tenants",
    ),
    (
        "signing_keys::due",
        "the server's own work, over all tenants",
    ),
    (
        "tenants::exist",
        "asked at start, whether there is any tenant",
    ),
    ("tenants::by_slug", "the slug says which tenant it is"),
    ("tenants::insert", "makes the tenant"),
    ("tenants::only", "asks whether there is one only"),
    ("audit::due", "the sealer looks after all tenants"),
    (
        "audit::count",
        "whoever can open the database looks at all of it",
    ),
    ("tenants::all", "all of them"),
];

/// Verbs that commit without an event, and why that is right.
const WITHOUT_EVENT: &[(&str, &str)] = &[
    (
        "api_keys::note_use",
        "notes when a key was last used, at most once a minute",
    ),
    (
        "policies::put_off",
        "notes when to try again; nothing was built",
    ),
    (
        "policies::up_to_date",
        "notes that nothing is due; what was built had its own event",
    ),
    (
        "sign_in::count",
        "counts an attempt; its outcome has an event",
    ),
    (
        "sign_in::unjudged",
        "takes a count back; nothing was decided",
    ),
    ("events::put_cursor", "a reader of the log keeps its place"),
    (
        "events::delete_cursor",
        "a reader of the log forgets its place",
    ),
    (
        "sessions::run_due_work",
        "drops sessions that ended long ago",
    ),
    (
        "sign_in::run_due_work",
        "forgets counts of failures that are long over",
    ),
    ("audit::step", "proves events; it is none itself"),
];

fn is_database(source: &Source) -> bool {
    source.path.starts_with("control-plane/platform/src/db/")
}

fn is_handler(source: &Source) -> bool {
    ["rest", "graphql", "pages", "socket", "scim"]
        .iter()
        .any(|name| source.is(name))
        || source.path.starts_with("control-plane/platform/src/http/")
        || source.path == "control-plane/src/router.rs"
}

fn excepted(list: &[(&str, &str)], source: &Source, function: &str) -> bool {
    let name = format!("{}::{function}", source.feature().unwrap_or(source.name()));
    list.iter().any(|(known, _)| *known == name)
}

pub(super) fn n4_sql(house: &House) -> Vec<String> {
    let statement = regex::Regex::new(
        r"(?is)^\s*(select\s.+|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|create\s+(unique\s+)?(table|index)\s|alter\s+table\s|drop\s+table\s|with\s+\w+\s+as\s*\(|pragma\s|begin\s+immediate)",
    );
    let statement = statement.unwrap();
    let crates = ["cli/src", "edge-worker/src", "policy-wasm/src"];
    let sources = crates.iter().flat_map(|folder| house.below(folder));
    let sources = sources.chain(house.control_plane());
    let mut offences = Vec::new();
    for source in sources.filter(|source| !is_database(source) && !source.is("store")) {
        for literal in source
            .literals
            .iter()
            .filter(|literal| statement.is_match(&literal.text))
        {
            offences.push(format!(
                "{}:{}: SQL outside a store",
                source.path, literal.line
            ));
        }
    }
    offences
}

pub(super) fn n4_engine(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house.control_plane().filter(|source| !is_database(source)) {
        offences.extend(source.find(r"\b(Sqlite|Postgres|Pg[A-Z])\w*|\bsqlx::(sqlite|postgres)\b"));
        if !source.is("store") {
            offences.extend(source.find(r"\bsqlx\b"));
        }
    }
    offences
}

pub(super) fn n5(house: &House) -> Vec<String> {
    let is_inner = |source: &&Source| {
        ["model", "service", "store"]
            .iter()
            .any(|name| source.is(name))
            || source
                .path
                .starts_with("control-plane/platform/src/events/")
    };
    let mut offences = Vec::new();
    for source in house.control_plane().filter(is_inner) {
        offences.extend(source.find(r"\b(axum|async_graphql|askama|utoipa_axum)\b"));
        if source.feature().is_some() && source.is("model") {
            offences.extend(source.find(r"\basync\s+fn\b|\bsqlx\b|\bDb\b|\bTx\b|\bClock\b"));
        }
    }
    offences
}

/// Part of the toolkit that has a table of its own: answers kept for repeated requests.
const TOOL_WITH_STORE: &str = "control-plane/platform/src/http/idempotency/";

pub(super) fn n6(house: &House) -> Vec<String> {
    house
        .control_plane()
        .filter(|source| is_handler(source) && !source.path.starts_with(TOOL_WITH_STORE))
        .flat_map(|source| source.find(r"\bstore::\w*"))
        .collect()
}

pub(super) fn n7(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house
        .control_plane()
        .filter(|source| source.feature().is_some() && source.is("service"))
    {
        let is_part = source.path.contains("/service/");
        let is_verb =
            |verb: &&Function| verb.is_async && verb.is_public && !(is_part && verb.is_inner);
        for verb in source.functions().iter().filter(is_verb) {
            // inside another verb's transaction the actor has been checked by that verb
            let inside = verb
                .parameters
                .first()
                .is_some_and(|first| first.contains("&mut Tx") || first.contains("&mut Work"));
            let has_actor = verb
                .parameters
                .iter()
                .any(|parameter| parameter.contains("&Actor") && is_used(parameter));
            if !inside && !has_actor && !excepted(WITHOUT_ACTOR, source, &verb.name) {
                offences.push(format!(
                    "{}:{}: `{}` takes no actor",
                    source.path, verb.line, verb.name
                ));
            }
        }
    }
    offences
}

/// The compiler lets a parameter go unused only under a name with a leading `_`.
fn is_used(parameter: &str) -> bool {
    !parameter.starts_with('_')
}

pub(super) fn n8(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house
        .control_plane()
        .filter(|source| source.feature().is_some() && source.is("store"))
    {
        for function in source
            .functions()
            .iter()
            .filter(|function| function.is_public && function.is_async)
        {
            let tenant = function
                .parameters
                .get(1)
                .is_some_and(|second| second.ends_with(": TenantId") && is_used(second));
            if !tenant && !excepted(WITHOUT_TENANT, source, &function.name) {
                offences.push(format!(
                    "{}:{}: `{}` takes no `tenant: TenantId` in second place",
                    source.path, function.line, function.name
                ));
            }
        }
    }
    offences
}

/// The feature that owns each table: the first path segment of the store that writes to it, checked
/// against every other store that names it.
pub(super) fn n9_tables(house: &House) -> Vec<String> {
    let named = regex::Regex::new(r"(?i)\b(?:from|join|into|update)\s+([a-z_]+)").unwrap();
    let created =
        regex::Regex::new(r"(?i)create\s+table\s+(?:if\s+not\s+exists\s+)?([a-z_]+)").unwrap();
    let migrations = house
        .texts
        .iter()
        .filter(|(path, _)| path.starts_with("control-plane/migrations/"));
    let tables: Vec<&str> = migrations
        .flat_map(|(_, text)| {
            created
                .captures_iter(text)
                .map(|capture| capture.get(1).unwrap().as_str())
        })
        .collect();
    let mut users: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
    for source in house.control_plane().filter(|source| source.is("store")) {
        for literal in &source.literals {
            for capture in named.captures_iter(&literal.text) {
                let table = capture.get(1).unwrap().as_str();
                if let (Some(feature), true) = (source.feature(), tables.contains(&table)) {
                    let place = format!("{}:{}", source.path, literal.line);
                    users
                        .entry(table)
                        .or_default()
                        .entry(feature)
                        .or_insert(place);
                }
            }
        }
    }
    let shared = users.iter().filter(|(_, features)| features.len() > 1);
    shared
        .map(|(table, features)| format!("the table `{table}` is used by {features:?}"))
        .collect()
}

pub(super) fn n10(house: &House) -> Vec<String> {
    let recorders = recorders(house);
    let mut offences = Vec::new();
    for source in house.control_plane() {
        let Some(feature) = source.feature() else {
            continue;
        };
        let functions = source.functions();
        for function in functions
            .iter()
            .filter(|function| function.body.contains(".commit()"))
        {
            let records = recorders.contains(&(feature.to_owned(), function.name.clone()));
            if !records && !excepted(WITHOUT_EVENT, source, &function.name) {
                offences.push(format!(
                    "{}:{}: `{}` commits without an event",
                    source.path, function.line, function.name
                ));
            }
        }
        if is_handler(source) || source.is("model") {
            offences.extend(source.find(r"\.begin\(\)|\bauthority::begin"));
        }
    }
    offences
}

/// The functions that record an event, themselves or through another that does: feature and name.
fn recorders(house: &House) -> BTreeSet<(String, String)> {
    let call =
        regex::Regex::new(r"(?:\b([a-z_]+)::|\b(work)\s*\.\s*)?\b([a-z][a-z0-9_]*)\s*\(").unwrap();
    let mut calls: BTreeMap<(String, String), BTreeSet<(String, String)>> = BTreeMap::new();
    for source in house.control_plane() {
        let Some(feature) = source.feature() else {
            continue;
        };
        for function in source.functions() {
            let key = (feature.to_owned(), function.name.clone());
            let called = call.captures_iter(&function.body).map(|capture| {
                let module = capture.get(1).map_or(feature, |module| module.as_str());
                let module = match capture.get(2) {
                    Some(_) => "work",
                    None if features().any(|feature| feature == module) => module,
                    None => feature,
                };
                (module.to_owned(), capture[3].to_owned())
            });
            calls.entry(key).or_default().extend(called);
        }
    }
    let mut found: BTreeSet<_> = ["record", "record_in"]
        .map(|verb| ("work".to_owned(), verb.to_owned()))
        .into();
    loop {
        let before = found.len();
        let more: Vec<_> = calls
            .iter()
            .filter(|(_, called)| !called.is_disjoint(&found))
            .map(|(key, _)| key.clone())
            .collect();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}
