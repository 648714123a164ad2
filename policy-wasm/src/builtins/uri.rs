//! `uri.*`, and URIs as Go, `net/url`, takes them apart. Source: RFC 3986; OPA, "Policy Reference", URI.

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("uri.is_valid", is_valid),
    Builtin::new("uri.parse", parse),
];

/// Parts that are empty are left out.
fn parse(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    context.budget.pay_bytes(text.len().saturating_mul(8))?;
    let uri = Uri::parse(text).ok_or_else(|| CallError::new(format!("parse {text:?}: no URI")))?;
    let (hostname, port) = uri.hostname_and_port();
    let raw_path = if uri.raw_path.is_empty() {
        &uri.path
    } else {
        &uri.raw_path
    };
    let members = [
        ("scheme", uri.scheme.as_str()),
        ("hostname", hostname),
        ("port", port),
        ("path", &uri.path),
        ("raw_path", raw_path),
        ("raw_query", &uri.raw_query),
        ("fragment", &uri.fragment),
    ];
    let members = members.into_iter().filter(|(_, part)| !part.is_empty());
    let members = members.map(|(name, part)| (Value::from(name), Value::from(part)));
    Ok(Some(Value::object(members.collect())))
}

/// The empty text is a reference, but nothing that a policy would take for one.
fn is_valid(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::any(arguments, 0)?.as_str().unwrap_or_default();
    context.budget.pay_bytes(text.len().saturating_mul(8))?;
    let is_valid = !text.is_empty() && Uri::parse(text).is_some();
    Ok(Some(Value::from(is_valid)))
}

/// The parts of a URI.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Uri {
    pub(super) scheme: String,
    pub(super) opaque: String,
    /// As it is written again.
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) path: String,
    /// As it was written, where that differs from what it would be written as.
    pub(super) raw_path: String,
    pub(super) omits_host: bool,
    pub(super) forces_query: bool,
    pub(super) raw_query: String,
    pub(super) fragment: String,
    pub(super) raw_fragment: String,
}

/// Where in a URI something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    User,
    Host,
    /// Behind an address of IPv6, RFC 6874.
    Zone,
    Path,
    Fragment,
}

impl Uri {
    /// `None`: it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut uri = Self::without_fragment(before)?;
        uri.fragment = unescape(fragment, Place::Fragment)?;
        if escape(&uri.fragment, Place::Fragment) != fragment {
            fragment.clone_into(&mut uri.raw_fragment);
        }
        Some(uri)
    }

    fn without_fragment(text: &str) -> Option<Self> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return None;
        }
        let mut uri = Self::default();
        if text == "*" {
            text.clone_into(&mut uri.path);
            return Some(uri);
        }
        let (scheme, rest) = scheme(text)?;
        uri.scheme = scheme.to_ascii_lowercase();
        let rest = match rest.split_once('?') {
            Some((rest, "")) => {
                uri.forces_query = true;
                rest
            }
            Some((rest, query)) => {
                query.clone_into(&mut uri.raw_query);
                rest
            }
            None => rest,
        };
        if !rest.starts_with('/') {
            if !uri.scheme.is_empty() {
                rest.clone_into(&mut uri.opaque);
                return Some(uri);
            }
            // It would be taken for a scheme.
            if rest
                .split('/')
                .next()
                .is_some_and(|segment| segment.contains(':'))
            {
                return None;
            }
        }
        let has_authority = !uri.scheme.is_empty() || !rest.starts_with("///");
        let path = match rest.strip_prefix("//") {
            Some(authority) if has_authority => {
                let end = authority.find('/').unwrap_or(authority.len());
                let (authority, path) = authority.split_at_checked(end)?;
                uri.read_authority(authority)?;
                path
            }
            _ => {
                uri.omits_host = !uri.scheme.is_empty() && rest.starts_with('/');
                rest
            }
        };
        uri.path = unescape(path, Place::Path)?;
        if escape(&uri.path, Place::Path) != path {
            path.clone_into(&mut uri.raw_path);
        }
        Some(uri)
    }

    /// An address in brackets comes without them.
    fn hostname_and_port(&self) -> (&str, &str) {
        let colon = self.host.rfind(':');
        let colon = colon.filter(|colon| self.host.get(*colon..).is_some_and(is_port));
        let (host, port) = match colon {
            Some(colon) => self.host.split_at_checked(colon).unwrap_or_default(),
            None => (self.host.as_str(), ""),
        };
        let address = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        (
            address.unwrap_or(host),
            port.strip_prefix(':').unwrap_or(port),
        )
    }

    fn read_authority(&mut self, authority: &str) -> Option<()> {
        let Some((user, host)) = authority.rsplit_once('@') else {
            self.host = host(&self.scheme, authority)?;
            return Some(());
        };
        self.host = self::host(&self.scheme, host)?;
        let is_allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(is_allowed) {
            return None;
        }
        let parts = user.splitn(2, ':');
        let again = parts.map(|part| Some(escape(&unescape(part, Place::User)?, Place::User)));
        self.user = Some(again.collect::<Option<Vec<_>>>()?.join(":"));
        Some(())
    }
}

