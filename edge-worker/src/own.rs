//! The edge's own pages, which never reach the application: health, and where tokens come from.
//!
//! They are told by the same reading of the path by which everything else is judged and forwarded.

use plinto_contract::problem::Code;

use crate::{
    config::{Config, METADATA_PATH},
    path::CanonicalPath,
    refusal::{Answer, Refusal},
    request::EdgeRequest,
};

/// Everything below it is the edge's own.
const AREA: &str = ".plinto";

/// One of the edge's own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// `/.plinto/health`.
    Health,
    /// [`METADATA_PATH`], bare or with the path of the audience behind it.
    Metadata,
    /// Anything else in the edge's area.
    Missing,
}

/// The page a path names; `None` when the path is the application's.
pub fn page(path: &CanonicalPath, config: &Config) -> Option<Page> {
    let first = path.segments().first()?;
    // SECURITY: some servers drop dots and blanks at a name's end, some don't mind its case
    if first
        .trim_end_matches(['.', ' '])
        .eq_ignore_ascii_case(AREA)
    {
        let is_health = path.decoded() == "/.plinto/health";
        return Some(if is_health {
            Page::Health
        } else {
            Page::Missing
        });
    }
    let resource = config.resource.as_ref()?;
    let path = path.decoded();
    let below = path.strip_prefix(METADATA_PATH)?;
    (below.is_empty() || below == resource.path).then_some(Page::Metadata)
}

/// The refusal of a method that no page of the edge's answers; they are only read.
pub fn wrong_method(request: &EdgeRequest, request_id: &str, config: &Config) -> Option<Answer> {
    if matches!(request.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let refusal = Refusal::new(
        Code::MethodNotAllowed,
        "this page of the edge's answers GET and HEAD",
    );
    let mut answer = refusal.answer(request, request_id, Some(config));
    answer.headers.push(("allow", "GET, HEAD".to_owned()));
    Some(answer)
}

/// The metadata document of this API. Source: RFC 9728 §2.
pub fn metadata(config: &Config) -> Answer {
    Answer {
        status: 200,
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "public, max-age=300".to_owned()),
        ],
        body: serde_json::json!({
            "resource": config.audience,
            "authorization_servers": [config.issuer],
            "bearer_methods_supported": ["header"],
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn found(raw: &str) -> Option<Page> {
        page(&CanonicalPath::parse(raw).unwrap(), &testing::config())
    }

    /// Invariant N14: `/%2eplinto/health` once reached the application.
    #[test]
    fn the_edge_s_own_area_is_known_in_every_spelling() {
        for health in [
            "/.plinto/health",
            "/%2eplinto/health",
            "/.%70linto/h%65alth",
        ] {
            assert_eq!(found(health), Some(Page::Health), "{health}");
        }
        for missing in [
            "/.plinto",
            "/.plinto/",
            "/%2Eplinto",
            "/.plinto/health/",
            "/.plinto/secrets",
            "/.PLINTO/health",
            "/.Plinto./health",
            "/.plinto%20/health",
            "/.plinto../health",
            "/.plinto/Health",
        ] {
            assert_eq!(found(missing), Some(Page::Missing), "{missing}");
        }
        for application in [
            "/",
            "/plinto",
            "/.plintos",
            "/a/.plinto/health",
            "/x.plinto",
        ] {
            assert_eq!(found(application), None, "{application}");
        }
        // other spellings are refused before anybody asks whose they are
        for malformed in [
            "//.plinto/health",
            "/.plinto//health",
            "/./.plinto/health",
            "/a/../.plinto/health",
            "/a/%2e%2e/.plinto/health",
            "/.plinto%2fhealth",
            "/.plinto\\health",
            "/.plinto%5chealth",
            "/.plinto;v=1/health",
            "/.plinto/health;a",
            "/%252eplinto/health",
            "/.plinto%00/health",
        ] {
            assert!(CanonicalPath::parse(malformed).is_err(), "{malformed}");
        }
    }

    /// RFC 9728 §3.1.
    #[test]
    fn the_metadata_stand_where_the_audience_s_own_name_says() {
        let mut config = testing::config();
        let at = |config: &Config, raw: &str| page(&CanonicalPath::parse(raw).unwrap(), config);
        let base = "/.well-known/oauth-protected-resource";
        assert_eq!(at(&config, base), Some(Page::Metadata));
        assert_eq!(
            at(&config, "/.well-known/oauth%2Dprotected-resource"),
            Some(Page::Metadata)
        );
        assert_eq!(at(&config, &format!("{base}/v1")), None);
        config.resource.as_mut().unwrap().path = "/v1".to_owned();
        assert_eq!(at(&config, &format!("{base}/v1")), Some(Page::Metadata));
        assert_eq!(at(&config, &format!("{base}/v2")), None);
        config.resource = None;
        assert_eq!(at(&config, base), None);
    }

    #[test]
    fn the_edge_s_own_pages_are_only_read() {
        for method in ["GET", "HEAD"] {
            let request = testing::request(method, "/.plinto/health", None);
            assert_eq!(wrong_method(&request, "req_1", &testing::config()), None);
        }
        for method in ["POST", "DELETE", "OPTIONS", "get"] {
            let request = testing::request(method, "/.plinto/health", None);
            let answer = wrong_method(&request, "req_1", &testing::config()).unwrap();
            assert_eq!(answer.status, 405);
            assert!(answer.headers.contains(&("allow", "GET, HEAD".to_owned())));
        }
    }

    #[test]
    fn the_metadata_name_the_audience_and_no_host_of_a_stranger_s() {
        let answer = metadata(&testing::config());
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["resource"], "https://api.example.com");
        let issuer = serde_json::json!(["https://id.example.com/t/demo"]);
        assert_eq!(body["authorization_servers"], issuer);
    }
}
