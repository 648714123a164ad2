//! Which passwords are acceptable. Pure: the same password and words give the same answer.
//!
//! Length is what counts (A1); a password that is common, or made of common pieces, repetitions,
//! sequences and the person's own words, is refused however long it is (A2). No rules about
//! kinds of characters. Source: NIST SP 800-63B-4 §3.1.1.2.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// 15 characters when the password is the only factor. Source: statement A1.
const MIN_CHARS: usize = 15;
/// 1,024 bytes: longer ones are refused, never cut. Source: statement A1.
const MAX_BYTES: usize = 1_024;
/// 8: what must remain of a password once every guessable piece counts as one or two characters.
const MIN_UNGUESSABLE: usize = 8;
/// Common passwords, sorted; lines that start with `#` carry their licence.
const COMMON: &str = include_str!("common_passwords.txt");
/// Runs that fingers or schoolbooks know, besides the neighbours in Unicode (`abc`, `321`).
const KEYBOARD_RUNS: [&str; 8] = [
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1234567890",
];

/// A password as it came in, NFC so that one password is one byte string on every keyboard.
/// Source: RFC 8265 §4.2.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes any text; whether it is acceptable is [`AcceptablePassword::check`]'s question.
    pub fn new(text: &str) -> Self {
        // Normalising an over-long text would be work for nothing: it is refused anyway.
        if text.len() > MAX_BYTES {
            return Self(Zeroizing::new(text.to_owned()));
        }
        Self(Zeroizing::new(text.nfc().collect()))
    }

    /// The bytes to hash, or `None` when no account can have this password.
    pub fn hashable(&self) -> Option<&[u8]> {
        (!self.0.is_empty() && self.0.len() <= MAX_BYTES).then_some(self.0.as_bytes())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self::new(&text))
    }
}

/// Why a password is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than 15 characters.
    #[error(
        "a password has at least {MIN_CHARS} characters; a few unrelated words make a good one"
    )]
    TooShort,
    /// More than 1,024 bytes.
    #[error("a password has at most {MAX_BYTES} bytes")]
    TooLong,
    /// Known, or made of pieces that everybody tries first.
    #[error(
        "the password is common, or made of common words, repetitions, sequences or your own name"
    )]
    TooCommon,
}

/// A password that may be stored.
#[derive(Debug, Clone)]
pub struct AcceptablePassword(Password);

impl AcceptablePassword {
    /// Checks a new password.
    /// `words`: pieces of the e-mail address, the tenant's name and the like.
    /// Errors: see [`PasswordProblem`].
    pub fn check<'word>(
        password: Password,
        words: impl IntoIterator<Item = &'word str>,
    ) -> Result<Self, PasswordProblem> {
        if password.0.len() > MAX_BYTES {
            return Err(PasswordProblem::TooLong);
        }
        if password.0.chars().count() < MIN_CHARS {
            return Err(PasswordProblem::TooShort);
        }
        let words: Vec<String> = words
            .into_iter()
            .map(plain)
            .filter(|word| word.len() >= 3)
            .map(|word| word.into_iter().collect())
            .collect();
        let mut judged = plain(&password.0);
        judged.truncate(JUDGED_CHARS);
        if unguessable_chars(&judged, &words) < MIN_UNGUESSABLE {
            return Err(PasswordProblem::TooCommon);
        }
        Ok(Self(password))
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.0.as_bytes()
    }
}

