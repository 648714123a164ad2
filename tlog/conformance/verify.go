package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What `verify` reads. The hashes of proofs are base64. Without old_note no continuity is checked,
// without record_proof no inclusion.
type evidence struct {
	VerifierKey string       `json:"verifier_key"`
	Note        string       `json:"note"`
	RecordProof *[]tlog.Hash `json:"record_proof"`
	LeafBase64  string       `json:"leaf_base64"` // the entry itself, not its hash
	Index       int64        `json:"index"`
	TreeProof   []tlog.Hash  `json:"tree_proof"`
	OldNote     string       `json:"old_note"`
}

// verify checks evidence and tells, one line each, what has been checked.
func verify(input io.Reader) ([]string, error) {
	var given evidence
	decoder := json.NewDecoder(input)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	verifier, err := note.NewVerifier(given.VerifierKey)
	if err != nil {
		return nil, fmt.Errorf("verifier_key: %w", err)
	}
	current, err := checkpoint(given.Note, verifier)
	if err != nil {
		return nil, fmt.Errorf("note: %w", err)
	}
	checked := []string{fmt.Sprintf("note: size %d, root %v", current.N, current.Hash)}

	if given.RecordProof != nil {
		entry, err := base64.StdEncoding.DecodeString(given.LeafBase64)
		if err != nil {
			return nil, fmt.Errorf("leaf_base64: %w", err)
		}
		leaf := tlog.RecordHash(entry)
		if err := tlog.CheckRecord(*given.RecordProof, current.N, current.Hash, given.Index, leaf); err != nil {
			return nil, fmt.Errorf("record_proof: %w", err)
		}
		checked = append(checked, fmt.Sprintf("record_proof: entry %d is in the log", given.Index))
	}

	if given.OldNote != "" {
		old, err := checkpoint(given.OldNote, verifier)
		if err != nil {
			return nil, fmt.Errorf("old_note: %w", err)
		}
		if err := tlog.CheckTree(given.TreeProof, current.N, current.Hash, old.N, old.Hash); err != nil {
			return nil, fmt.Errorf("tree_proof: %w", err)
		}
		checked = append(checked, fmt.Sprintf("tree_proof: the log of size %d goes on to size %d", old.N, current.N))
	}
	return checked, nil
}

// The size and root of a checkpoint that the key has signed. Its origin is the key's name; apart from
// that its text is what tlog.ParseTree reads.
func checkpoint(message string, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open([]byte(message), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	rest, ours := strings.CutPrefix(opened.Text, verifier.Name()+"\n")
	if !ours {
		return tlog.Tree{}, errors.New("the origin is not the key's name")
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%w after the origin: %s", err, strconv.Quote(rest))
	}
	return tree, nil
}
