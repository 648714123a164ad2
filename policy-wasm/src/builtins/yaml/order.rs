//! The order of entries in YAML: numbers in names count as numbers.
//! Source: `go.yaml.in/yaml/v3`, `sorter.go`.

/// Whether a name comes before another.
pub(super) fn is_before(left: &str, right: &str) -> bool {
    let mut was_digit = false;
    let mut number_before = false;
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        let (rest_left, rest_right) = (left.as_str(), right.as_str());
        let (Some(one), Some(other)) = (left.next(), right.next()) else {
            return rest_left.chars().count() < rest_right.chars().count();
        };
        if one != other {
            let is_run = Run {
                was_digit,
                number_before,
            };
            return is_run.is_before(rest_left, rest_right);
        }
        was_digit = one.is_numeric();
        number_before = was_digit && (number_before || one != '0');
    }
}

/// What both names have before they differ.
struct Run {
    /// They end in a digit.
    was_digit: bool,
    /// They end in digits that are not all 0.
    number_before: bool,
}

impl Run {
    fn is_before(&self, left: &str, right: &str) -> bool {
        let first = |text: &str| text.chars().next().unwrap_or('\0');
        let (one, other) = (first(left), first(right));
        match (one.is_alphabetic(), other.is_alphabetic()) {
            (true, true) => return one < other,
            (true, false) => return self.was_digit,
            (false, true) => return !self.was_digit,
            (false, false) => {}
        }
        let lead = i64::from(self.number_before && (one == '0' || other == '0'));
        let (number, length) = number_of(left, lead);
        let (other_number, other_length) = number_of(right, lead);
        if number != other_number {
            return number < other_number;
        }
        if length != other_length {
            return length < other_length;
        }
        one < other
    }
}

/// The number that a text begins with after `lead`, and its digits.
fn number_of(text: &str, lead: i64) -> (i64, usize) {
    let digits = text.chars().map_while(|character| character.to_digit(10));
    digits.fold((lead, 0), |(number, length), digit| {
        let number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        (number, length.saturating_add(1))
    })
}

/// Puts items in order, and needs no order that is consistent.
pub(super) fn sort<T: Clone>(items: Vec<T>, is_before: &impl Fn(&T, &T) -> bool) -> Vec<T> {
    if items.len() < 2 {
        return items;
    }
    let (left, right) = items.split_at_checked(items.len() / 2).unwrap_or_default();
    let left = sort(left.to_vec(), is_before);
    let right = sort(right.to_vec(), is_before);
    let mut sorted = Vec::with_capacity(items.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        if is_before(other, one) {
            sorted.extend(right.next());
        } else {
            sorted.extend(left.next());
        }
    }
    sorted.extend(left);
    sorted.extend(right);
    sorted
}
