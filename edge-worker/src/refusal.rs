//! A refusal as the client gets it: a problem body, and a challenge where a token would help.
//! Source: RFC 9457, RFC 6750 §3, RFC 9728 §5.1.

use plinto_contract::{
    headers,
    problem::{Code, MEDIA_TYPE, Problem},
};

use crate::request::EdgeRequest;

/// Where a client learns which authorization server gives tokens for this API. Source: RFC 9728 §3.
pub const RESOURCE_METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

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

    /// The answer to `request`.
    /// `pages`: where problem codes are explained; empty when that isn't known.
    pub fn answer(&self, request: &EdgeRequest, request_id: &str, pages: &str) -> Answer {
        let problem = Problem {
            instance: request.path.clone(),
            request_id: request_id.to_owned(),
            reasons: self.reasons.clone(),
            ..Problem::new(pages, self.code, self.detail.clone())
        };
        let mut headers = vec![
            ("content-type", MEDIA_TYPE.to_owned()),
            ("cache-control", "no-store".to_owned()),
            (headers::REQUEST_ID, request_id.to_owned()),
        ];
        if let Some(challenge) = self.www_authenticate(&request.origin) {
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

    fn www_authenticate(&self, origin: &str) -> Option<String> {
        let metadata = format!("resource_metadata=\"{origin}{RESOURCE_METADATA_PATH}\"");
        match self.challenge {
            Challenge::None => None,
            Challenge::Bare => Some(format!("Bearer {metadata}")),
            Challenge::Error(error) => {
                let description = self.reasons.first().unwrap_or(&self.detail);
                Some(format!(
                    "Bearer error=\"{error}\", error_description=\"{}\", {metadata}",
                    quotable(description)
                ))
            }
        }
    }
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

/// The metadata document of this API. Source: RFC 9728 §2.
pub fn resource_metadata(origin: &str, issuer: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "public, max-age=300".to_owned()),
        ],
        body: serde_json::json!({
            "resource": origin,
            "authorization_servers": [issuer],
            "bearer_methods_supported": ["header"],
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn answered(refusal: &Refusal) -> Answer {
        let pages = "https://id.example.com/docs/errors";
        let request = testing::request("GET", "/documents/7", None);
        refusal.answer(&request, "req_1", pages)
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
            Some(
                "Bearer resource_metadata=\"https://app.example.com/.well-known/oauth-protected-resource\""
            )
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
