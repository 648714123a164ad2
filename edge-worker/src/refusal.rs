//! A refusal as the client gets it: a problem body, and a challenge where a token would help.
//! Source: RFC 9457, RFC 6750 §3, RFC 9728 §5.1.

use std::fmt::Write as _;

use plinto_contract::{
    headers,
    problem::{Code, MEDIA_TYPE, Problem},
};

use crate::{config::Config, request::EdgeRequest};

/// Why a request does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people.
    pub detail: String,
    /// The policy's reasons, if a policy refused.
    pub reasons: Vec<String>,
    /// What the challenge says.
    pub challenge: Challenge,
}

/// The `WWW-Authenticate` of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// A token would not help.
    None,
    /// No token was sent. Source: RFC 6750 §3.1, last paragraph: no error code then.
    Bare,
    /// `invalid_request`, `invalid_token` or `insufficient_scope`.
    Error(&'static str),
}

/// An answer of the gate's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers, each once.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: String,
}

impl Refusal {
    /// A refusal without a challenge.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            reasons: Vec::new(),
            challenge: Challenge::None,
        }
    }

    /// The same with a challenge.
    #[must_use]
    pub const fn challenging(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    /// One line for the log: status, code, request, what was wrong, and the policy's reasons. Nothing
    /// of the request is in it but what these say; they are escaped, so that no line breaks out.
    pub fn log_line(&self, request_id: &str) -> String {
        let (status, code) = (self.code.status(), self.code.as_str());
        let detail = bounded(&self.detail);
        let mut line = format!("edge: refused {request_id} {status} {code}: {detail}");
        for reason in &self.reasons {
            // writing to a String can't fail
            let _ = write!(line, "; {}", bounded(reason));
        }
        line
    }

    /// The answer to `request`.
    /// `config`: where problem codes are explained, and where a client learns where tokens come from:
    /// as configured, never as a stranger's `Host` says. `None` when it can't be read.
    pub fn answer(
        &self,
        request: &EdgeRequest,
        request_id: &str,
        config: Option<&Config>,
    ) -> Answer {
        let pages = config.map(Config::problem_pages).unwrap_or_default();
        let problem = Problem {
            instance: request.raw_path.clone(),
            request_id: request_id.to_owned(),
            reasons: self.reasons.clone(),
            ..Problem::new(&pages, self.code, self.detail.clone())
        };
        let mut headers = vec![
            ("content-type", MEDIA_TYPE.to_owned()),
            ("cache-control", "no-store".to_owned()),
            (headers::REQUEST_ID, request_id.to_owned()),
        ];
        let resource = config.and_then(|config| config.resource.as_ref());
        let metadata = resource.map(|resource| &*resource.metadata_url);
        if let Some(challenge) = self.www_authenticate(metadata) {
            headers.push(("www-authenticate", challenge));
        }
        if self.code.status() == 503 {
            headers.push(("retry-after", "1".to_owned()));
        }
        Answer {
            status: self.code.status(),
            headers,
            // a problem has only string keys, so this can't fail
            body: serde_json::to_string(&problem).unwrap_or_default(),
        }
    }

    fn www_authenticate(&self, metadata: Option<&str>) -> Option<String> {
        let mut parameters = Vec::new();
        match self.challenge {
            Challenge::None => return None,
            Challenge::Bare => {}
            Challenge::Error(error) => {
                let description = self.reasons.first().unwrap_or(&self.detail);
                parameters.push(format!("error=\"{error}\""));
                parameters.push(format!("error_description=\"{}\"", quotable(description)));
            }
        }
        parameters.extend(metadata.map(|url| format!("resource_metadata=\"{url}\"")));
        Some(
            format!("Bearer {}", parameters.join(", "))
                .trim_end()
                .to_owned(),
        )
    }
}

/// At most 200 characters of a text, without any that act on who reads it.
fn bounded(text: &str) -> String {
    let shown = |character: char| match character {
        '"' | '\'' => character.to_string(),
        other => other.escape_debug().to_string(),
    };
    text.chars().take(200).map(shown).collect()
}

/// What `error_description` may hold: printable ASCII without `"` and `\`. Source: RFC 6750 §3.
fn quotable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '"' | '\\' => '\'',
            ' '..='~' => character,
            _ => '?',
        })
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource";

    fn answered(refusal: &Refusal) -> Answer {
        let request = testing::request("GET", "/documents/7", None);
        refusal.answer(&request, "req_1", Some(&testing::config()))
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer
            .headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_missing_token_is_challenged_without_an_error_code() {
        let refusal =
            Refusal::new(Code::AuthenticationRequired, "send a token").challenging(Challenge::Bare);
        let answer = answered(&refusal);
        assert_eq!(answer.status, 401);
        assert_eq!(
            header(&answer, "www-authenticate"),
            Some(&*format!("Bearer resource_metadata=\"{METADATA}\""))
        );
        assert_eq!(header(&answer, "content-type"), Some(MEDIA_TYPE));
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["code"], "authentication_required");
        assert_eq!(body["instance"], "/documents/7");
        assert_eq!(body["request_id"], "req_1");
        let page = "https://id.example.com/docs/errors/authentication_required";
        assert_eq!(body["type"], page);
    }

    #[test]
    fn an_audience_that_is_no_address_leads_nowhere() {
        let request = testing::request("GET", "/documents/7", None);
        for (challenge, said) in [
            (Challenge::Bare, "Bearer"),
            (
                Challenge::Error("invalid_token"),
                "Bearer error=\"invalid_token\", error_description=\"no\"",
            ),
        ] {
            let refusal = Refusal::new(Code::TokenInvalid, "no").challenging(challenge);
            let answer = refusal.answer(&request, "req_1", None);
            assert_eq!(header(&answer, "www-authenticate"), Some(said));
        }
    }

    /// N17: what the log is told can't start a line of its own or speak to a terminal.
    #[test]
    fn the_log_says_why_in_one_line() {
        let mut refusal = Refusal::new(Code::PolicyDenied, "the policy does not let this pass");
        refusal.reasons = vec!["only\neditors\u{1b}[31m".to_owned(), "x".repeat(5_000)];
        let line = refusal.log_line("req_1");
        let start = "edge: refused req_1 403 policy_denied: the policy does not let this pass; \
            only\\neditors\\u{1b}[31m; xxx";
        assert!(line.starts_with(start), "{line}");
        assert!(
            line.len() < 500 && !line.contains(char::is_control),
            "{line}"
        );
    }

    #[test]
    fn a_challenge_can_not_be_broken_out_of() {
        let mut refusal = Refusal::new(Code::PolicyDenied, "no")
            .challenging(Challenge::Error("insufficient_scope"));
        refusal.reasons = vec!["say \"please\"\r\nSet-Cookie: \\ä".to_owned()];
        let answer = answered(&refusal);
        let challenge = header(&answer, "www-authenticate").unwrap();
        assert!(
            challenge.contains("error_description=\"say 'please'??Set-Cookie: '?\""),
            "{challenge}"
        );
    }

    #[test]
    fn a_token_does_not_help_where_the_edge_is_not_ready() {
        let answer = answered(&Refusal::new(Code::EdgeNotReady, "no policy yet"));
        assert_eq!(answer.status, 503);
        assert_eq!(header(&answer, "www-authenticate"), None);
        assert_eq!(header(&answer, "retry-after"), Some("1"));
    }
}
