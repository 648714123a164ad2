//! How a request and its fate cross between JavaScript and WebAssembly: as the lines of one text.
//! A crossing costs as much as reading a header, so there is one each way instead of one a header.
//!
//! Nothing here can hold a line break: methods and header names are tokens, URLs are serialised,
//! header values are refused with one. Source: RFC 9110 §5.5, URL Standard §4.5.

use std::fmt::{Display, Write as _};

use plinto_contract::{headers, problem::Code};

use crate::{
    config::{Config, Upstream},
    refusal::Answer,
    request::EdgeRequest,
    upstream::{NamedHops, Pass, is_answered, is_kept},
};

/// A request as the shim packs it: method, URL, the number of headers, then their names and values in
/// turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

impl<'a> Packed<'a> {
    /// Takes the lines apart; `None` when they are not a request's.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (method, url) = (lines.next()?, lines.next()?);
        let count: usize = lines.next()?.parse().ok()?;
        let mut headers = Vec::new();
        while let Some(name) = lines.next() {
            headers.push((name, lines.next()?));
        }
        // SECURITY: a value with a line break in it would make names of values; nobody may tell which
        (headers.len() == count).then_some(Self {
            method,
            url,
            headers,
        })
    }

    /// What the gate reads of it; `None` when the URL is not an absolute one.
    pub fn request(&self) -> Option<EdgeRequest> {
        let owned = |name| self.header(name).map(str::to_owned);
        EdgeRequest::new(
            self.method,
            self.url,
            owned("authorization"),
            owned("cf-connecting-ip"),
        )
    }

    /// A header's value; several of one name come joined.
    fn header(&self, wanted: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| *value)
    }

    /// The lines by which the shim forwards this request: `pass`, the request's id, the URL, how many
    /// milliseconds the application may take to begin its answer, after how many each time to ask
    /// whether the token stands (0: there is none), how many headers to drop, to set and to add to the
    /// answer, then these.
    pub fn forwarded(
        &self,
        asked: &EdgeRequest,
        pass: &Pass,
        config: &Config,
        request_id: &str,
    ) -> String {
        let hops = NamedHops::read(self.header("connection"));
        let dropped: Vec<&str> = self
            .headers
            .iter()
            .filter(|(name, value)| !is_kept(self.method, (name, value), &hops, &config.stripped))
            .map(|(name, _)| *name)
            .collect();
        let (scheme, _) = asked.origin.split_once("://").unwrap_or_default();
        let mut set: Vec<(&str, &str)> = vec![
            ("x-forwarded-proto", scheme),
            ("x-forwarded-host", &asked.host),
            (headers::REQUEST_ID, request_id),
        ];
        // a client's own name for its request is kept, but apart from ours
        set.extend(
            self.header(headers::REQUEST_ID)
                .map(|theirs| (headers::CLIENT_REQUEST_ID, theirs)),
        );
        set.extend(pass.headers.iter().map(|(name, value)| (*name, &**value)));
        if let Some(secret) = &config.upstream_secret {
            set.push((headers::UPSTREAM_SECRET, secret.expose()));
        }
        let sequence = pass.sequence.to_string();
        let answered = [
            (headers::REQUEST_ID, request_id),
            (headers::SEQUENCE, &sequence),
        ];
        let base = match &config.upstream {
            Upstream::Url(base) => base,
            Upstream::Binding => &asked.origin,
        };

        let mut lines = Lines::of("pass");
        lines.add(request_id);
        lines.add(base);
        lines.0.push_str(&pass.target);
        let timeout_s = pass.timeout_s.unwrap_or(config.upstream_timeout_s);
        lines.add_number(i64::from(timeout_s).saturating_mul(1_000));
        lines.add_number(if pass.is_of_token {
            config.recheck_every_ms()
        } else {
            0
        });
        for count in [dropped.len(), set.len(), answered.len()] {
            lines.add_number(count);
        }
        for name in dropped {
            lines.add(name);
        }
        for (name, value) in set.into_iter().chain(answered) {
            lines.add(name);
            lines.add(value);
        }
        lines.0
    }
}