/// A password's PHC string, as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// Takes a PHC string.
    pub fn new(phc: String) -> Self {
        Self(Zeroizing::new(phc))
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

/// Lower case, with the usual look-alikes undone.
fn plain(text: &str) -> Vec<char> {
    text.to_lowercase()
        .chars()
        .map(|character| match character {
            '@' => 'a',
            '$' => 's',
            '!' => 'i',
            other => other,
        })
        .collect()
}

/// Digits that stand for letters in the middle of words.
fn letters(piece: &str) -> String {
    piece
        .chars()
        .map(|character| match character {
            '0' => 'o',
            '1' => 'i',
            '3' => 'e',
            '4' => 'a',
            '5' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// How many characters an attacker who knows the usual pieces still has to guess: the cheapest
/// way to spell the password, where a known word costs two, one of the person's own words, a
/// sequence or one more repetition costs one, and anything else one a character.
fn unguessable_chars(password: &[char], words: &[String]) -> usize {
    let length = password.len();
    let mut cost: Vec<usize> = vec![usize::MAX; length.saturating_add(1)];
    let set = |cost: &mut Vec<usize>, at: usize, value: usize| {
        if let Some(slot) = cost.get_mut(at) {
            *slot = value.min(*slot);
        }
    };
    set(&mut cost, 0, 0);
    for start in 0..length {
        let Some(&so_far) = cost.get(start) else {
            continue;
        };
        set(&mut cost, start + 1, so_far + 1);
        for (end, price) in pieces(password, start, words) {
            set(&mut cost, end, so_far + price);
        }
    }
    cost.last().copied().unwrap_or_default()
}

/// The guessable pieces that begin at `start`: where each ends, and what it costs.
fn pieces(password: &[char], start: usize, words: &[String]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let rest = password.get(start..).unwrap_or_default();
    let run = sequence_length(rest);
    if run >= 3 {
        found.push((start + run, 1));
    }
    for length in 3..=rest.len().min(LONGEST_PIECE) {
        let Some(piece) = rest.get(..length) else {
            break;
        };
        let end = start + length;
        let before = password.get(..start).unwrap_or_default();
        if before.windows(length).any(|seen| seen == piece) {
            found.push((end, 1));
        }
        let text: String = piece.iter().collect();
        if words.contains(&text) || KEYBOARD_RUNS.iter().any(|run| run_holds(run, &text)) {
            found.push((end, 1));
        } else if length >= 4 && (is_common(&text) || is_common(&letters(&text))) {
            found.push((end, 2));
        }
    }
    found
}

/// 40 characters: the longest piece looked up.
const LONGEST_PIECE: usize = 40;
/// 128 characters are judged: enough to find what is hard to guess, and a bound for the work.
const JUDGED_CHARS: usize = 128;

/// How far the first characters go up or down by one, or stay the same.
fn sequence_length(rest: &[char]) -> usize {
    let step = |pair: &[char]| match pair {
        [a, b] => Some(i64::from(u32::from(*b)) - i64::from(u32::from(*a))),
        _ => None,
    };
    let mut steps = rest.windows(2).map(step);
    match steps.next() {
        Some(Some(first)) if (-1..=1).contains(&first) => {
            2 + steps.take_while(|next| *next == Some(first)).count()
        }
        _ => rest.len().min(1),
    }
}

fn run_holds(run: &str, piece: &str) -> bool {
    run.contains(piece) || run.contains(&piece.chars().rev().collect::<String>())
}

fn is_common(piece: &str) -> bool {
    use std::sync::LazyLock;
    static SORTED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        COMMON
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect()
    });
    SORTED.binary_search(&piece).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), PasswordProblem> {
        let words = ["alice", "wonderland", "example", "acme"];
        AcceptablePassword::check(Password::new(text), words).map(|_| ())
    }

    /// A1: at least 15 characters, counted as people count them.
    #[test]
    fn fourteen_characters_are_too_few_and_fifteen_enough() {
        assert_eq!(check("vT9kq2Lw8zRb4m"), Err(PasswordProblem::TooShort));
        assert_eq!(check("vT9kq2Lw8zRb4mX"), Ok(()));
        assert_eq!(check(""), Err(PasswordProblem::TooShort));
        // 15 characters of three bytes each, and 15 that compose out of 30.
        assert_eq!(
            check(
                "\u{3042}\u{30ab}\u{6c34}\u{5c71}\u{82b1}\u{9ce5}\u{98a8}\u{6708}\u{7a7a}\u{6d77}\u{68ee}\u{706b}\u{571f}\u{661f}\u{96ea}"
            ),
            Ok(())
        );
        assert_eq!(
            check(&"e\u{301}".repeat(14)),
            Err(PasswordProblem::TooShort)
        );
    }

    /// A1: refused, not cut; no rules about kinds of characters.
    #[test]
    fn over_1024_bytes_are_refused_and_64_characters_of_one_kind_are_fine() {
        let varied: String = (0..1_024_u32)
            .map(|at| char::from(b'a' + u8::try_from(at * at * 7 % 25).unwrap()))
            .collect();
        assert_eq!(check(&varied), Ok(()));
        assert_eq!(check(&format!("{varied}x")), Err(PasswordProblem::TooLong));
        assert_eq!(check("gavotte brindle quokka tessellate marzipan"), Ok(()));
    }

    /// A2: the list, and what is made of its entries.
    #[test]
    fn common_passwords_and_what_is_made_of_them_are_refused() {
        for text in [
            "123456789987654321",
            "passwordpassword",
            "Password1234567",
            "P@ssw0rdP@ssw0rd",
            "qwertyuiopasdfgh",
            "1qaz2wsx3edc4rfv",
            "iloveyou12345678",
            "aaaaaaaaaaaaaaaa",
            "abcdefghijklmnopq",
            "9876543210987654",
            "abcabcabcabcabcabc",
            "monkeydragonshadow",
            "Summer2026Summer2026",
            "letmeinletmein!!!",
            "12345678901234567890",
            "qwertzuiopqwertzuiop",
            "lkjhgfdsalkjhgfdsa",
        ] {
            assert_eq!(check(text), Err(PasswordProblem::TooCommon), "{text}");
        }
    }

    /// A2: the person's and the tenant's own words.
    #[test]
    fn ones_own_words_do_not_make_a_password() {
        for text in [
            "alicewonderland",
            "Wonderland-Alice-1",
            "acmeacmeexample12",
            "alice@example.acme",
        ] {
            assert_eq!(check(text), Err(PasswordProblem::TooCommon), "{text}");
        }
        assert_eq!(check("alice owns nine purple umbrellas"), Ok(()));
    }

    #[test]
    fn long_passwords_with_something_to_guess_are_accepted() {
        for text in [
            "tulip anchor mosaic vivid",
            "correct-zebra-9-staple",
            "k8#Vq!x2Lp0sWm5Z",
            "the rain in Spain falls mainly",
            "Rindfleischetikettierung",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_lower_case() {
        let entries: Vec<_> = COMMON
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(entries.len() > 3_000);
        assert!(entries.windows(2).all(|pair| pair.first() < pair.last()));
        assert!(
            entries
                .iter()
                .all(|entry| !entry.chars().any(char::is_uppercase))
        );
    }

    #[test]
    fn one_password_on_two_keyboards_is_one_byte_string() {
        let composed = Password::new("caf\u{e9} au lait deux sucres");
        let decomposed = Password::new("cafe\u{301} au lait deux sucres");
        assert_eq!(composed.hashable(), decomposed.hashable());
        assert_eq!(format!("{composed:?}"), "Password(…)");
    }

    #[test]
    fn empty_and_over_long_passwords_belong_to_nobody() {
        assert_eq!(Password::new("").hashable(), None);
        assert_eq!(Password::new(&"x".repeat(1_025)).hashable(), None);
        assert!(Password::new(&"x".repeat(1_024)).hashable().is_some());
    }
}
