//! Proofs as files, to be checked offline.

use plinto_tlog::{Checkpoint, Error, LogProof, tree};

use crate::definition::{leaf, log};
use crate::keys::{NAME, acme, other};

fn example() -> LogProof {
    let (edge, stored) = log(300);
    let checkpoint = Checkpoint::new(NAME, 300, edge.root()).unwrap();
    let path = tree::inclusion(5, 300, &stored).unwrap();
    LogProof::new(5, path, checkpoint.sign(&[&acme(), &other()]).unwrap()).unwrap()
}

#[test]
fn a_proof_is_read_as_it_was_written() {
    let proof = example();
    let text = proof.to_string();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
    assert_eq!(lines.next(), Some("index 5"));
    let path: Vec<_> = lines.by_ref().take(9).map(str::parse).collect();
    assert_eq!(
        path,
        proof.path().iter().copied().map(Ok).collect::<Vec<_>>()
    );
    assert_eq!(lines.next(), Some(""));
    assert_eq!(lines.next(), Some(NAME));
    assert!(text.ends_with(proof.checkpoint()));
    assert_eq!(text.parse(), Ok(proof.clone()));

    let with_extra = proof.with_extra(b"more".to_vec());
    let text = with_extra.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 5\n"));
    assert_eq!(text.parse(), Ok(with_extra));
}

#[test]
fn the_only_entry_of_a_log_needs_no_hashes() {
    let root = leaf(0);
    let note = Checkpoint::new(NAME, 1, root).unwrap().sign(&[&acme()]);
    let proof = LogProof::new(0, Vec::new(), note.unwrap()).unwrap();
    let text = proof.to_string();
    let begin = format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{NAME}\n1\n");
    assert!(text.starts_with(&begin));
    let read: LogProof = text.parse().unwrap();
    let known = [acme().verifier().clone()];
    assert!(read.verify(&root, NAME, &known).is_ok());
}

#[test]
fn a_proof_holds_for_its_entry_log_and_keys_only() {
    let (proof, known) = (example(), [acme().verifier().clone()]);
    let checkpoint = proof.verify(&leaf(5), NAME, &known).unwrap();
    assert_eq!(checkpoint.size(), 300);
    let verify = |leaf, origin, known: &[_]| proof.verify(&leaf, origin, known).map(drop);
    assert_eq!(verify(leaf(6), NAME, &known), Err(Error::Proof));
    assert_eq!(
        verify(leaf(5), "log.example/other", &known),
        Err(Error::Origin)
    );
    assert_eq!(verify(leaf(5), NAME, &[]), Err(Error::Unsigned));
    let text = proof.to_string();
    for (what, with, error) in [
        ("index 5", "index 4", Error::Proof),
        ("index 5", "index 300", Error::Index),
        ("\n300\n", "\n301\n", Error::Signature),
    ] {
        let other: LogProof = text.replace(what, with).parse().unwrap();
        assert_eq!(other.verify(&leaf(5), NAME, &known), Err(error), "{with}");
    }
}

#[test]
fn other_texts_are_refused() {
    let text = example().to_string();
    let first = example().path()[0].to_string();
    for (what, with, error) in [
        ("c2sp.org/tlog-proof@v1\n", "", Error::ProofText),
        ("proof@v1", "proof@v2", Error::ProofText),
        ("c2sp.org", "\nc2sp.org", Error::ProofText),
        ("@v1\n", "@v1\r\n", Error::ProofText),
        ("index 5\n", "", Error::ProofText),
        ("index 5", "index  5", Error::Number),
        ("index 5", "index 05", Error::Number),
        ("index 5", "index ", Error::Number),
        ("index 5", "index -1", Error::Number),
        ("index 5", "index 5 ", Error::Number),
        ("index 5", "index 9223372036854775808", Error::Size),
        ("index 5", "extra bW9yZQ==", Error::ProofText),
        (
            "index 5",
            "extra bW9yZQ==\nextra bW9yZQ==\nindex 5",
            Error::ProofText,
        ),
        ("index 5", "extra \nindex 5", Error::ProofText),
        ("index 5", "extra bW9yZQ\nindex 5", Error::Base64),
        ("index 5", "index 5\nextra bW9yZQ==", Error::Base64),
        (first.as_str(), "AAAA", Error::Hash),
        (first.as_str(), "*", Error::Base64),
    ] {
        let other = text.replacen(what, with, 1);
        assert_eq!(other.parse::<LogProof>(), Err(error), "{with:?}");
    }
    let cut = text.trim_end_matches('\n');
    assert_eq!(cut.parse::<LogProof>(), Err(Error::ProofText));
    let long = text.replacen(&first, &vec![first.as_str(); 64].join("\n"), 1);
    assert_eq!(long.parse::<LogProof>(), Err(Error::ProofText));
    for (size, ends) in [(64, true), (63, false)] {
        let note = if ends { "a\n" } else { "a" };
        let proof = LogProof::new(0, vec![leaf(0); size], note.to_owned());
        assert_eq!(proof, Err(Error::ProofText));
    }
}