/// The lines of an answer of the gate's own: `answer`, the status, how many headers, these, and
/// the body, which may have lines of its own.
pub fn answered(answer: &Answer) -> String {
    let mut lines = Lines::of("answer");
    lines.add_number(answer.status);
    lines.add_number(answer.headers.len());
    for (name, value) in &answer.headers {
        lines.add(name);
        lines.add(value);
    }
    lines.add(&answer.body);
    lines.0
}

/// The lines of what ended a token that had let a request pass: `ended`, the code by which a WebSocket
/// is closed, the problem's code, and those of the answer where there is none yet.
/// Source: RFC 6455 §7.4.1 (1008, a policy is violated), IANA's registry of close codes (1013, try again later).
pub fn ended(code: Code, answer: &Answer) -> String {
    let mut lines = Lines::of("ended");
    lines.add_number(if code.status() == 503 { 1013 } else { 1008 });
    lines.add(code.as_str());
    lines.add(&answered(answer));
    lines.0
}

/// Which of the application's response headers stay inside. `names` and what is returned: one a line.
/// `connection`: the answer's header of that name.
pub fn kept_inside(names: &str, connection: &str) -> String {
    let hops = NamedHops::read(Some(connection).filter(|connection| !connection.is_empty()));
    let inside: Vec<&str> = names
        .split('\n')
        .filter(|name| !name.is_empty() && !is_answered(name, &hops))
        .collect();
    inside.join("\n")
}

/// Lines, one after the other.
struct Lines(String);

impl Lines {
    fn of(first: &str) -> Self {
        let mut text = String::with_capacity(1024);
        text.push_str(first);
        Self(text)
    }

    fn add(&mut self, line: &str) {
        self.0.push('\n');
        self.0.push_str(line);
    }

