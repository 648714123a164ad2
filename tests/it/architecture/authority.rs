//! Who may begin to write: everybody by the one place that looks at the actor again. What begins there
//! is passed on as one.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::house::House;
use super::source::Source;

/// Work that begins without its actor being rechecked, and why that is right.
const WITHOUT_RECHECK: &[(&str, &str)] = &[
    (
        "idempotency::write",
        "keeps the answer of what has happened",
    ),
    (
        "idempotency::give_up",
        "keeps the answer of what has happened",
    ),
    ("idempotency::run_due_work", "the server's own work"),
    (
        "api_keys::note_use",
        "notes the use of a key that was just found good",
    ),
    ("policies::put_off", "the server's own work"),
    ("policies::up_to_date", "the server's own work"),
    (
        "sessions::refresh",
        "the refresh token decides, in one statement",
    ),
    ("sessions::run_due_work", "the server's own work"),
    (
        "sessions::revoke_token",
        "whoever holds a token may take it back",
    ),
    ("sign_in::enter", "open to everybody: the password decides"),
    ("sign_in::failed", "open to everybody: counts an attempt"),
    (
        "sign_in::on_address",
        "open to everybody: counts an attempt",
    ),
    ("sign_in::make_user", "open to everybody: signing up"),
    ("sign_in::run_due_work", "the server's own work"),
    (
        "sign_in::sign_in",
        "open to everybody: the password decides",
    ),
    ("sign_in::unjudged", "open to everybody: counts an attempt"),
    ("audit::step", "the sealer's own work"),
    ("mod.rs::begin_epoch", "for whoever has put a database back"),
];

static BEGINS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(\.|\bDb::)\s*begin(_holding)?\s*\(").unwrap());
static UNSEEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bbegin_own\b|\bNeed::(Open|\*)").unwrap());

pub(super) fn n21(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house.control_plane() {
        let is_below = source.path.starts_with("control-plane/platform/src/db/");
        if is_below || source.path == "control-plane/platform/src/authority.rs" {
            continue;
        }
        for hit in BEGINS.find_iter(&source.production) {
            let line = source.production[..hit.start()].matches('\n').count() + 1;
            offences.push(format!(
                "{}:{line}: begins to write past `authority`",
                source.path
            ));
        }
        offences.extend(unseen(source));
    }
    offences
}

/// Functions that say there is nobody to look at, and are not known for it. Outside of functions
/// nothing may: not even under another name.
fn unseen(source: &Source) -> Vec<String> {
    let mut all = UNSEEN.find_iter(&source.production).count();
    let mut offences = Vec::new();
    for function in source.functions() {
        let found = UNSEEN.find_iter(&function.body).count();
        all = all.saturating_sub(found);
        let name = format!("{}::{}", room(source), function.name);
        if found > 0 && !WITHOUT_RECHECK.iter().any(|(known, _)| *known == name) {
            offences.push(format!(
                "{}:{}: `{name}` begins without its actor being rechecked",
                source.path, function.line
            ));
        }
    }
    if all > 0 {
        offences.push(format!(
            "{}: names `begin_own` or `Need::Open` outside of a function",
            source.path
        ));
    }
    offences
}

/// What a function of a feature takes beside a transaction that may write, or beside the work that
/// carries it: application and actor belong to the work.
pub(super) fn work(house: &House) -> Vec<String> {
    static NAMED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(Work|Tx|Platform|Actor)\b").unwrap());
    let mut offences = Vec::new();
    for source in house.control_plane().filter(|it| it.feature().is_some()) {
        for function in source.functions() {
            let parameters = function.parameters.join(", ");
            let named: BTreeSet<&str> =
                NAMED.find_iter(&parameters).map(|it| it.as_str()).collect();
            let is_taken_apart = ["Tx", "Platform", "Actor"]
                .iter()
                .all(|it| named.contains(it));
            let is_doubled = named.contains("Work") && named.len() > 1;
            if is_taken_apart || is_doubled {
                offences.push(format!(
                    "{}:{}: `{}` takes {named:?} side by side",
                    source.path, function.line, function.name
                ));
            }
        }
    }
    offences
}

/// The feature, the folder of the toolkit, or the file.
fn room(source: &Source) -> &str {
    let in_toolkit = source.path.strip_prefix("control-plane/platform/src/http/");
    let folder = in_toolkit.and_then(|rest| rest.split_once('/'));
    source
        .feature()
        .or(folder.map(|(folder, _)| folder))
        .unwrap_or(source.name())
}