/// As it is written.
impl std::fmt::Display for Uri {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
        }
        if self.opaque.is_empty() {
            self.push_hierarchy(&mut out);
        } else {
            out.push_str(&self.opaque);
        }
        if self.forces_query || !self.raw_query.is_empty() {
            out.push('?');
            out.push_str(&self.raw_query);
        }
        if !self.fragment.is_empty() {
            out.push('#');
            out.push_str(&as_written(
                &self.raw_fragment,
                &self.fragment,
                Place::Fragment,
            ));
        }
        formatter.write_str(&out)
    }
}

impl Uri {
    fn push_hierarchy(&self, out: &mut String) {
        let has_host = !self.host.is_empty() || self.user.is_some();
        if has_host || (!self.scheme.is_empty() && !self.omits_host && !self.path.is_empty()) {
            out.push_str("//");
        }
        if let Some(user) = &self.user {
            out.push_str(user);
            out.push('@');
        }
        out.push_str(&escape(&self.host, Place::Host));
        let path = if self.path == "*" {
            "*".to_owned()
        } else {
            as_written(&self.raw_path, &self.path, Place::Path)
        };
        if !path.is_empty() && !path.starts_with('/') && !self.host.is_empty() {
            out.push('/');
        }
        if out.is_empty()
            && path
                .split('/')
                .next()
                .is_some_and(|part| part.contains(':'))
        {
            out.push_str("./");
        }
        out.push_str(&path);
    }
}

/// The text as it was written, if that can be written so.
fn as_written(raw: &str, text: &str, place: Place) -> String {
    let is_allowed = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !is_escaped(byte, place);
    if !raw.is_empty() && raw.bytes().all(is_allowed) {
        return raw.to_owned();
    }
    escape(text, place)
}

/// What stands before the first `:`, if it can be a scheme. `None`: nothing stands before it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' => {
                return text
                    .split_once(':')
                    .filter(|(scheme, _)| !scheme.is_empty());
            }
            _ => break,
        }
    }
    Some(("", text))
}

/// A host, with its port.
fn host(scheme: &str, text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('[') {
        let (address, port) = literal.rsplit_once(']')?;
        if literal.contains('[') || !is_port(port) {
            return None;
        }
        // A zone may follow `%25`.
        let (address, zone) = match address.split_once("%25") {
            Some((_, "")) => return None,
            Some((address, zone)) => (address, format!("%{}", unescape(zone, Place::Zone)?)),
            None => (address, String::new()),
        };
        address.parse::<std::net::Ipv6Addr>().ok()?;
        return Some(format!("[{address}{zone}]{port}"));
    }
    if text.contains('[') {
        return None;
    }
    let is_web = scheme == "http" || scheme == "https";
    let colon = if is_web {
        text.find(':')
    } else {
        text.rfind(':')
    };
    if let Some(colon) = colon
        && !is_port(text.get(colon..)?)
    {
        return None;
    }
    unescape(text, Place::Host)
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_escaped(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let plain: &[u8] = match place {
        Place::User => b"$&+,;=",
        Place::Host | Place::Zone => b"!$&'()*+,;=:[]<>\"",
        Place::Path => b"$&+,/:;=@",
        Place::Fragment => b"$&+,/:;=?@!()*",
    };
    !plain.contains(&byte)
}

fn escape(text: &str, place: Place) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if is_escaped(byte, place) {
            out.push('%');
            out.push_str(&hex::encode_upper([byte]));
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// `None`: a `%` is not followed by two digits, or something may not stand there.
fn unescape(text: &str, place: Place) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let mut value = [0];
            hex::decode_to_slice(digits, &mut value).ok()?;
            let [value] = value;
            let is_refused = match place {
                Place::Host => value < 0x80 && value != b'%',
                Place::Zone => !matches!(value, b'%' | b' ') && is_escaped(value, place),
                _ => false,
            };
            if is_refused {
                return None;
            }
            out.push(value);
        } else if matches!(place, Place::Host | Place::Zone)
            && byte < 0x80
            && is_escaped(byte, place)
        {
            return None;
        } else {
            out.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}
