//! Whole numbers and texts. Source: Go, `fmt/format.go` and `math/big/intconv.go`.

use super::{Argument, CallError, Printer, Written};
use crate::value::{Number, is_printable, write_escaped};

/// The last character.
const LAST_CHARACTER: u64 = 0x10_ffff;
/// What Go would need an address for, or writes the insides of.
const NO_VERBS_OF_BIG: &str = "pw";

impl Printer<'_> {
    /// Padded to the width, with zeros if they were asked for.
    pub(super) fn put_text(&mut self, text: &str) -> Written {
        let fill = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.put_padded(text, fill)
    }

    pub(super) fn put_padded(&mut self, text: &str, fill: u8) -> Written {
        let missing = match self.flags.width {
            Some(width) => width.saturating_sub(text.chars().count()),
            None => 0,
        };
        if self.flags.minus {
            self.output.push_str(text)?;
            return self.fill(b' ', missing);
        }
        self.fill(fill, missing)?;
        Ok(self.output.push_str(text)?)
    }

    pub(super) fn fill(&mut self, byte: u8, mut count: usize) -> Written {
        let block = [byte; 64];
        while count > 0 {
            let part = block.get(..count.min(block.len())).unwrap_or(&block);
            self.output.push(part)?;
            count = count.saturating_sub(part.len());
        }
        Ok(())
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.flags.plus, self.flags.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    pub(super) fn put_integer(&mut self, number: i64, verb: char) -> Written {
        let size = number.unsigned_abs();
        let digits = match verb {
            'v' | 'd' => size.to_string(),
            'b' => format!("{size:b}"),
            'o' | 'O' => format!("{size:o}"),
            'x' => format!("{size:x}"),
            'X' => format!("{size:X}"),
            'c' => return self.put_text(&character(number).to_string()),
            'q' => return self.put_quoted_character(character(number)),
            'U' => return self.put_unicode(number),
            _ => return self.bad_verb(&Argument::Int(number), verb),
        };
        let sign = self.sign(number < 0);
        let least = match (self.flags.precision, self.flags.width) {
            (Some(0), width) if number == 0 => return self.fill(b' ', width.unwrap_or(0)),
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width.saturating_sub(sign.len())
            }
            _ => 0,
        };
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let prefix = match verb {
            'O' if self.flags.sharp && zeros.is_empty() && !digits.starts_with('0') => "0o0",
            'O' => "0o",
            'b' if self.flags.sharp => "0b",
            'o' if self.flags.sharp && zeros.is_empty() && !digits.starts_with('0') => "0",
            'x' if self.flags.sharp => "0x",
            'X' if self.flags.sharp => "0X",
            _ => "",
        };
        self.put_padded(&format!("{sign}{prefix}{zeros}{digits}"), b' ')
    }

    /// One beyond 64 bits.
    pub(super) fn put_big(&mut self, number: &Number, verb: char) -> Written {
        let base = match verb {
            'b' => 2,
            'o' | 'O' => 8,
            'd' | 's' | 'v' => 10,
            'x' | 'X' => 16,
            _ if NO_VERBS_OF_BIG.contains(verb) => {
                return Ok(self
                    .output
                    .push_str(&format!("%!{verb}(*big.Int={number})"))?);
            }
            _ => {
                return Ok(self
                    .output
                    .push_str(&format!("%!{verb}(big.Int={number})"))?);
            }
        };
        let text = if base == 10 {
            number.to_string()
        } else {
            self.context.budget.pay(number.work())?;
            let whole = number.truncate().map_err(CallError::from)?;
            whole.to_str_radix(base)
        };
        let digits = text.trim_start_matches('-');
        let digits = if verb == 'X' {
            digits.to_uppercase()
        } else {
            digits.to_owned()
        };
        let has_sharp = self.flags.sharp || self.flags.sharp_v;
        let prefix = match verb {
            'O' => "0o",
            'b' if has_sharp => "0b",
            'o' if has_sharp => "0",
            'x' if has_sharp => "0x",
            'X' if has_sharp => "0X",
            _ => "",
        };
        self.flags.plus |= self.flags.plus_v;
        let sign = self.sign(text.starts_with('-'));
        let mut zeros = self
            .flags
            .precision
            .unwrap_or(0)
            .saturating_sub(digits.len());
        if self.flags.zero && !self.flags.minus && self.flags.precision.is_none() {
            let others = sign
                .len()
                .saturating_add(prefix.len())
                .saturating_add(digits.len());
            zeros = self.flags.width.unwrap_or(0).saturating_sub(others);
        }
        let zeros = "0".repeat(zeros);
        self.put_padded(&format!("{sign}{prefix}{zeros}{digits}"), b' ')
    }

    /// `U+0041 'A'`
    fn put_unicode(&mut self, number: i64) -> Written {
        let bits = u64::from_ne_bytes(number.to_ne_bytes());
        let least = self.flags.precision.unwrap_or(0).max(4);
        let digits = format!("{bits:X}");
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let shown = match character(number) {
            shown if self.flags.sharp && bits <= LAST_CHARACTER && is_printable(shown) => {
                format!(" '{shown}'")
            }
            _ => String::new(),
        };
        self.put_padded(&format!("U+{zeros}{digits}{shown}"), b' ')
    }

    fn put_quoted_character(&mut self, character: char) -> Written {
        let is_plain = if self.flags.plus {
            is_plain_ascii
        } else {
            is_printable
        };
        let mut text = String::from('\'');
        // a `String` takes all that is written to it
        let _ = write_escaped(&mut text, character, '\'', is_plain);
        text.push('\'');
        self.put_text(&text)
    }

    pub(super) fn put_string(&mut self, text: &str, verb: char) -> Written {
        match verb {
            'v' if self.flags.sharp_v => self.put_quoted(text),
            'v' | 's' => self.put_text(self.cut(text)),
            'x' => self.put_hexadecimal(text, false),
            'X' => self.put_hexadecimal(text, true),
            'q' => self.put_quoted(text),
            _ => self.bad_verb(&Argument::Text(text.into()), verb),
        }
    }

    /// As many letters as the precision says.
    fn cut<'b>(&self, text: &'b str) -> &'b str {
        let end = self
            .flags
            .precision
            .and_then(|count| text.char_indices().nth(count));
        end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
    }

    fn put_quoted(&mut self, text: &str) -> Written {
        let text = self.cut(text);
        let is_raw = |letter: char| {
            letter == '\t' || letter >= ' ' && !matches!(letter, '`' | '\u{7f}' | '\u{feff}')
        };
        if self.flags.sharp && text.chars().all(is_raw) {
            return self.put_text(&format!("`{text}`"));
        }
        let is_plain = if self.flags.plus {
            is_plain_ascii
        } else {
            is_printable
        };
        let mut quoted = String::from('"');
        for letter in text.chars() {
            // a `String` takes all that is written to it
            let _ = write_escaped(&mut quoted, letter, '"', is_plain);
        }
        quoted.push('"');
        self.put_text(&quoted)
    }

    /// The bytes, as many as the precision says.
    fn put_hexadecimal(&mut self, text: &str, is_upper: bool) -> Written {
        let count = self.flags.precision.unwrap_or(usize::MAX);
        let bytes = text.as_bytes();
        let bytes = bytes.get(..count).unwrap_or(bytes);
        let (space, prefix) = (self.flags.space, if self.flags.sharp { "0x" } else { "" });
        self.context
            .budget
            .pay_bytes(bytes.len().saturating_mul(4))?;
        let mut written = String::with_capacity(bytes.len().saturating_mul(2));
        for (index, byte) in bytes.iter().enumerate() {
            if space && index > 0 {
                written.push(' ');
            }
            if space || index == 0 {
                written.push_str(prefix);
            }
            let halves = [byte >> 4, byte & 15].map(u32::from);
            written.extend(
                halves
                    .into_iter()
                    .filter_map(|half| char::from_digit(half, 16)),
            );
        }
        if is_upper {
            written.make_ascii_uppercase();
        }
        self.put_text(&written)
    }
}

fn is_plain_ascii(character: char) -> bool {
    (' '..='~').contains(&character)
}

/// What is no character is replaced.
fn character(number: i64) -> char {
    let code = u32::try_from(number).ok();
    code.and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}
