//! Texts with one way to be written.

use std::str::FromStr;

/// A number in decimal, as it would be written again: no `+`, no leading zero, no white space,
/// which `parse` lets pass. `None` for anything else, and for what is out of the type's range.
pub fn number<N: FromStr + ToString>(text: &str) -> Option<N> {
    let number: N = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(number("0"), Some(0_u16));
        assert_eq!(number("100"), Some(100_u16));
        assert_eq!(number("-5"), Some(-5_i64));
        for other in ["+1", "01", " 1", "1 ", "", "-0", "1_000", "0x1", "1e3", "٣"] {
            assert_eq!(number::<i64>(other), None, "{other}");
        }
        assert_eq!(number::<u16>("65536"), None);
    }
}
