//! Base64 as Go reads it: line ends are passed over, and the bits that are left at the end may be
//! anything. Source: Go, `encoding/base64`.

/// `+/`, or `-_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Alphabet {
    Standard,
    Url,
}

/// Whether `=` fills up the last four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Padding {
    Needed,
    None,
}

const fn digit(byte: u8, alphabet: Alphabet) -> Option<u8> {
    Some(match (byte, alphabet) {
        (b'A'..=b'Z', _) => byte.wrapping_sub(b'A'),
        (b'a'..=b'z', _) => byte.wrapping_sub(b'a').wrapping_add(26),
        (b'0'..=b'9', _) => byte.wrapping_sub(b'0').wrapping_add(52),
        (b'+', Alphabet::Standard) | (b'-', Alphabet::Url) => 62,
        (b'/', Alphabet::Standard) | (b'_', Alphabet::Url) => 63,
        _ => return None,
    })
}

/// `None`: it is no base64 of that kind.
pub(in crate::builtins) fn decode(
    text: &[u8],
    alphabet: Alphabet,
    padding: Padding,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4);
    let mut digits = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'));
    let mut bits = 0_u32;
    let mut count = 0_u8;
    while let Some(byte) = digits.next() {
        let Some(value) = digit(byte, alphabet) else {
            let rest: Vec<u8> = digits.take(2).collect();
            let is_end = match count {
                2 => rest == b"=",
                3 => rest.is_empty(),
                _ => false,
            };
            if byte != b'=' || padding == Padding::None || !is_end {
                return None;
            }
            push(&mut out, bits, count);
            return Some(out);
        };
        bits = bits.wrapping_shl(6) | u32::from(value);
        count = count.wrapping_add(1);
        if count == 4 {
            push(&mut out, bits, count);
            (bits, count) = (0, 0);
        }
    }
    match (count, padding) {
        (0, _) => Some(out),
        (2 | 3, Padding::None) => {
            push(&mut out, bits, count);
            Some(out)
        }
        _ => None,
    }
}

/// The whole bytes of as many digits.
fn push(out: &mut Vec<u8>, bits: u32, digits: u8) {
    let missing = 4_u32.saturating_sub(u32::from(digits));
    let [_, bytes @ ..] = bits.wrapping_shl(missing.saturating_mul(6)).to_be_bytes();
    let whole = usize::from(digits.saturating_sub(1));
    out.extend(bytes.iter().take(whole));
}

/// Standard base64 with padding.
pub(in crate::builtins) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    decode(text.as_bytes(), Alphabet::Standard, Padding::Needed)
}

/// URL base64, with or without padding. Source: OPA, `base64url.decode`.
pub(in crate::builtins) fn decode_url(text: &str) -> Option<Vec<u8>> {
    if text.ends_with('=') {
        return decode(text.as_bytes(), Alphabet::Url, Padding::Needed);
    }
    // OPA counts line ends too when it fills up.
    match text.len() % 4 {
        0 => decode(text.as_bytes(), Alphabet::Url, Padding::Needed),
        2 => decode(
            format!("{text}==").as_bytes(),
            Alphabet::Url,
            Padding::Needed,
        ),
        3 => decode(
            format!("{text}=").as_bytes(),
            Alphabet::Url,
            Padding::Needed,
        ),
        _ => None,
    }
}

/// Whichever kind it seems to be. Source: the JWK reader that OPA uses.
pub(in crate::builtins) fn decode_any(text: &str) -> Option<Vec<u8>> {
    let padding = if text.ends_with('=') {
        Padding::Needed
    } else {
        Padding::None
    };
    let alphabet = if text.contains(['+', '/']) {
        Alphabet::Standard
    } else {
        Alphabet::Url
    };
    decode(text.as_bytes(), alphabet, padding)
}

/// Digits of an alphabet.
pub(in crate::builtins) fn encode(bytes: &[u8], alphabet: Alphabet, padding: Padding) -> String {
    use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};
    match (alphabet, padding) {
        (Alphabet::Standard, Padding::Needed) => Base64::encode_string(bytes),
        (Alphabet::Standard, Padding::None) => Base64Unpadded::encode_string(bytes),
        (Alphabet::Url, Padding::Needed) => Base64Url::encode_string(bytes),
        (Alphabet::Url, Padding::None) => Base64UrlUnpadded::encode_string(bytes),
    }
}

/// A PEM block of bytes.
pub(in crate::builtins) fn encode_pem_text(label: &str, bytes: &[u8]) -> Vec<u8> {
    let digits = encode(bytes, Alphabet::Standard, Padding::Needed);
    format!("-----BEGIN {label}-----\n{digits}\n-----END {label}-----\n").into_bytes()
}
