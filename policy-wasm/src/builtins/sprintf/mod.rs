//! `sprintf` and `format_int`. Source: OPA, `topdown/strings.go`; Go, package `fmt`.
//!
//! This file reads the format, [`verbs`] writes whole numbers and texts, [`floats`] other numbers.

mod floats;
mod verbs;

use num_bigint::BigInt;

use super::{Builtin, CallError, Context, numbers::pay_number, operand, output::Output};
use crate::value::{Number, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("format_int", format_int),
    Builtin::new("sprintf", sprintf),
];

/// 1,000,000: the largest width and precision. Source: Go, `fmt`, `tooLarge`.
const LARGEST: i64 = 1_000_000;

/// 3: steps that writing a float takes.
const FLOAT_STEPS: u64 = 3;

/// What stands between `%` and the verb.
#[expect(clippy::struct_excessive_bools, reason = "each flag is there or not")]
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    sharp: bool,
    /// `#` before `v`.
    sharp_v: bool,
    zero: bool,
    plus: bool,
    /// `+` before `v`, which whole numbers beyond 64 bits alone heed.
    plus_v: bool,
    minus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// A value as OPA hands it to Go.
enum Argument<'a> {
    Int(i64),
    Big(&'a Number),
    Float(f64),
    Text(std::borrow::Cow<'a, str>),
}

/// A format while it is gone through.
struct Printer<'a> {
    context: &'a Context<'a>,
    format: &'a str,
    /// The next byte.
    at: usize,
    values: &'a [Value],
    /// The next value.
    next: usize,
    /// Whether a value was named by its place.
    is_reordered: bool,
    is_good_index: bool,
    flags: Flags,
    output: Output<'a>,
}

type Written = Result<(), CallError>;

fn sprintf(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let format = operand::text(arguments, 0)?;
    let values = operand::array(arguments, 1)?;
    context.budget.pay_bytes(format.len().saturating_mul(8))?;
    let mut printer = Printer {
        context,
        format,
        at: 0,
        values,
        next: 0,
        is_reordered: false,
        is_good_index: true,
        flags: Flags::default(),
        output: Output::new(context.budget),
    };
    printer.print()?;
    printer.output.finish().map(Some)
}

/// In base 2, 8, 10 or 16.
fn format_int(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let number = operand::number(arguments, 0)?;
    let base = match operand::number(arguments, 1)? {
        Number::Int(base @ (2 | 8 | 10 | 16)) => u32::try_from(*base).unwrap_or(10),
        _ => {
            return Err(CallError::Type(
                "operand 2 must be one of {2, 8, 10, 16}".to_owned(),
            ));
        }
    };
    pay_number(context, number)?;
    let whole = match number.as_i64() {
        Some(number) => BigInt::from(number),
        None => number.truncate()?,
    };
    Ok(Some(Value::from(whole.to_str_radix(base))))
}

impl<'a> Printer<'a> {
    fn print(&mut self) -> Written {
        while self.at < self.format.len() {
            let rest = self.format.get(self.at..).unwrap_or_default();
            let (text, is_directive) = match rest.split_once('%') {
                Some((text, _)) => (text, true),
                None => (rest, false),
            };
            self.output.push_str(text)?;
            self.at = self.at.saturating_add(text.len());
            if is_directive {
                self.skip();
                self.directive()?;
            }
        }
        self.extra()
    }

