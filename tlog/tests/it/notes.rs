//! Signing and opening notes. What Go's package says of the same is in `recorded`.

use plinto_tlog::note::{MAX_NOTE_BYTES, MAX_SIGNATURES, open, sign};
use plinto_tlog::{Error, SigningKey, VerifierKey};
use proptest::prelude::*;

use crate::keys::{acme, other, stranger};

fn known() -> Vec<VerifierKey> {
    vec![acme().verifier().clone(), other().verifier().clone()]
}

#[test]
fn a_signed_text_comes_out_with_its_signers() {
    let note = sign("a text\n\nof lines\n", &[&other(), &acme(), &stranger()]).unwrap();
    let known = known();
    let opened = open(note.as_bytes(), &known).unwrap();
    assert_eq!(opened.text, "a text\n\nof lines\n");
    assert_eq!(opened.signers, [&known[1], &known[0]]);
}

#[test]
fn only_a_known_key_counts() {
    let note = sign("a text\n", &[&stranger()]).unwrap();
    assert_eq!(open(note.as_bytes(), &known()), Err(Error::Unsigned));
    assert_eq!(open(note.as_bytes(), &[]), Err(Error::Unsigned));
}

#[test]
fn a_wrong_signature_of_a_known_key_refuses_the_note_wherever_it_stands() {
    let note = sign("a text\n", &[&acme()]).unwrap();
    let good = note.lines().last().unwrap();
    let wrong = sign("another\n", &[&acme()]).unwrap();
    let wrong = wrong.lines().last().unwrap();
    for lines in [[wrong, good], [good, wrong], [wrong, wrong]] {
        let note = format!("a text\n\n{}\n{}\n", lines[0], lines[1]);
        assert_eq!(open(note.as_bytes(), &known()), Err(Error::Signature));
    }
}

#[test]
fn every_byte_of_text_and_signature_counts() {
    let note = sign("a text\n", &[&acme()]).unwrap().into_bytes();
    let known = known();
    for place in 0..note.len() {
        for bit in 0..8 {
            let mut other = note.clone();
            other[place] ^= 1 << bit;
            assert!(open(&other, &known).is_err(), "bit {bit} of byte {place}");
        }
        let mut other = note.clone();
        other.remove(place);
        assert!(open(&other, &known).is_err(), "without byte {place}");
        assert!(open(&note[..place], &known).is_err(), "{place} bytes");
    }
}

#[test]
fn texts_that_cannot_be_a_notes_are_not_signed() {
    for text in ["", "no newline", "a\r\n", "a\tb\n", "\u{0}\n", "a\u{1f}\n"] {
        assert_eq!(sign(text, &[&acme()]), Err(Error::Note), "{text:?}");
    }
    for text in ["\n", "\n\n", "— a b\n", "a\u{7f}\n", "a\u{85}\n"] {
        let note = sign(text, &[&acme()]).unwrap();
        assert_eq!(open(note.as_bytes(), &known()).unwrap().text, text);
    }
}

#[test]
fn keys_are_given_and_each_once() {
    assert_eq!(sign("a\n", &[]), Err(Error::Unsigned));
    let twice = sign("a\n", &[&acme(), &other(), &acme()]);
    assert_eq!(twice, Err(Error::AmbiguousKey));
    let note = sign("a\n", &[&acme()]).unwrap();
    let known = [known(), known()].concat();
    assert_eq!(open(note.as_bytes(), &known), Err(Error::AmbiguousKey));
}

#[test]
fn notes_are_limited() {
    let fits = MAX_NOTE_BYTES - sign("\n", &[&acme()]).unwrap().len();
    let text = |length| "a".repeat(length) + "\n";
    let note = sign(&text(fits), &[&acme()]).unwrap();
    assert_eq!(note.len(), MAX_NOTE_BYTES);
    assert!(open(note.as_bytes(), &known()).is_ok());
    assert_eq!(sign(&text(fits + 1), &[&acme()]), Err(Error::NoteSize));
    let longer = format!("a{note}");
    assert_eq!(open(longer.as_bytes(), &known()), Err(Error::NoteSize));

    let keys: Vec<_> = (0_u8..101)
        .map(|i| SigningKey::from_seed(&format!("w{i}"), &[i; 32]).unwrap())
        .collect();
    let keys: Vec<_> = keys.iter().collect();
    assert_eq!(sign("a\n", &keys), Err(Error::TooManySignatures));
    let note = sign("a\n", &keys[1..]).unwrap();
    let known: Vec<_> = keys.iter().map(|key| key.verifier().clone()).collect();
    assert_eq!(
        open(note.as_bytes(), &known).unwrap().signers.len(),
        MAX_SIGNATURES
    );
    let more = format!("{note}— w0 AAAAAAA=\n");
    assert_eq!(open(more.as_bytes(), &known), Err(Error::TooManySignatures));
}

#[test]
fn sixteen_post_quantum_signatures_beside_ours_fit() {
    let mut note = sign("a text\n", &[&acme()]).unwrap();
    let line = format!("— w.example {}\n", "AAAA".repeat(5_000 / 3 + 2));
    note.push_str(&line.repeat(16));
    assert!(open(note.as_bytes(), &known()).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_opened_but_nothing_panics(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(open(&bytes, &known()).is_err());
    }

    #[test]
    fn any_lines_are_refused(text in "[a—\n +=A/é]{0,60}\n\n(— [a+ ]{0,3} [A/+=]{0,12}\n){0,3}") {
        prop_assert!(open(text.as_bytes(), &known()).is_err());
    }

    #[test]
    fn any_text_without_control_characters_is_signed(text in "[^\\x00-\\x09\\x0b-\\x1f]{0,60}\n") {
        let note = sign(&text, &[&acme()]).unwrap();
        prop_assert_eq!(open(note.as_bytes(), &known()).unwrap().text, text);
    }
}