    fn add_number(&mut self, number: impl Display) {
        // writing to a String can't fail
        let _ = write!(self.0, "\n{number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        refusal::Refusal,
        testing::{self, config_with},
    };

    const TEXT: &str = "GET\nhttps://app.example.com/a?b\n7\nauthorization\nBearer x\nx-empty\n\n\
        x-request-id\nmine\nx-plinto-roles\nowner\nx_plinto_roles\nowner\nconnection\nclose, x-hop\nx-hop\n1";

    fn pass() -> Pass {
        Pass {
            target: "/a?b".to_owned(),
            headers: vec![(headers::SUBJECT, "user_1".to_owned())],
            sequence: 7,
            is_of_token: true,
            timeout_s: None,
        }
    }

    #[test]
    fn a_request_is_read_from_its_lines() {
        let packed = Packed::read(TEXT).unwrap();
        let request = packed.request().unwrap();
        assert_eq!(request.method, "GET");
        assert_eq!((&*request.raw_path, &*request.query), ("/a", "?b"));
        assert_eq!(request.authorization.as_deref(), Some("Bearer x"));
        assert_eq!(request.ip, None);
        assert_eq!(packed.header("X-Empty"), Some(""));
        assert_eq!(Packed::read("GET"), None);
        assert_eq!(Packed::read("GET\nhttps://a/\n1\nname-without-value"), None);
        assert_eq!(Packed::read("GET\n/a\n0").unwrap().request(), None);
    }

    #[test]
    fn a_line_too_many_is_no_header() {
        let one = "GET\nhttps://a/\n1\nx-a\n1";
        assert!(Packed::read(one).is_some());
        assert_eq!(Packed::read(&format!("{one}\nx-plinto-roles\nowner")), None);
    }

    #[test]
    fn a_forwarded_request_drops_what_a_client_could_pretend_and_sets_ours() {
        let packed = Packed::read(TEXT).unwrap();
        let asked = packed.request().unwrap();
        let inside = config_with(&[("UPSTREAM", "https://inside/base")]);
        let lines = packed.forwarded(&asked, &pass(), &inside, "req_1");
        let expected = "pass\nreq_1\nhttps://inside/base/a?b\n30000\n500\n5\n5\n2\n\
            x-request-id\nx-plinto-roles\nx_plinto_roles\nconnection\nx-hop\n\
            x-forwarded-proto\nhttps\nx-forwarded-host\napp.example.com\nx-request-id\nreq_1\n\
            x-client-request-id\nmine\nx-plinto-subject\nuser_1\n\
            x-request-id\nreq_1\nx-plinto-sequence\n7";
        assert_eq!(lines, expected);
        let mut bound = config_with(&[]);
        bound.upstream = Upstream::Binding;
        let lines = packed.forwarded(&asked, &pass(), &bound, "req_1");
        assert_eq!(lines.lines().nth(2), Some("https://app.example.com/a?b"));
    }

    #[test]
    fn a_request_says_how_long_it_may_take_and_how_often_its_token_is_looked_at() {
        let packed = Packed::read(TEXT).unwrap();
        let asked = packed.request().unwrap();
        let patient = config_with(&[
            ("UPSTREAM_TIMEOUT_S", "90"),
            ("REVOCATION_MAX_AGE_MS", "400"),
        ]);
        let times = |pass: &Pass| {
            let lines = packed.forwarded(&asked, pass, &patient, "req_1");
            let times = lines.lines().skip(3).take(2).map(str::to_owned);
            times.collect::<Vec<_>>()
        };
        assert_eq!(times(&pass()), ["90000", "200"]);
        assert_eq!(times(&pass().within(Some(5))), ["5000", "200"]);
        let of_nobody = Pass {
            is_of_token: false,
            ..pass()
        };
        assert_eq!(times(&of_nobody), ["90000", "0"]);
    }

    #[test]
    fn the_application_is_told_the_secret_by_which_it_knows_the_edge() {
        let packed = Packed::read(TEXT).unwrap();
        let asked = packed.request().unwrap();
        let secret = "an-edge's-secret-of-32-characters";
        let known = config_with(&[("UPSTREAM_SECRET", secret)]);
        let lines = packed.forwarded(&asked, &pass(), &known, "req_1");
        let told = format!("\nx-plinto-upstream-secret\n{secret}\n");
        assert!(lines.contains(&told), "{lines}");
        assert!(!format!("{known:?}").contains(secret));
    }

    /// Statement T11: 72 KB of them once took two seconds.
    #[test]
    fn a_long_connection_header_costs_no_more_than_its_length() {
        let many = 2_000;
        let options: Vec<_> = (0..many).map(|number| format!("x-{number}")).collect();
        let mut text = format!("GET\nhttps://a/\n{}\nconnection\n", many + 1);
        text.push_str(&options.join(","));
        for option in &options {
            let _ = write!(text, "\n{option}\n1");
        }
        let packed = Packed::read(&text).unwrap();
        let asked = packed.request().unwrap();
        let (lines, steps) =
            testing::counted(|| packed.forwarded(&asked, &pass(), &config_with(&[]), "req_1"));
        assert_eq!(lines.lines().nth(5), Some("2001"));
        assert!(steps <= 2 * many + 1, "{steps} names were read");
    }

    #[test]
    fn an_answer_ends_with_its_body() {
        let answer = Answer {
            status: 401,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: "two\nlines".to_owned(),
        };
        assert_eq!(
            answered(&answer),
            "answer\n401\n1\ncontent-type\ntext/plain\ntwo\nlines"
        );
    }

    #[test]
    fn the_application_s_hop_by_hop_and_plinto_headers_stay_inside() {
        assert_eq!(
            kept_inside(
                "content-type\nconnection\nset-cookie\nx-hop\nX-Plinto_Roles",
                "x-hop, close"
            ),
            "connection\nx-hop\nX-Plinto_Roles"
        );
        assert_eq!(kept_inside("", ""), "");
    }

    #[test]
    fn a_token_s_end_says_how_to_close_a_socket_and_what_to_answer() {
        let told = |code| {
            let refusal = Refusal::new(code, "no");
            let answer = refusal.answer(&testing::request("GET", "/a", None), "req_1", None);
            let lines = ended(code, &answer);
            let lines: Vec<_> = lines.lines().take(5).map(str::to_owned).collect();
            lines.join(" ")
        };
        assert_eq!(
            told(Code::TokenRevoked),
            "ended 1008 token_revoked answer 401"
        );
        assert_eq!(
            told(Code::RevocationUnknown),
            "ended 1013 revocation_unknown answer 503"
        );
    }
}
