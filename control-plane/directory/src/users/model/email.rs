//! E-mail addresses: which are acceptable, and when two are the same mailbox.
//!
//! What an address is compared by may differ from what its owner wrote in three ways only: case,
//! Unicode's canonical form, and the domain in ASCII. Anything that would have to be repaired first
//! (a percent escape, a character that draws as nothing, a full-width letter) is refused: repaired,
//! it would take the place of somebody else's address.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// 254 bytes: the longest address that fits a mail command. Source: RFC 5321 §4.5.3.1.3.
const EMAIL_BYTES: usize = 254;
/// 64 bytes. Source: RFC 5321 §4.5.3.1.1.
const LOCAL_PART_BYTES: usize = 64;

/// An e-mail address that can be written to, as given and as compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// NFC, otherwise as its owner writes it.
    pub written: String,
    /// Without case, the domain in ASCII: two spellings of one mailbox are equal.
    pub normalized: String,
}

/// Why a string is not an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailProblem {
    /// More than 254 bytes, or more than 64 before the `@`.
    #[error("at most 254 bytes, and at most 64 of them before the `@`")]
    TooLong,
    /// Not of the form `name@domain.example`.
    #[error("an address like `name@example.com` is wanted")]
    Malformed,
    /// A character that the part before the `@` cannot have.
    #[error(
        "before the `@` stand letters, digits and marks of any script, single dots, and any of !#$%&'*+/=?^_`{{|}}~-"
    )]
    LocalPart,
    /// A domain that is no host name as it is written.
    #[error(
        "after the `@` stands a domain like `example.com`, without escapes and characters that stand for others"
    )]
    Domain,
}

impl EmailProblem {
    /// A stable name for the field error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed | Self::LocalPart | Self::Domain => "email_invalid",
        }
    }
}

impl Email {
    /// Reads an address.
    /// Errors: see [`EmailProblem`]; quoted local parts and address literals are refused.
    /// Source: RFC 5321 §4.1.2, RFC 6531 §3.3, UTS 46 for the domain, Unicode §3.13 for case.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        if text.len() > EMAIL_BYTES {
            return Err(EmailProblem::TooLong);
        }
        let written: String = text.nfc().collect();
        let (local, domain) = written.rsplit_once('@').ok_or(EmailProblem::Malformed)?;
        check_local_part(local)?;
        let normalized = format!("{}@{}", without_case(local), ascii_domain(domain)?);
        // Without case and in Punycode it may be longer than what was written.
        if written.len() > EMAIL_BYTES || normalized.len() > EMAIL_BYTES {
            return Err(EmailProblem::TooLong);
        }
        Ok(Self {
            written,
            normalized,
        })
    }

    /// The pieces of the address that a password must not be made of.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.normalized
            .split(|character: char| !character.is_alphanumeric())
    }
}

fn check_local_part(local: &str) -> Result<(), EmailProblem> {
    if local.is_empty() {
        return Err(EmailProblem::Malformed);
    }
    if local.len() > LOCAL_PART_BYTES {
        return Err(EmailProblem::TooLong);
    }
    let are_atoms = local.split('.').all(|atom| {
        // A mark belongs to the letter before it.
        !atom.is_empty()
            && !atom.starts_with(is_combining_mark)
            && atom.chars().all(may_stand_in_atom)
    });
    if are_atoms {
        Ok(())
    } else {
        Err(EmailProblem::LocalPart)
    }
}

fn may_stand_in_atom(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(character);
    }
    (character.is_alphanumeric() || is_combining_mark(character))
        && !draws_as_nothing(character)
        && !stands_for_another(character)
}

