//! Addresses as Go's `net/url` takes them.

/// What is asked of an address.
pub(super) struct Uri<'t> {
    pub(super) has_scheme: bool,
    pub(super) path: &'t str,
}

/// `None`: Go refuses it.
pub(super) fn parse(text: &str) -> Option<Uri<'_>> {
    if text
        .chars()
        .any(|character| character < ' ' || character == '\u{7f}')
    {
        return None;
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    is_escaped(fragment).then_some(())?;
    let (scheme, rest) = scheme(text)?;
    let has_scheme = !scheme.is_empty();
    let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
    let uri = |path| Uri { has_scheme, path };
    if !rest.starts_with('/') {
        if has_scheme {
            // Nothing of what has no slash is looked at.
            return Some(uri(""));
        }
        let first = rest.split('/').next().unwrap_or_default();
        if first.contains(':') {
            return None;
        }
    }
    let mut path = rest;
    if let Some(after) = rest
        .strip_prefix("//")
        .filter(|_| has_scheme || !rest.starts_with("///"))
    {
        let end = after.find('/').unwrap_or(after.len());
        let (authority, after) = after.split_at_checked(end)?;
        is_authority(authority).then_some(())?;
        path = after;
    }
    is_escaped(path).then(|| uri(path))
}

/// A scheme, if there is one, and what follows it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (place, character) in text.char_indices() {
        match character {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if place > 0 => {}
            ':' => {
                let (scheme, rest) = text.split_at_checked(place)?;
                let rest = rest.strip_prefix(':')?;
                return (place > 0).then_some((scheme, rest));
            }
            _ => break,
        }
    }
    Some(("", text))
}

/// Whether every percent sign stands before two digits.
fn is_escaped(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn is_authority(authority: &str) -> bool {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_user) || !is_escaped(user) {
        return false;
    }
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.rsplit_once(']') {
            Some((name, port)) => (name, port),
            None => return false,
        },
        None => match host.rfind(':') {
            Some(place) => host.split_at_checked(place).unwrap_or_default(),
            None => (host, ""),
        },
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let is_host = |byte: u8| {
        byte.is_ascii_alphanumeric() || byte >= 0x80 || b"-._~!$&'()*+,;=:[]<>\"%".contains(&byte)
    };
    is_port && name.bytes().all(is_host) && is_escaped(name)
}
