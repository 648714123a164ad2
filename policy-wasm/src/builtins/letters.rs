//! Letters in the other case, each for itself. Source: Go, `unicode.ToLower` and `unicode.ToUpper`.

/// One letter for one, unlike Rust's: only `İ` would become two.
pub(super) fn lower(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let mut letters = letter.to_lowercase();
    letters.next().unwrap_or(letter)
}

/// One letter for one, unlike Rust's: `ß` stays.
pub(super) fn upper(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_uppercase();
    }
    let mut letters = letter.to_uppercase();
    match (letters.next(), letters.next()) {
        (Some(upper), None) => upper,
        _ => greek_with_iota(letter).unwrap_or(letter),
    }
}

/// What has an iota below becomes two letters in full, but has one with the iota beside it.
fn greek_with_iota(letter: char) -> Option<char> {
    let distance = match letter {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => return None,
    };
    char::from_u32(u32::from(letter).saturating_add(distance))
}