/// Letters and marks that have no picture (`Default_Ignorable_Code_Point`, Unicode §5.21).
fn draws_as_nothing(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Compatibility characters, such as full-width letters (RFC 8264 §9.17). Two vowels are such by
/// their decomposition only: everybody who writes Thai or Lao types them.
fn stands_for_another(character: char) -> bool {
    !matches!(character, '\u{e33}' | '\u{eb3}')
        && std::iter::once(character)
            .nfkc()
            .ne(std::iter::once(character))
}

/// Canonical caseless form. Source: Unicode §3.13, D145.
fn without_case(text: &str) -> String {
    let decomposed: String = text.nfd().collect();
    UniCase::new(decomposed).to_folded_case().nfc().collect()
}

/// The domain in ASCII and lower case, if nothing but case and script changes on the way there.
fn ascii_domain(domain: &str) -> Result<String, EmailProblem> {
    let uts46 = Uts46::new();
    let ascii = uts46
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| EmailProblem::Domain)?;
    let lower: String = domain.chars().flat_map(char::to_lowercase).collect();
    let (unicode, _) = uts46.to_unicode(
        ascii.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
    );
    let is_as_written = lower
        .split('.')
        .zip(unicode.split('.'))
        .all(|(written, label)| {
            // A label may come in its ASCII form already.
            written == label || (written.is_ascii() && written.starts_with("xn--"))
        });
    let has_a_top_level = ascii
        .rsplit_once('.')
        .is_some_and(|(_, last)| last.starts_with(|first: char| first.is_ascii_alphabetic()));
    if is_as_written && lower.split('.').count() == ascii.split('.').count() && has_a_top_level {
        Ok(ascii.into_owned())
    } else {
        Err(EmailProblem::Domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_normal_form() {
        for (written, normalized) in [
            ("alice@example.com", "alice@example.com"),
            ("Alice.B@EXAMPLE.Com", "alice.b@example.com"),
            ("alice+tag@example.com", "alice+tag@example.com"),
            ("alice@b\u{fc}cher.example", "alice@xn--bcher-kva.example"),
            ("alice@bu\u{308}cher.example", "alice@xn--bcher-kva.example"),
            ("alice@B\u{dc}CHER.example", "alice@xn--bcher-kva.example"),
            ("alice@XN--bcher-kva.example", "alice@xn--bcher-kva.example"),
            ("J\u{d6}RG@example.com", "j\u{f6}rg@example.com"),
            ("jo\u{308}rg@example.com", "j\u{f6}rg@example.com"),
            ("o'neil@example.co.uk", "o'neil@example.co.uk"),
            ("r2--d2@a--b.example", "r2--d2@a--b.example"),
            // Sigma at the end of a word is the same letter.
            (
                "\u{3c3}\u{3b1}\u{3c2}@example.com",
                "\u{3c3}\u{3b1}\u{3c3}@example.com",
            ),
            (
                "\u{3a3}\u{391}\u{3a3}@example.com",
                "\u{3c3}\u{3b1}\u{3c3}@example.com",
            ),
            ("stra\u{df}e@example.com", "strasse@example.com"),
            ("STRASSE@example.com", "strasse@example.com"),
        ] {
            assert_eq!(
                Email::parse(written).unwrap().normalized,
                normalized,
                "{written}"
            );
        }
    }

    /// RFC 6531: letters and the marks that belong to them, of any script.
    #[test]
    fn an_address_may_be_written_in_any_script() {
        for text in [
            "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}@example.com",
            "\u{e19}\u{e49}\u{e33}@example.com",
            "\u{7528}\u{6237}@\u{4f8b}\u{5b50}.\u{516c}\u{53f8}",
            "\u{434}\u{436}\u{43e}@\u{43f}\u{43e}\u{447}\u{442}\u{430}.\u{440}\u{444}",
            "\u{627}\u{644}\u{645}\u{633}\u{62a}\u{62e}\u{62f}\u{645}@example.com",
            "\u{5d0}\u{5b8}@example.com",
            "user\u{661}@example.com",
        ] {
            assert_eq!(Email::parse(text).unwrap().written, text);
        }
    }

    /// What would have to be repaired first would then be somebody else's address.
    #[test]
    fn a_spelling_that_only_a_repair_makes_an_address_is_refused() {
        for text in [
            "twin@ex%61mple.com",
            "twin@exa\u{200b}mple.com",
            "twin@exa\u{ad}mple.com",
            "twin@exa\u{2060}mple.com",
            "twin@\u{ff45}xample.com",
            "twin@example\u{3002}com",
            "twin@example\u{ff0e}com",
            "twin@\u{1d5be}xample.com",
            "twin@example.\u{2102}om",
            "twin@exam\u{fe0f}ple.com",
            "twin@xn--bch\u{ad}er-kva.example",
            "\u{ff54}win@example.com",
            "tw\u{131}\u{34f}n@example.com",
            "twin\u{115f}@example.com",
            "twin\u{3164}@example.com",
            "twin\u{fe0f}@example.com",
            "twin\u{200d}@example.com",
            "twin\u{200b}@example.com",
            "tw\u{2170}n@example.com",
            "\u{301}twin@example.com",
            "twin.\u{301}@example.com",
            "twin\u{202e}@example.com",
            "twin@xn--example-.com",
            "twin@xn--a.com",
            "twin@xn--bcher-KVa\u{2024}example",
            "twin@exam\\ple.com",
            "twin@exam\tple.com",
            "twin@ex:mple.com",
            "twin@example.com/x",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_to_is_refused() {
        for text in [
            "",
            "@",
            "alice",
            "alice@",
            "@example.com",
            "alice@example",
            "a@b@example.com",
            "alice @example.com",
            " alice@example.com",
            "alice@exa mple.com",
            "alice@example.com ",
            ".alice@example.com",
            "alice.@example.com",
            "al..ice@example.com",
            "alice@-a.example",
            "alice@a-.example",
            "alice@.example",
            "alice@example..com",
            "alice@example.com.",
            "alice@127.0.0.1",
            "alice@[::1]",
            "alice@example.1",
            "\"al ice\"@example.com",
            "alice\n@example.com",
            "alice\0@example.com",
            "<alice@example.com>",
            "alice@exa_mple.com",
            "alice@example.com\r\nBcc: x",
        ] {
            let problem = Email::parse(text).unwrap_err();
            assert_eq!(problem.code(), "email_invalid", "{text:?}");
        }
    }

    #[test]
    fn lengths_end_at_254_and_64_bytes() {
        let domain = format!(
            "{}.{}.{}.example",
            "d".repeat(63),
            "d".repeat(63),
            "d".repeat(53)
        );
        let longest = format!("{}@{domain}", "a".repeat(64));
        assert_eq!(longest.len(), 254);
        assert!(Email::parse(&longest).is_ok());
        assert_eq!(
            Email::parse(&format!("{longest}x")),
            Err(EmailProblem::TooLong)
        );
        let local = format!("{}@example.com", "a".repeat(65));
        assert_eq!(Email::parse(&local), Err(EmailProblem::TooLong));
    }
}
