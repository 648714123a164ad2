//! Unicode as Go's regular expressions know it: classes by name, and simple case folding.
//!
//! `scripts/regex-tables.go` writes the tables and says how they are laid out.

use std::sync::OnceLock;

use super::class::Class;

static TABLES: &[u8] = include_bytes!("tables.bin");

/// Characters at one distance from the next of the same letter.
struct Run {
    first: u32,
    last: u32,
    stride: u32,
    delta: i64,
}

/// Reads the tables; at their end everything is 0.
#[derive(Clone, Copy)]
struct Reader {
    rest: &'static [u8],
}

impl Reader {
    fn number(&mut self) -> u32 {
        let mut number = 0_u32;
        let mut shift = 0;
        while let Some((byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift = shift.saturating_add(7);
            if *byte < 0x80 {
                break;
            }
        }
        number
    }

    fn name(&mut self) -> &'static str {
        let length = usize::try_from(self.number()).unwrap_or(usize::MAX);
        let (name, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        std::str::from_utf8(name).unwrap_or_default()
    }

    fn class(&mut self) -> Class {
        let mut class = Class::default();
        let mut next = 0_u32;
        for _ in 0..self.number() {
            let first = next.saturating_add(self.number());
            let last = first.saturating_add(self.number());
            class.add(first, last);
            next = last.saturating_add(1);
        }
        class
    }
}

/// The runs, and where the classes begin.
fn runs() -> &'static (Vec<Run>, Reader) {
    static RUNS: OnceLock<(Vec<Run>, Reader)> = OnceLock::new();
    RUNS.get_or_init(|| {
        let mut reader = Reader { rest: TABLES };
        let mut previous = 0_u32;
        let count = reader.number();
        let runs = (0..count).map(|_| {
            let first = previous.saturating_add(reader.number());
            previous = first;
            let steps = reader.number().saturating_sub(1);
            let stride = reader.number().max(1);
            let zigzag = i64::from(reader.number());
            let half = zigzag.checked_shr(1).unwrap_or(0);
            Run {
                first,
                last: first.saturating_add(steps.saturating_mul(stride)),
                stride,
                delta: if zigzag & 1 == 0 { half } else { !half },
            }
        });
        let runs = runs.collect();
        (runs, reader)
    })
}

/// The next character of the same letter, or itself. The other cases of a letter form a circle.
fn next_case(character: u32) -> u32 {
    let runs = &runs().0;
    let after = runs.partition_point(|run| run.first <= character);
    // The runs of capitals and of small letters may lie in one another.
    let nearby = runs.get(after.saturating_sub(3)..after).unwrap_or_default();
    let found = nearby.iter().rev().find_map(|run| run.next(character));
    found.unwrap_or(character)
}

impl Run {
    fn next(&self, character: u32) -> Option<u32> {
        let offset = character.checked_sub(self.first)?;
        let is_in = character <= self.last && offset.checked_rem(self.stride) == Some(0);
        let next = i64::from(character).saturating_add(self.delta);
        u32::try_from(next).ok().filter(|_| is_in)
    }
}

/// Every other case of a letter.
fn other_cases(character: u32) -> impl Iterator<Item = u32> {
    let next = move |current: &u32| Some(next_case(*current)).filter(|next| *next != character);
    std::iter::successors(next(&character), next).take(4)
}

/// The other cases of the letters in a range.
pub(super) fn fold_range(first: u32, last: u32, folded: &mut Vec<u32>) {
    for run in &runs().0 {
        let from = run.first.max(first);
        let to = run.last.min(last);
        if from > to {
            continue;
        }
        let steps = usize::try_from(run.stride).unwrap_or(1);
        let skipped = from
            .saturating_sub(run.first)
            .checked_rem(run.stride)
            .unwrap_or(0);
        let from = match skipped {
            0 => from,
            skipped => from.saturating_add(run.stride).saturating_sub(skipped),
        };
        for character in (from..=to).step_by(steps) {
            folded.extend(other_cases(character));
        }
    }
}

/// As names are compared: without `_`, `-` and spaces, a capital and then small letters.
fn canonical(name: &str) -> String {
    let mut canonical = String::with_capacity(name.len());
    for character in name.chars().filter(|character| !"_- ".contains(*character)) {
        canonical.push(if canonical.is_empty() {
            character.to_ascii_uppercase()
        } else {
            character.to_ascii_lowercase()
        });
    }
    canonical
}

/// The class of a name, as `\p{…}` names it. `None`: there is none.
pub(super) fn class(name: &str, folds: bool) -> Option<Class> {
    let name = canonical(name);
    match name.as_str() {
        "Any" => return Some(Class::any()),
        "Assigned" => {
            let mut assigned = categories("Cn", folds)?;
            assigned.negate();
            return Some(assigned);
        }
        "Ascii" => {
            let mut ascii = Class::of(&[(0, 0x7f)]);
            if folds {
                ascii.fold();
            }
            return Some(ascii);
        }
        "Lc" => return categories("LC", folds),
        _ => {}
    }
    categories(&name, folds)
        .or_else(|| table(&name, folds))
        .or_else(|| categories(alias(&name)?, folds))
}

