//! Names and texts of keys.

use plinto_tlog::{Error, SigningKey, VerifierKey};

/// Whose answers `vectors/notes.json` records, too.
pub(crate) const NAME: &str = "log.example/acme";
pub(crate) const TEXT: &str =
    "log.example/acme+eef3f08d+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";

pub(crate) fn acme() -> SigningKey {
    SigningKey::from_seed(NAME, &[7; 32]).unwrap()
}

pub(crate) fn other() -> SigningKey {
    SigningKey::from_seed("other.example", &[9; 32]).unwrap()
}

/// Another key that calls itself as [`acme`] does.
pub(crate) fn stranger() -> SigningKey {
    SigningKey::from_seed(NAME, &[11; 32]).unwrap()
}

#[test]
fn a_verifier_key_is_its_text() {
    let key = acme().verifier().clone();
    assert_eq!(key.to_string(), TEXT);
    assert_eq!(TEXT.parse(), Ok(key.clone()));
    assert_eq!((key.name(), key.id()), (NAME, 0xeef3_f08d));
    assert_eq!(VerifierKey::new(NAME, key.public()), Ok(key));
}

#[test]
fn other_texts_of_verifier_keys_are_refused() {
    let rest = "epKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    let key = format!("A{rest}");
    for (text, error) in [
        (String::new(), Error::Key),
        (NAME.to_owned(), Error::Key),
        (format!("{NAME}+eef3f08d"), Error::Key),
        (format!("{NAME}+eef3f08+{key}"), Error::Key),
        (format!("{NAME}+0eef3f08d+{key}"), Error::Key),
        (format!("{NAME}++eef3f0+{key}"), Error::Key),
        (format!("{NAME}+EEF3F08D+{key}"), Error::Key),
        (format!("{NAME}+eef3f08e+{key}"), Error::KeyId),
        (format!("log.example/acmf+eef3f08d+{key}"), Error::KeyId),
        (format!("+eef3f08d+{key}"), Error::KeyName),
        (format!("a b+eef3f08d+{key}"), Error::KeyName),
        (format!("{NAME}+eef3f08d+{key}\n"), Error::Base64),
        (format!("{NAME}+eef3f08d+{key}+"), Error::Base64),
        (format!("{NAME}+eef3f08d+"), Error::Key),
        (format!("{NAME}+eef3f08d+AQ=="), Error::Key),
        (format!("{NAME}+eef3f08d+{key}AAAA"), Error::Key),
        (format!("{NAME}+eef3f08d+B{rest}"), Error::KeyType),
    ] {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text}");
    }
}

#[test]
fn names_have_no_spaces_pluses_or_control_characters() {
    for name in [
        "",
        " ",
        "a b",
        "a+b",
        "+",
        "a\n",
        "a\t",
        "a\u{0}",
        "a\u{1f}",
        "a\u{a0}",
        "\u{2003}",
        "a\u{85}",
        "a\u{3000}b",
    ] {
        let result = SigningKey::from_seed(name, &[7; 32]).map(drop);
        assert_eq!(result, Err(Error::KeyName), "{name:?}");
    }
    for name in ["a", "log.example/acme", "Größe", "木", "—", "a\u{200b}"] {
        assert!(SigningKey::from_seed(name, &[7; 32]).is_ok(), "{name:?}");
    }
}

#[test]
fn keys_that_are_no_points_or_of_a_small_order_are_refused() {
    let mut one = [0; 32];
    one[0] = 1;
    let mut no_point = [0; 32];
    no_point[0] = 2;
    for public in [[0; 32], one, no_point] {
        assert_eq!(VerifierKey::new(NAME, &public), Err(Error::Key));
    }
}

#[test]
fn a_private_key_does_not_print() {
    let printed = format!("{:?}", acme());
    assert_eq!(printed, format!("SigningKey {{ verifier: {TEXT}, .. }}"));
}
