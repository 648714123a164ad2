//! Checkpoints as text and as signed notes.

use plinto_tlog::{Checkpoint, Error, Hash, MAX_SIZE, hash, note};

use crate::definition::leaf;
use crate::keys::{NAME, acme, other, stranger};

const ROOT: &str = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

fn example() -> Checkpoint {
    let root: Hash = ROOT.parse().unwrap();
    Checkpoint::new("example.com/behind-the-sofa", 20_852_163, root).unwrap()
}

#[test]
fn the_example_of_the_specification_is_read_and_written() {
    let text = format!("example.com/behind-the-sofa\n20852163\n{ROOT}\n");
    assert_eq!(example().to_string(), text);
    let read: Checkpoint = text.parse().unwrap();
    assert_eq!(read, example());
    assert_eq!(read.origin(), "example.com/behind-the-sofa");
    assert_eq!(read.size(), 20_852_163);
    assert_eq!(read.root().to_string(), ROOT);
    assert!(read.extensions().is_empty());
}

#[test]
fn extensions_follow_in_order() {
    let with = example().with_extension("one").unwrap();
    let with = with.with_extension("— two").unwrap();
    let text = format!("{}one\n— two\n", example());
    assert_eq!(with.to_string(), text);
    assert_eq!(text.parse(), Ok(with.clone()));
    assert_eq!(with.extensions(), ["one", "— two"]);
    for line in ["", "a\nb", "a\r", "\u{0}"] {
        assert_eq!(example().with_extension(line), Err(Error::Checkpoint));
    }
}

#[test]
fn other_texts_are_refused() {
    let empty = hash::EMPTY_ROOT;
    for (text, error) in [
        (String::new(), Error::Checkpoint),
        ("\n".to_owned(), Error::Checkpoint),
        (format!("o\n5\n{ROOT}"), Error::Checkpoint),
        ("o\n5\n".to_owned(), Error::Checkpoint),
        (format!("\n5\n{ROOT}\n"), Error::Checkpoint),
        (format!("o\n5\n{ROOT}\n\n"), Error::Checkpoint),
        (format!("o\n5\n{ROOT}\n\nextension\n"), Error::Checkpoint),
        (format!("o\n5\n{ROOT}\nextension"), Error::Checkpoint),
        (format!("o\r\n5\n{ROOT}\n"), Error::Checkpoint),
        (format!("o\n\n{ROOT}\n"), Error::Number),
        (format!("o\n05\n{ROOT}\n"), Error::Number),
        (format!("o\n00\n{empty}\n"), Error::Number),
        (format!("o\n+5\n{ROOT}\n"), Error::Number),
        (format!("o\n-5\n{ROOT}\n"), Error::Number),
        (format!("o\n5 \n{ROOT}\n"), Error::Number),
        (format!("o\n5\r\n{ROOT}\n"), Error::Number),
        (format!("o\n0x5\n{ROOT}\n"), Error::Number),
        (format!("o\n5.0\n{ROOT}\n"), Error::Number),
        (format!("o\n٥\n{ROOT}\n"), Error::Number),
        (format!("o\n{}\n{ROOT}\n", MAX_SIZE + 1), Error::Size),
        (format!("o\n99999999999999999999999\n{ROOT}\n"), Error::Size),
        ("o\n5\n\n".to_owned(), Error::Hash),
        ("o\n5\nAAAA\n".to_owned(), Error::Hash),
        (format!("o\n5\n{ROOT} \n"), Error::Base64),
        (
            format!("o\n5\n{}\n", ROOT.trim_end_matches('=')),
            Error::Base64,
        ),
        (format!("o\n0\n{ROOT}\n"), Error::Checkpoint),
    ] {
        assert_eq!(text.parse::<Checkpoint>(), Err(error), "{text:?}");
    }
    let largest = format!("o\n{MAX_SIZE}\n{ROOT}\n");
    assert_eq!(largest.parse::<Checkpoint>().unwrap().size(), MAX_SIZE);
    let none = format!("o\n0\n{empty}\n");
    assert_eq!(none.parse::<Checkpoint>().unwrap().to_string(), none);
}

#[test]
fn what_cannot_be_read_cannot_be_made() {
    for origin in ["", "a\nb", "a\n", "\t", "a\u{1f}"] {
        let result = Checkpoint::new(origin, 1, leaf(0));
        assert_eq!(result, Err(Error::Checkpoint), "{origin:?}");
    }
    let result = Checkpoint::new("o", MAX_SIZE + 1, leaf(0));
    assert_eq!(result, Err(Error::Size));
    assert_eq!(Checkpoint::new("o", 0, leaf(0)), Err(Error::Checkpoint));
}

#[test]
fn a_checkpoint_is_of_the_log_that_is_asked_about_and_signed_by_it() {
    let checkpoint = Checkpoint::new(NAME, 7, leaf(0)).unwrap();
    let known = [acme().verifier().clone()];
    let note = checkpoint.sign(&[&acme(), &other()]).unwrap();
    let open = |note: &str, origin| Checkpoint::open(note.as_bytes(), origin, &known);
    assert_eq!(open(&note, NAME), Ok(checkpoint.clone()));
    assert_eq!(open(&note, "log.example/other"), Err(Error::Origin));
    let note = checkpoint.sign(&[&stranger()]).unwrap();
    assert_eq!(open(&note, NAME), Err(Error::Unsigned));
    let note = note::sign("not a checkpoint\n", &[&acme()]).unwrap();
    assert_eq!(open(&note, NAME), Err(Error::Checkpoint));
    let larger = checkpoint
        .sign(&[&acme()])
        .unwrap()
        .replace("\n7\n", "\n8\n");
    assert_eq!(open(&larger, NAME), Err(Error::Signature));
}