/// A category; those of one letter are made of those of two.
fn categories(name: &str, folds: bool) -> Option<Class> {
    let mut class = Class::default();
    match name {
        "L" | "M" | "N" | "P" | "S" | "Z" => {
            each(|found, reader| {
                let is_part = found.len() == 2 && found.starts_with(name);
                let ranges = reader.class();
                if is_part {
                    class.add_all(&ranges);
                }
            });
        }
        "LC" => {
            for part in ["Ll", "Lt", "Lu"] {
                class.add_all(&table(part, false)?);
            }
        }
        "Cn" | "C" => {
            let others: &[&str] = if name == "C" {
                &["L", "M", "N", "P", "S", "Z"]
            } else {
                &["L", "M", "N", "P", "S", "Z", "Cc", "Cf", "Co", "Cs"]
            };
            for other in others {
                class.add_all(&categories(other, false)?);
            }
            class.negate();
        }
        name if name.len() == 2 => return table(name, folds),
        _ => return None,
    }
    if let Some(more) = table(&format!("+{name}"), false).filter(|_| folds) {
        class.add_all(&more);
    }
    class.tidy();
    Some(class)
}

/// A class as it stands in the tables, with what folding adds.
fn table(name: &str, folds: bool) -> Option<Class> {
    let mut class = None;
    let folding = format!("+{name}");
    each(|found, reader| {
        let ranges = reader.class();
        if found == name || folds && found == folding {
            class.get_or_insert_with(Class::default).add_all(&ranges);
        }
    });
    let mut class = class?;
    class.tidy();
    Some(class)
}

/// Goes through the classes; `visit` reads what follows the name.
fn each(mut visit: impl FnMut(&str, &mut Reader)) {
    let mut reader = runs().1;
    while !reader.rest.is_empty() {
        let name = reader.name();
        if name.starts_with('=') {
            reader.name();
        } else {
            visit(name, &mut reader);
        }
    }
}

fn alias(name: &str) -> Option<&'static str> {
    let mut reader = runs().1;
    while !reader.rest.is_empty() {
        let found = reader.name();
        match found.strip_prefix('=') {
            Some(found) => {
                let actual = reader.name();
                if canonical(found) == name {
                    return Some(actual);
                }
            }
            None => _ = reader.class(),
        }
    }
    None
}

/// Whether a character is a letter or a decimal digit, as Go's names of groups may be.
pub(super) fn is_letter_or_digit(character: char) -> bool {
    static CLASS: OnceLock<Class> = OnceLock::new();
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    let class = CLASS.get_or_init(|| {
        let mut class = categories("L", false).unwrap_or_default();
        class.add_all(&table("Nd", false).unwrap_or_default());
        class.tidy();
        class
    });
    class.contains(character)
}

#[cfg(test)]
mod tests {
    use super::{super::class::LAST, class, next_case, other_cases};

    #[test]
    fn cases_form_circles() {
        for (letter, others) in [
            ("k", "\u{212a}K"),
            ("ſ", "Ss"),
            ("ß", "ẞ"),
            ("µ", "Μμ"),
            ("1", ""),
        ] {
            let letter = u32::from(letter.chars().next().unwrap());
            let found: String = other_cases(letter).filter_map(char::from_u32).collect();
            let mut found: Vec<char> = found.chars().collect();
            let mut wanted: Vec<char> = others.chars().collect();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted);
        }
        let folding = (0..=LAST).filter(|character| next_case(*character) != *character);
        assert!(folding.count() > 2_700);
        for character in 0..=LAST {
            assert!(other_cases(character).count() < 4);
        }
    }

    #[test]
    fn classes_have_names() {
        let holds = |name: &str, character: char| class(name, false).unwrap().contains(character);
        assert!(holds("Greek", 'λ') && !holds("greek", 'a'));
        assert!(holds("L", 'é') && holds("letter", 'é') && holds("Lu", 'A') && !holds("Lu", 'a'));
        assert!(holds("LC", 'a') && holds("Cn", '\u{378}') && !holds("Cn", 'a'));
        assert!(holds("C", '\u{378}') && holds("C", '\n') && !holds("C", ' '));
        assert!(holds("Uppercase_Letter", 'A') && holds(" GREEK", 'λ'));
        // Go doesn't find names of several words.
        assert!(class("Old_Italic", false).is_none());
        assert!(class("Nope", false).is_none() && class("", false).is_none());
        assert!(class("Lu", true).unwrap().contains('a'));
    }
}
