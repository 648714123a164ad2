//! `plinto token …`: shows what a token says, and whether to believe it.

use std::{
    fs,
    io::{IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use clap::{Subcommand, ValueHint};
use plinto_contract::{
    claims::TYP_ACCESS_TOKEN,
    limits::CLOCK_LEEWAY_S,
    time::{UnixSeconds, numeric_date},
};
use plinto_jose::{Algorithm, Error, JwkSet, Jws, jwt};
use serde_json::{Value, json};

use crate::{
    address::Address,
    client::Client,
    clock,
    config::Connection,
    failure::{Failure, chain},
    online::online,
    output::{self, Output, table},
};

/// 64 KiB: longest text that is read as a token.
const TOKEN_BYTES: u64 = 64 * 1024;
/// Claims that are moments.
const MOMENTS: [&str; 4] = ["exp", "iat", "nbf", "auth_time"];

/// Commands about tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Show a token's header and claims. Nothing is verified; nothing is sent anywhere.
    Decode {
        /// The token; without it, or with `-`, it is read from stdin, which keeps it out of the
        /// shell's history.
        token: Option<String>,
    },
    /// Verify a token: header, signature and claims, as the edge does.
    Verify {
        /// The token; without it, or with `-`, it is read from stdin.
        token: Option<String>,
        /// A key set (JWKS) to verify with. Otherwise it is fetched from the issuer.
        #[arg(long, value_hint = ValueHint::FilePath)]
        jwks: Option<PathBuf>,
        /// The issuer that must have made it, letter for letter as the token names it.
        #[arg(long, value_hint = ValueHint::Url)]
        issuer: String,
        /// The audience that it must be for.
        #[arg(long)]
        audience: String,
        /// The kind of token.
        #[arg(long, default_value = TYP_ACCESS_TOKEN)]
        typ: String,
    },
}

impl Token {
    pub(crate) fn run(self, connection: &Connection, output: Output) -> Result<(), Failure> {
        match self {
            Self::Decode { token } => decode(&read(token)?, output),
            Self::Verify {
                token,
                jwks,
                issuer,
                audience,
                typ,
            } => {
                let token = read(token)?;
                let keys = match &jwks {
                    Some(path) => keys_from(path)?,
                    None => fetch_keys(&issuer, connection)?,
                };
                let wanted = Wanted {
                    issuer: &issuer,
                    audience: &audience,
                    typ: &typ,
                };
                verify(&token, &keys, &wanted, output)
            }
        }
    }
}

struct Wanted<'a> {
    issuer: &'a str,
    audience: &'a str,
    typ: &'a str,
}

/// A token as it was given: itself, or `-` for standard input.
pub(crate) fn read(token: Option<String>) -> Result<String, Failure> {
    let text = match token {
        Some(token) if token != "-" => token,
        _ => {
            if std::io::stdin().is_terminal() {
                output::tell("Paste the token and end with Ctrl-D.");
            }
            let mut text = String::new();
            std::io::stdin()
                .take(TOKEN_BYTES)
                .read_to_string(&mut text)
                .map_err(Failure::local)?;
            text
        }
    };
    let text = text.trim();
    Ok(text.strip_prefix("Bearer ").unwrap_or(text).to_owned())
}

fn keys_from(path: &Path) -> Result<JwkSet, Failure> {
    let text = fs::read(path).map_err(|error| Failure::file(path, error))?;
    JwkSet::parse(&text).map_err(|error| Failure::file(path, error))
}

/// Keys that somebody on the way could have changed would prove nothing.
fn fetch_keys(issuer: &str, connection: &Connection) -> Result<JwkSet, Failure> {
    let address: Address = issuer.parse()?;
    connection.require_privacy(&address)?;
    let client = Client::new(address, None)?;
    let answer = online(client.fetch("/.well-known/jwks.json"))?;
    JwkSet::parse(&answer.body)
        .map_err(|error| Failure::Unreachable(format!("the issuer's key set: {error}")))
}