    fn peek(&self) -> Option<u8> {
        self.format.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.skip();
        }
        is_next
    }

    /// From behind `%` to the verb.
    fn directive(&mut self) -> Written {
        self.flags = Flags::default();
        self.is_good_index = true;
        self.read_flags();
        let mut is_after_index = self.read_index();
        self.read_width(&mut is_after_index)?;
        // a point at the very end is no precision but the verb
        if self.peek() == Some(b'.') && self.at.saturating_add(1) < self.format.len() {
            self.skip();
            self.read_precision(&mut is_after_index)?;
        }
        if !is_after_index {
            self.read_index();
        }
        let made = self
            .flags
            .width
            .unwrap_or(0)
            .saturating_add(self.flags.precision.unwrap_or(0));
        self.context.budget.pay_bytes(made)?;
        let Some(verb) = self
            .format
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        else {
            return Ok(self.output.push_str("%!(NOVERB)")?);
        };
        self.at = self.at.saturating_add(verb.len_utf8());
        self.print_verb(verb)
    }

    fn print_verb(&mut self, verb: char) -> Written {
        if verb == '%' {
            return Ok(self.output.push_str("%")?);
        }
        if !self.is_good_index {
            return Ok(self.output.push_str(&format!("%!{verb}(BADINDEX)"))?);
        }
        let Some(argument) = self.argument(self.next)? else {
            return Ok(self.output.push_str(&format!("%!{verb}(MISSING)"))?);
        };
        if verb == 'v' {
            self.flags.sharp_v = self.flags.sharp;
            self.flags.sharp = false;
            self.flags.plus_v = self.flags.plus;
            self.flags.plus = false;
        }
        self.print_argument(&argument, verb)?;
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    fn read_flags(&mut self) {
        loop {
            match self.peek() {
                Some(b'#') => self.flags.sharp = true,
                Some(b'0') => self.flags.zero = true,
                Some(b'+') => self.flags.plus = true,
                Some(b'-') => self.flags.minus = true,
                Some(b' ') => self.flags.space = true,
                _ => return,
            }
            self.skip();
        }
    }

    fn read_width(&mut self, is_after_index: &mut bool) -> Written {
        if !self.takes(b'*') {
            self.flags.width = self.read_number(self.format.len());
            if *is_after_index && self.flags.width.is_some() {
                self.is_good_index = false;
            }
            return Ok(());
        }
        *is_after_index = false;
        let Some(width) = self.number_of_argument() else {
            return Ok(self.output.push_str("%!(BADWIDTH)")?);
        };
        if width < 0 {
            self.flags.minus = true;
            self.flags.zero = false;
        }
        self.flags.width = usize::try_from(width.unsigned_abs()).ok();
        Ok(())
    }

    /// From behind the point.
    fn read_precision(&mut self, is_after_index: &mut bool) -> Written {
        if *is_after_index {
            self.is_good_index = false;
        }
        *is_after_index = self.read_index();
        if !self.takes(b'*') {
            self.flags.precision = Some(self.read_number(self.format.len()).unwrap_or(0));
            return Ok(());
        }
        *is_after_index = false;
        let precision = self.number_of_argument();
        self.flags.precision = precision.and_then(|precision| usize::try_from(precision).ok());
        if self.flags.precision.is_none() {
            self.output.push_str("%!(BADPREC)")?;
        }
        Ok(())
    }

    /// Digits before `end`. One that is too large ends there, with nothing read.
    fn read_number(&mut self, end: usize) -> Option<usize> {
        let mut number = None;
        while self.at < end
            && let Some(digit @ b'0'..=b'9') = self.peek()
        {
            let before: i64 = number.unwrap_or(0);
            if before > LARGEST {
                self.at = end;
                return None;
            }
            number = Some(
                before
                    .saturating_mul(10)
                    .saturating_add(i64::from(digit & 15)),
            );
            self.skip();
        }
        usize::try_from(number?).ok()
    }

    /// The next value as a width or a precision.
    fn number_of_argument(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next = self.next.saturating_add(1);
        let number = value
            .as_number()
            .filter(|number| !number.is_written_as_float())?;
        number
            .as_i64()
            .filter(|number| number.unsigned_abs() <= LARGEST.unsigned_abs())
    }

    /// `[2]`: the value that comes next. Whether there is one.
    fn read_index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.is_reordered = true;
        let start = self.at;
        let rest = self.format.get(start..).unwrap_or_default();
        let end = rest.find(']').filter(|_| rest.len() >= 3);
        let Some(end) = end.map(|end| start.saturating_add(end)) else {
            self.skip();
            self.is_good_index = false;
            return false;
        };
        self.skip();
        let number = self.read_number(end).filter(|_| self.at == end);
        self.at = end.saturating_add(1);
        let index = number.and_then(|number| number.checked_sub(1));
        match index.filter(|index| *index < self.values.len()) {
            Some(index) => self.next = index,
            None => self.is_good_index = false,
        }
        number.is_some()
    }

    fn argument(&self, index: usize) -> Result<Option<Argument<'a>>, CallError> {
        let Some(value) = self.values.get(index) else {
            return Ok(None);
        };
        let budget = self.context.budget;
        budget.pay(1)?;
        // to read it, and for what it becomes
        budget.pay_value(value)?;
        budget.pay_value(value)?;
        Ok(Some(match value {
            Value::String(text) => Argument::Text(text.as_ref().into()),
            Value::Number(number) if number.is_written_as_float() => {
                budget.pay(FLOAT_STEPS)?;
                let float = number.as_f64();
                if float.is_finite() {
                    Argument::Float(float)
                } else {
                    Argument::Text(number.to_string().into())
                }
            }
            Value::Number(number) => match number.as_i64() {
                Some(number) => Argument::Int(number),
                None => Argument::Big(number),
            },
            other => Argument::Text(other.to_string().into()),
        }))
    }

    fn print_argument(&mut self, argument: &Argument<'_>, verb: char) -> Written {
        match (argument, verb) {
            (_, 'T') => self.put_text(argument.type_name()),
            (Argument::Int(number), _) => self.put_integer(*number, verb),
            (Argument::Float(number), _) => self.put_float(*number, verb),
            (Argument::Text(text), _) => self.put_string(text, verb),
            (Argument::Big(number), _) => self.put_big(number, verb),
        }
    }

    /// `%!d(string=hi)`
    fn bad_verb(&mut self, argument: &Argument<'_>, verb: char) -> Written {
        self.output
            .push_str(&format!("%!{verb}({}=", argument.type_name()))?;
        self.print_argument(argument, 'v')?;
        Ok(self.output.push_str(")")?)
    }

    /// Values that no verb asked for.
    fn extra(&mut self) -> Written {
        if self.is_reordered || self.next >= self.values.len() {
            return Ok(());
        }
        self.flags = Flags::default();
        let mut separator = "%!(EXTRA ";
        while let Some(argument) = self.argument(self.next)? {
            self.output.push_str(separator)?;
            self.output.push_str(argument.type_name())?;
            self.output.push_str("=")?;
            self.print_argument(&argument, 'v')?;
            separator = ", ";
            self.next = self.next.saturating_add(1);
        }
        Ok(self.output.push_str(")")?)
    }
}

impl Argument<'_> {
    /// Go's name of its type.
    const fn type_name(&self) -> &'static str {
        match self {
            Self::Int(_) => "int64",
            Self::Big(_) => "*big.Int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
        }
    }
}
