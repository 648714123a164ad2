//! Texts that people read in lists: names and descriptions. One rule for all, and no repairs: what
//! is not acceptable is refused, what is acceptable stays as it was written.

use std::ops::RangeInclusive;

use plinto_contract::problem::FieldError;

/// 128 characters: the name of a thing fits one line of a table.
pub const NAME_CHARS: usize = 128;
/// 200 characters: longer than any person's name in use, short enough for a list.
pub const PERSON_NAME_CHARS: usize = 200;
/// 512 characters: a description is a sentence or two.
pub const DESCRIPTION_CHARS: usize = 512;

/// What no such text may hold: controls, line ends, and what is invisible or turns the direction of
/// writing, so that a text reads as another one. Joiners and variation selectors stay permitted:
/// several scripts and most emoji need them. Source: Unicode §23.2, UTS 36 §2.
const UNPRINTABLE: [RangeInclusive<char>; 12] = [
    '\0'..='\u{1f}',
    '\u{7f}'..='\u{9f}',
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200b}',
    '\u{200e}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
    '\u{fff0}'..='\u{fffb}',
    '\u{fffe}'..='\u{ffff}',
];
/// What draws as nothing by itself, white space aside. Source: `Default_Ignorable_Code_Point` of
/// Unicode's character database, and the empty Braille cell.
const INVISIBLE: [RangeInclusive<char>; 12] = [
    '\u{34f}'..='\u{34f}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200c}'..='\u{200d}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// How a name reads as a pattern of a schema; what of it lies beyond U+FFFF is left out.
pub const NAME_PATTERN: &str = concat!(
    r"^[^\u0000-\u0020\u007F-\u00A0\u00AD\u034F\u061C\u115F\u1160\u1680\u17B4\u17B5\u180B-\u180F",
    r"\u2000-\u200F\u2028-\u202F\u205F-\u206F\u2800\u3000\u3164\uFE00-\uFE0F\uFEFF\uFFA0",
    r"\uFFF0-\uFFFB\uFFFE\uFFFF]",
    r"([^\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F",
    r"\uFEFF\uFFF0-\uFFFB\uFFFE\uFFFF]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u00AD\u061C\u1680\u180E\u2000-\u200B\u200E\u200F\u2028-\u202F",
    r"\u205F-\u206F\u3000\uFEFF\uFFF0-\uFFFB\uFFFE\uFFFF])?$"
);
/// The same of a description.
pub const DESCRIPTION_PATTERN: &str = concat!(
    r"^[^\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F",
    r"\uFEFF\uFFF0-\uFFFB\uFFFE\uFFFF]*$"
);

/// Why a text is not acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextProblem {
    /// Nothing in it can be seen.
    #[error("a name has a visible character")]
    Blank,
    /// It begins or ends with white space, or begins with something that cannot be seen.
    #[error("a name begins with a visible character and does not end with white space")]
    Ends,
    /// More characters than this.
    #[error("at most {0} characters")]
    TooLong(usize),
    /// See the list above.
    #[error(
        "no control characters, no line ends, nothing invisible that changes how the rest reads"
    )]
    Unprintable,
}

impl TextProblem {
    /// The problem of the value at `pointer`.
    pub fn at(self, pointer: &str) -> FieldError {
        let code = match self {
            Self::Blank => "blank",
            Self::Ends => "white_space_at_an_end",
            Self::TooLong(_) => "too_long",
            Self::Unprintable => "unprintable_character",
        };
        FieldError::new(pointer, code, self.to_string())
    }
}

/// Whether a text can be a name: 1 to `most` characters, the first one visible, the last one no
/// white space, nothing unprintable.
pub fn check_name(text: &str, most: usize) -> Result<(), TextProblem> {
    if !text.chars().any(is_visible) {
        return Err(TextProblem::Blank);
    }
    check_description(text, most)?;
    let begins = text.starts_with(is_visible);
    if begins && !text.ends_with(char::is_whitespace) {
        Ok(())
    } else {
        Err(TextProblem::Ends)
    }
}

/// Whether a text can be a description: at most `most` characters, nothing unprintable.
pub fn check_description(text: &str, most: usize) -> Result<(), TextProblem> {
    if text.chars().count() > most {
        return Err(TextProblem::TooLong(most));
    }
    if text.chars().any(|character| is_in(&UNPRINTABLE, character)) {
        return Err(TextProblem::Unprintable);
    }
    Ok(())
}

fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !is_in(&UNPRINTABLE, character) && !is_in(&INVISIBLE, character)
}

fn is_in(ranges: &[RangeInclusive<char>], character: char) -> bool {
    ranges.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_as_it_was_written_or_is_refused() {
        for name in [
            "Alice",
            "Ann-Marie O'Neil, Jr.",
            "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}",
            "a  b",
        ] {
            assert_eq!(check_name(name, 200), Ok(()), "{name}");
        }
        assert_eq!(
            check_name(&"x".repeat(201), 200),
            Err(TextProblem::TooLong(200))
        );
        assert_eq!(check_name(&"\u{1f469}".repeat(200), 200), Ok(()));
    }

    #[test]
    fn a_name_of_which_nothing_can_be_seen_is_refused() {
        for name in [
            "",
            "   ",
            "\u{200b}",
            "\u{200d}\u{200c}",
            "\u{2800}",
            "\u{3164}\u{115f}",
            "\u{fe0f}",
            "\u{a0}\u{3000}",
            "\u{e0041}",
            "\n",
            "\u{202e}",
        ] {
            assert_eq!(check_name(name, 200), Err(TextProblem::Blank), "{name:?}");
        }
    }

    #[test]
    fn what_changes_how_the_rest_reads_is_refused() {
        for name in [
            "a\u{0}b",
            "a\nb",
            "a\u{7f}",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{ad}b",
            "a\u{2028}b",
        ] {
            assert_eq!(
                check_name(name, 200),
                Err(TextProblem::Unprintable),
                "{name:?}"
            );
        }
        for name in [" a", "a ", "\u{3000}a", "\u{200d}a"] {
            assert_eq!(check_name(name, 200), Err(TextProblem::Ends), "{name:?}");
        }
    }
}
