//! What OPA says of numbers, one by one; `conformance/calls/numbers.txt` has many more.

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn a_number_takes_two_words() {
    assert!(size_of::<Number>() <= 16);
}

#[test]
fn texts_that_are_no_numbers_are_refused() {
    for text in [
        "", "-", "+1", "01", ".5", "5.", "1e", "1e+", "0x10", "1_0", "NaN", "1e99999",
    ] {
        assert!(Number::parse(text).is_none(), "{text}");
    }
}

#[test]
fn numbers_are_compared_by_their_value() {
    let sorted = [
        "-1e400",
        "-9223372036854775809",
        "-9223372036854775808",
        "-1.5",
        "-1",
        "-0.5",
        "-1e-400",
        "0",
        "1e-400",
        "0.05",
        "0.5",
        "1",
        "1.0000000000000000000000001",
        "9223372036854775807",
        "9223372036854775807.5",
        "9223372036854775808",
        "1e400",
    ];
    for (left, text) in sorted.iter().enumerate() {
        for (right, other) in sorted.iter().enumerate() {
            assert_eq!(
                number(text).cmp(&number(other)),
                left.cmp(&right),
                "{text} {other}"
            );
        }
    }
    for (left, right) in [
        ("1", "1.0"),
        ("1e3", "1000"),
        ("-0", "0"),
        ("0e9", "0.0"),
        ("5e-1", "0.50"),
    ] {
        assert_eq!(number(left), number(right), "{left} {right}");
    }
}

#[test]
fn exponents_that_are_huge_cost_nothing() {
    let huge = number("1e30000");
    assert!(huge > number("9e29999"));
    assert_eq!(huge.add(&number("1")), Err(NumberError::TooLarge));
    assert_eq!(huge.multiply(&number("0.5")), Err(NumberError::TooLarge));
    assert!(huge.as_f64().is_infinite());
    assert!(huge.is_integer());
}

#[test]
fn a_number_that_is_too_long_is_only_kept() {
    let long = number(&"7".repeat(1_000_000));
    assert_eq!(long.add(&number("1")), Err(NumberError::TooLarge));
    assert_eq!(long.divide(&number("1.5")), Err(NumberError::TooLarge));
    assert_eq!(long.round(), Err(NumberError::TooLarge));
    assert_eq!(long.to_string().len(), 1_000_000);
}
