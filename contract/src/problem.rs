//! Problem codes and their body. Source: RFC 9457 §3.

mod codes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use codes::Code;

/// Media type of a problem body. Source: RFC 9457 §4.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Where the control plane explains codes, under its public URL; a slash and the code follow.
pub const PAGES: &str = "/docs/errors";
/// The type of a problem that has no page. Source: RFC 9457 §4.2.1.
const NO_PAGE: &str = "about:blank";

impl Code {
    /// The code of this name.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut codes = Self::ALL.iter();
        codes.find(|code| code.as_str() == text).copied()
    }

    /// Where the code is explained.
    /// `pages`: an absolute URL without a slash at its end; empty when there is none.
    pub fn type_uri(self, pages: &str) -> String {
        if pages.is_empty() {
            return NO_PAGE.to_owned();
        }
        format!("{pages}/{}", self.as_str())
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::IdempotencyConflict => true,
            Self::UpstreamProtocol => false,
            _ => matches!(self.status(), 408 | 429 | 502 | 503 | 504),
        }
    }
}

/// One value that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// JSON Pointer into the request body, or `?name` for a query parameter. Source: RFC 6901.
    pub pointer: String,
    /// A stable name: `unknown_field`, `invalid_type`, `too_long`, …
    pub code: String,
    /// What to do about it.
    pub detail: String,
}

impl FieldError {
    /// Puts one together.
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// The body of every refusal that is not OAuth's, SCIM's or GraphQL's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Where the code is explained.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// One line for people, the same for every occurrence.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What programs switch on.
    pub code: Code,
    /// This occurrence, and what to do about it.
    pub detail: String,
    /// The path that was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// Names the request in our logs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The values at fault, if single values are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The policy's reasons, if a policy refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

impl Problem {
    /// A problem with a detail and nothing else yet.
    /// `pages`: see [`Code::type_uri`].
    pub fn new(pages: &str, code: Code, detail: impl Into<String>) -> Self {
        Self {
            type_uri: code.type_uri(pages),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: detail.into(),
            instance: String::new(),
            request_id: String::new(),
            errors: Vec::new(),
            reasons: Vec::new(),
            retryable: code.is_retryable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_read_the_same_as_text_and_as_json() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
            assert!((400..600).contains(&code.status()), "{code:?}");
            assert!(
                code.as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            );
        }
    }

    /// What the pages show is written for people: sentences, and each backquote has its other.
    #[test]
    fn every_code_says_in_sentences_where_it_comes_from_and_what_helps() {
        for code in Code::ALL {
            assert!(!code.title().ends_with('.'), "{code:?}");
            for text in [code.cause(), code.remedy()] {
                assert!(text.len() > 10 && text.ends_with('.'), "{code:?}: {text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{code:?}: {text}");
                assert!(!text.contains(['<', '>', '|', '\n']), "{code:?}: {text}");
            }
        }
    }

    #[test]
    fn a_problem_without_a_page_says_so() {
        assert_eq!(Code::NotFound.type_uri(""), "about:blank");
    }

    #[test]
    fn an_empty_member_is_left_out_of_the_body() {
        let pages = "https://id.example.com/docs/errors";
        let problem = Problem::new(pages, Code::NotFound, "no such user");
        let body = serde_json::to_value(problem).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "type": "https://id.example.com/docs/errors/not_found",
                "title": "There is nothing here",
                "status": 404,
                "code": "not_found",
                "detail": "no such user",
                "retryable": false,
            })
        );
    }
}
