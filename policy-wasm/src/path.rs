//! The path of a request in the one form that the gate and the application both read.
//!
//! A gate that reads `/a%2fb` as one segment in front of an application that reads two protects
//! nothing. So what two readers could read differently is refused, and what passes is forwarded
//! in canonical spelling.

use std::fmt::Write as _;

/// 4 KiB: longest path looked at; common servers stop at 8 KiB for the whole request line.
const MAX_BYTES: usize = 4 * 1024;

/// Why a path is not put to the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with a slash.
    #[error("the path must start with `/`")]
    Relative,
    /// Longer than 4 KiB.
    #[error("the path is too long")]
    TooLong,
    /// `//` inside: some servers fold it, some do not.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `.` or `..`, plain or encoded.
    #[error("the path has a dot segment")]
    DotSegment,
    /// `\`, `%2F` or `%5C`: a separator to some servers, text to others.
    #[error("the path has an encoded or backward slash")]
    Separator,
    /// `;` starts path parameters in some servers.
    #[error("the path has a `;`")]
    Parameters,
    /// A control character, plain or encoded.
    #[error("the path has a control character")]
    Control,
    /// `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    Encoding,
    /// It decodes to something that could be decoded again.
    #[error("the path is encoded twice")]
    EncodedTwice,
}

/// A path both sides read alike: its decoded segments, and whether a slash ends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    segments: Vec<String>,
    ends_with_slash: bool,
}

impl CanonicalPath {
    /// Reads the path as it stands in the request line, without its query.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if raw.len() > MAX_BYTES {
            return Err(PathError::TooLong);
        }
        let rest = raw.strip_prefix('/').ok_or(PathError::Relative)?;
        if rest.is_empty() {
            return Ok(Self {
                segments: Vec::new(),
                ends_with_slash: true,
            });
        }
        let (rest, ends_with_slash) = match rest.strip_suffix('/') {
            Some(inner) => (inner, true),
            None => (rest, false),
        };
        let segments = rest.split('/').map(segment).collect::<Result<_, _>>()?;
        Ok(Self {
            segments,
            ends_with_slash,
        })
    }

    /// The decoded segments.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Whether a slash stands at the end; `/a/` is another path than `/a`.
    pub const fn ends_with_slash(&self) -> bool {
        self.ends_with_slash
    }

    /// The decoded text, as a policy sees it.
    pub fn decoded(&self) -> String {
        self.joined(String::push_str)
    }

    /// The canonical spelling, as it is forwarded. Source: RFC 3986 §2.3, §3.3.
    pub fn encoded(&self) -> String {
        self.joined(|text, segment| {
            for byte in segment.bytes() {
                if is_plain(byte) {
                    text.push(char::from(byte));
                } else {
                    // writing to a String can't fail
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        })
    }

    fn joined(&self, mut push: impl FnMut(&mut String, &str)) -> String {
        let mut text = String::with_capacity(64);
        for segment in &self.segments {
            text.push('/');
            push(&mut text, segment);
        }
        if self.ends_with_slash {
            text.push('/');
        }
        text
    }
}

/// Characters of a segment that need no encoding; `;` never gets here.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

fn segment(raw: &str) -> Result<String, PathError> {
    if raw.is_empty() {
        return Err(PathError::EmptySegment);
    }
    if raw.contains(';') {
        return Err(PathError::Parameters);
    }
    let decoded = percent_decoded(raw)?;
    if decoded == "." || decoded == ".." {
        return Err(PathError::DotSegment);
    }
    if decoded.contains(['/', '\\']) {
        return Err(PathError::Separator);
    }
    if decoded.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    if holds_escape(&decoded) {
        return Err(PathError::EncodedTwice);
    }
    Ok(decoded)
}

/// Whether a second decoding would find something, whatever stands around it: some decoders skip
/// a `%` that encodes nothing and go on behind it.
fn holds_escape(text: &str) -> bool {
    let is_escape = |three: &[u8]| match three {
        [b'%', high, low] => digit(*high).and(digit(*low)).is_some(),
        _ => false,
    };
    text.as_bytes().windows(3).any(is_escape)
}

fn percent_decoded(text: &str) -> Result<String, PathError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = rest.next().and_then(digit).ok_or(PathError::Encoding)?;
            let low = rest.next().and_then(digit).ok_or(PathError::Encoding)?;
            bytes.push((high << 4) | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| PathError::Encoding)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Vec<String> {
        CanonicalPath::parse(raw).unwrap().segments().to_vec()
    }

    #[test]
    fn a_path_is_read_decoded_and_forwarded_in_one_spelling() {
        let path = CanonicalPath::parse("/%64ocuments/a%20b/gr%C3%BCn/x+y").unwrap();
        assert_eq!(path.segments(), ["documents", "a b", "grün", "x+y"]);
        assert_eq!(path.decoded(), "/documents/a b/grün/x+y");
        assert_eq!(path.encoded(), "/documents/a%20b/gr%C3%BCn/x+y");
        assert_eq!(segments("/"), Vec::<String>::new());
        assert_eq!(CanonicalPath::parse("/").unwrap().encoded(), "/");
    }

    #[test]
    fn a_slash_at_the_end_makes_another_path() {
        let path = CanonicalPath::parse("/documents/").unwrap();
        assert!(path.ends_with_slash());
        assert_eq!(path.segments(), ["documents"]);
        assert_eq!(path.encoded(), "/documents/");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (raw, why) in [
            ("documents", PathError::Relative),
            ("//documents", PathError::EmptySegment),
            ("/documents//7", PathError::EmptySegment),
            ("/documents//", PathError::EmptySegment),
            ("/a/../b", PathError::DotSegment),
            ("/a/%2e%2E/b", PathError::DotSegment),
            ("/a/./b", PathError::DotSegment),
            ("/a%2fb", PathError::Separator),
            ("/a%5Cb", PathError::Separator),
            ("/a\\b", PathError::Separator),
            ("/a;v=1/b", PathError::Parameters),
            ("/a%00", PathError::Control),
            ("/a%0d%0ab", PathError::Control),
            ("/a%7f", PathError::Control),
            ("/a%", PathError::Encoding),
            ("/a%zz", PathError::Encoding),
            ("/a%ff", PathError::Encoding),
            ("/a%252fb", PathError::EncodedTwice),
            ("/a%252e%252e", PathError::EncodedTwice),
            // a stray `%` or a broken character does not hide the rest
            ("/documents/a%252f..%252fstop%25", PathError::EncodedTwice),
            ("/a%25%2541", PathError::EncodedTwice),
            ("/a%25ff", PathError::EncodedTwice),
        ] {
            assert_eq!(CanonicalPath::parse(raw), Err(why), "{raw}");
        }
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        assert_eq!(CanonicalPath::parse(&long), Err(PathError::TooLong));
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_text() {
        assert_eq!(segments("/100%25"), ["100%"]);
        assert_eq!(
            segments("/100%25/5%25%20off/%25zz"),
            ["100%", "5% off", "%zz"]
        );
        assert_eq!(
            CanonicalPath::parse("/100%25").unwrap().encoded(),
            "/100%25"
        );
    }
}