/// Decodes leniently: a token that no verifier would take is the one worth looking at.
fn decode(token: &str, output: Output) -> Result<(), Failure> {
    let mut parts = token.split('.');
    let header = part("header", parts.next())?;
    let claims = part("claims", parts.next())?;
    let strict = Jws::parse(token).map(|_| ()).map_err(|error| chain(&error));
    let now = clock::now();
    let value = json!({
        "header": header,
        "claims": claims,
        "is_well_formed": strict.is_ok(),
        "expires_in_s": expires_in(&claims, now),
        "verified": false,
    });
    output.answer(&value, || {
        let doubt = match &strict {
            Ok(()) => String::new(),
            Err(why) => format!("No verifier here would take it: {why}.\n"),
        };
        format!(
            "HEADER\n{}\n\nCLAIMS\n{}\n\n{doubt}Nothing was verified.",
            rows(&header, now),
            rows(&claims, now)
        )
    })
}

fn part(name: &str, text: Option<&str>) -> Result<Value, Failure> {
    let wrong = |why: &str| Failure::Check(format!("not a JWT: its {name} {why}"));
    let bytes = Base64UrlUnpadded::decode_vec(text.unwrap_or_default())
        .map_err(|_| wrong("is not base64url"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| wrong("is not JSON"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(wrong("is not an object"))
    }
}

/// What a token says, verified by nobody.
pub(crate) fn claims(token: &str) -> Result<Value, Failure> {
    part("claims", token.split('.').nth(1))
}

fn expires_in(claims: &Value, now: UnixSeconds) -> Option<i64> {
    let exp = numeric_date(claims.get("exp")?).ok()?;
    Some(exp.0.saturating_sub(now.0))
}

fn rows(object: &Value, now: UnixSeconds) -> String {
    let members = object.as_object().into_iter().flatten();
    let rows = members.map(|(name, value)| {
        let shown = match (value, numeric_date(value)) {
            (_, Ok(seconds)) if MOMENTS.contains(&name.as_str()) => moment(seconds, now),
            (Value::String(text), _) => text.escape_debug().to_string(),
            (other, _) => other.to_string(),
        };
        [format!("  {}", name.escape_debug()), shown]
    });
    table(["", ""], rows)
}

/// `2026-01-01T00:00:00.000Z (in 9 min)`.
fn moment(at: UnixSeconds, now: UnixSeconds) -> String {
    let text = at.to_millis().to_string();
    let distance = at.0.saturating_sub(now.0);
    let (amount, unit) = match distance.unsigned_abs() {
        seconds @ 0..120 => (seconds, "s"),
        seconds @ 120..7_200 => (seconds / 60, "min"),
        seconds @ 7_200..172_800 => (seconds / 3_600, "h"),
        seconds => (seconds / 86_400, "d"),
    };
    if distance < 0 {
        format!("{text} ({amount} {unit} ago)")
    } else {
        format!("{text} (in {amount} {unit})")
    }
}

fn found_issuer(token: &str) -> Option<String> {
    jwt::claimed_issuer(&Jws::parse(token).ok()?.payload)
}

fn verify(token: &str, keys: &JwkSet, wanted: &Wanted<'_>, output: Output) -> Result<(), Failure> {
    let expectations = jwt::Expectations {
        typ: wanted.typ,
        issuer: wanted.issuer,
        audience: wanted.audience,
        algorithms: &Algorithm::ALL,
        leeway_s: CLOCK_LEEWAY_S,
    };
    let now = clock::now();
    let claims = match jwt::verify(token, keys, &expectations, now.0) {
        Ok(claims) => Value::Object(claims),
        Err(error) => {
            let code = error.code();
            let reason = match (error, found_issuer(token)) {
                (Error::Issuer, Some(found)) => {
                    format!("{error}: `{}` is expected, `{found}` found", wanted.issuer)
                }
                (Error::UnknownKey, _) if keys.skipped > 0 => {
                    format!("{error}; {} of the key set can't be used", keys.skipped)
                }
                _ => error.to_string(),
            };
            output.answer(
                &json!({ "valid": false, "code": code, "reason": reason }),
                String::new,
            )?;
            let message = format!("the token is not valid: {reason} ({code})");
            return Err(Failure::Check(message));
        }
    };
    output.answer(&json!({ "valid": true, "claims": claims }), || {
        format!("Valid.\n\n{}", rows(&claims, now))
    })
}
