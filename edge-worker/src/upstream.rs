//! What the application gets to see: the request without what a client could pretend, and with
//! what the gate knows.

use std::{collections::BTreeSet, fmt::Write as _};

use plinto_contract::{claims::AccessToken, headers, limits::OBLIGATIONS_BYTES, problem::Code};
use serde_json::{Map, Value};

use crate::{
    path::CanonicalPath,
    refusal::Refusal,
    request::EdgeRequest,
    stripped::{Stripped, folded, is_ours},
};

/// Headers that belong to one connection, and `Expect`, which asks the next server, not the last: the edge
/// has answered it. Source: RFC 9110 §7.6.1 and §10.1.1, RFC 7540 §3.2.1.
const HOP_BY_HOP: [&str; 11] = [
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The client's address. Source: RFC 7239 §5.2, in the form that applications read.
const CLIENT_ADDRESS: &str = "x-forwarded-for";

/// How a request that may pass is forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Path and query, the path in canonical spelling.
    pub target: String,
    /// Headers to set, after [`is_kept`] has thinned out the client's.
    pub headers: Vec<(&'static str, String)>,
    /// Sequence of the policy that decided.
    pub sequence: u64,
    /// Whether a token let it pass, which may end while the request goes on.
    pub is_of_token: bool,
    /// How long the application may take to begin its answer, where the route says so.
    pub timeout_s: Option<u32>,
}

impl Pass {
    /// Puts the identity headers together.
    /// Errors: a claim or obligation that is no header value.
    pub fn new(
        path: &CanonicalPath,
        request: &EdgeRequest,
        claims: Option<&AccessToken>,
        obligations: &Map<String, Value>,
        sequence: u64,
        is_revocation_stale: bool,
    ) -> Result<Self, Refusal> {
        let mut set = vec![(headers::SEQUENCE, sequence.to_string())];
        if let Some(claims) = claims {
            set.push((headers::SUBJECT, claims.sub.to_string()));
            set.push((headers::SESSION, claims.sid.to_string()));
            set.push((headers::TENANT, claims.tenant.to_string()));
            set.push((headers::CLIENT, claims.client_id.clone()));
            if let Some(org) = claims.org {
                set.push((headers::ORGANIZATION, org.to_string()));
            }
            // a role with a comma in it would read as two
            if claims.roles.iter().any(|role| role.contains(',')) {
                return Err(not_a_header(Code::TokenInvalid, "a role's key"));
            }
            if !claims.roles.is_empty() {
                set.push((headers::ROLES, claims.roles.join(",")));
            }
        }
        if !obligations.is_empty() {
            let text = ascii_json(obligations);
            if text.len() > OBLIGATIONS_BYTES {
                return Err(not_a_header(
                    Code::ObligationsInvalid,
                    "the policy's obligations",
                ));
            }
            set.push((headers::OBLIGATIONS, text));
        }
        if let Some(ip) = &request.ip {
            set.push((CLIENT_ADDRESS, ip.clone()));
        }
        if is_revocation_stale {
            set.push((headers::REVOCATION_STALE, "1".to_owned()));
        }
        if set.iter().any(|(_, value)| !is_header_value(value)) {
            return Err(not_a_header(Code::TokenInvalid, "a claim"));
        }
        Ok(Self {
            target: format!("{}{}", path.encoded(), request.query),
            headers: set,
            sequence,
            is_of_token: claims.is_some(),
            timeout_s: None,
        })
    }

    /// The same with the route's own time limit.
    #[must_use]
    pub const fn within(mut self, timeout_s: Option<u32>) -> Self {
        self.timeout_s = timeout_s;
        self
    }
}

fn not_a_header(code: Code, what: &str) -> Refusal {
    Refusal::new(
        code,
        format!("{what} can not be told to the application in a header"),
    )
}

fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// JSON in ASCII: what is outside becomes `\u` escapes, which stand only in strings.
fn ascii_json(map: &Map<String, Value>) -> String {
    let text = serde_json::to_string(map).unwrap_or_default();
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            ascii.push(character);
        } else {
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                // writing to a String can't fail
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

/// The headers that a `Connection` names, beside those that always belong to one connection. A set, so
/// that a stranger's options and headers cost their sum, not their product; an ordered one, since a
/// Worker's hashes are the same for everybody.
#[derive(Debug, Default)]
pub struct NamedHops(BTreeSet<String>);

impl NamedHops {
    /// Reads the value of `Connection`. Source: RFC 9110 §7.6.1.
    pub fn read(connection: Option<&str>) -> Self {
        let options = connection.unwrap_or_default().split(',').map(str::trim);
        let named = options.filter(|option| !option.is_empty());
        Self(named.map(|option| folded(option).into_owned()).collect())
    }

    fn contains(&self, folded: &str) -> bool {
        HOP_BY_HOP.contains(&folded) || self.0.contains(folded)
    }
}

/// Whether a client's request header goes to the application.
/// `hops`: what the request's `Connection` names.
pub fn is_kept(
    method: &str,
    (name, value): (&str, &str),
    hops: &NamedHops,
    stripped: &Stripped,
) -> bool {
    let name = folded(name);
    // A WebSocket is asked for end to end, whatever the header's name suggests.
    // SECURITY: by GET only (RFC 6455 §4.1). The platform makes a GET of any other method that asks
    // for one, and the policy has judged another request then.
    if name == "upgrade" {
        return method == "GET" && value.eq_ignore_ascii_case("websocket");
    }
    !stripped.covers(&name) && !hops.contains(&name)
}

/// Whether the application's response header goes to the client.
/// `hops`: what the answer's `Connection` names.
pub fn is_answered(name: &str, hops: &NamedHops) -> bool {
    let name = folded(name);
    !is_ours(&name) && (name == "upgrade" || !hops.contains(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing;

    fn pass(claims: &AccessToken, obligations: &Value) -> Result<Pass, Refusal> {
        let mut request = testing::request("GET", "/a%20b?q=1", None);
        request.ip = Some("203.0.113.7".to_owned());
        Pass::new(
            &CanonicalPath::parse("/a%20b").unwrap(),
            &request,
            Some(claims),
            obligations.as_object().unwrap(),
            7,
            false,
        )
    }

    fn header<'p>(pass: &'p Pass, name: &str) -> Option<&'p str> {
        pass.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    #[test]
    fn the_application_is_told_who_asks() {
        let claims = testing::claims();
        let pass = pass(&claims, &json!({ "log": "grün \u{1f600}" })).unwrap();
        assert_eq!(pass.target, "/a%20b?q=1");
        assert_eq!(
            header(&pass, headers::SUBJECT),
            Some(claims.sub.to_string().as_str())
        );
        assert_eq!(header(&pass, headers::ROLES), Some("member,editor"));
        assert_eq!(
            header(&pass, headers::OBLIGATIONS),
            Some(r#"{"log":"gr\u00fcn \ud83d\ude00"}"#)
        );
        assert_eq!(header(&pass, "x-forwarded-for"), Some("203.0.113.7"));
        assert_eq!(header(&pass, headers::REVOCATION_STALE), None);
    }

    #[test]
    fn a_claim_that_would_read_differently_in_a_header_does_not_pass() {
        let mut claims = testing::claims();
        claims.roles = vec!["member,owner".to_owned()];
        let code = |claims: &AccessToken, obligations| {
            let refusal = pass(claims, &obligations).unwrap_err();
            refusal.code
        };
        assert_eq!(code(&claims, json!({})), Code::TokenInvalid);
        claims = testing::claims();
        claims.client_id = "a\r\nx-plinto-roles: owner".to_owned();
        assert_eq!(code(&claims, json!({})), Code::TokenInvalid);
        claims.client_id = "b".to_owned();
        // no denial: the policy has allowed
        let obligations = json!({ "log": "x".repeat(5_000) });
        assert_eq!(code(&claims, obligations), Code::ObligationsInvalid);
    }

    #[test]
    fn what_a_client_could_pretend_is_stripped() {
        let stripped = Stripped::new("").unwrap();
        for name in [
            "x-plinto-subject",
            "X-Plinto-Roles",
            "x_plinto_roles",
            "X-Plinto_Subject",
            "x-plinto-anything",
            "x-request-id",
            "x-client-request-id",
            "x-http-method-override",
            "x-original-url",
            "x-orig-url",
            "Script-Name",
            "X_Script_Name",
            "x-cert",
            "x-client-ssl-verify",
            "x-forwarded-host",
            "x-forwarded-for",
            "X_Forwarded_For",
            "x-forwarded-user",
            "x-forwarded-groups",
            "x-forwarded-port",
            "x-auth-request-email",
            "x-original-method",
            "x-real-ip",
            "True-Client-IP",
            "Remote-User",
            "remote_user",
            "x-remote-group",
            "connection",
            "Transfer-Encoding",
            "te",
            "CF_Connecting_IP",
            "Cf.Connecting.Ip",
            "Expect",
            "HTTP2-Settings",
            "x-secret-hop",
            "X_Secret_Hop",
        ] {
            for connection in ["close, X-Secret-Hop", "X_Secret_Hop,close"] {
                let hops = NamedHops::read(Some(connection));
                assert!(!is_kept("GET", (name, "1"), &hops, &stripped), "{name}");
            }
        }
        for name in [
            "accept",
            "cookie",
            "content-type",
            "authorization",
            "x-plint",
        ] {
            let hops = NamedHops::read(Some("close"));
            assert!(is_kept("GET", (name, "1"), &hops, &stripped), "{name}");
        }
        let hops = NamedHops::read(Some("upgrade"));
        let socket = ("upgrade", "WebSocket");
        assert!(is_kept("GET", socket, &hops, &stripped));
        assert!(!is_kept("GET", ("upgrade", "h2c"), &hops, &stripped));
    }

    /// The platform makes a GET of whatever asks for a WebSocket.
    #[test]
    fn a_method_other_than_get_asks_for_no_websocket() {
        let (hops, stripped) = (NamedHops::default(), Stripped::new("").unwrap());
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "get"] {
            let socket = ("Upgrade", "websocket");
            assert!(!is_kept(method, socket, &hops, &stripped), "{method}");
        }
    }

    #[test]
    fn the_application_s_own_plinto_headers_stay_inside() {
        let hops = NamedHops::read(Some("close, X-Secret-Hop"));
        for name in [
            "X-Plinto-Subject",
            "X-Plinto_Roles",
            "x_plinto_roles",
            "x.plinto.upstream-secret",
            "keep-alive",
            "x-secret-hop",
        ] {
            assert!(!is_answered(name, &hops), "{name}");
        }
        assert!(is_answered("set-cookie", &hops));
        assert!(is_answered("upgrade", &hops));
    }
}
