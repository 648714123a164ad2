package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type noteAnswers struct {
	Keys         []keyAnswer         `json:"keys"`
	Signed       []signedAnswer      `json:"signed"`
	Opened       []openedAnswer      `json:"opened"`
	VerifierKeys []verifierKeyAnswer `json:"verifier_keys"`
	Checkpoints  []checkpointAnswer  `json:"checkpoints"`
}

type keyAnswer struct {
	Name        string `json:"name"`
	Seed        string `json:"seed"`
	VerifierKey string `json:"verifier_key"`
}

type signedAnswer struct {
	Text string   `json:"text"`
	Keys []string `json:"keys"`
	Note string   `json:"note"`
}

// What the package says of a message when it knows the keys `log.example/acme` and `other.example`.
type openedAnswer struct {
	What     string   `json:"what"`
	Message  string   `json:"message_base64"`
	Accepted bool     `json:"accepted"`
	Text     string   `json:"text,omitempty"`
	Signers  []string `json:"signers,omitempty"`
}

type verifierKeyAnswer struct {
	Text     string `json:"text"`
	Accepted bool   `json:"accepted"`
}

type checkpointAnswer struct {
	Size int64     `json:"size"`
	Root tlog.Hash `json:"root"`
	Text string    `json:"text"`
}

// A key of a name and 32 bytes that are all the same.
func key(name string, fill byte) (keyAnswer, note.Signer, note.Verifier) {
	seed := bytes.Repeat([]byte{fill}, ed25519.SeedSize)
	// the package makes keys of its own choice of randomness: this is a source that gives the seed
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed), name)
	if err != nil {
		panic(err)
	}
	signer, verifier := must(note.NewSigner(skey)), must(note.NewVerifier(vkey))
	return keyAnswer{name, hex.EncodeToString(seed), vkey}, signer, verifier
}

func sign(text string, signers ...note.Signer) string {
	return string(must(note.Sign(&note.Note{Text: text}, signers...)))
}

func notes() noteAnswers {
	var answers noteAnswers
	acmeKey, acme, acmeVerifier := key("log.example/acme", 7)
	otherKey, other, otherVerifier := key("other.example", 9)
	unknownKey, unknown, _ := key("log.example/acme", 11)
	answers.Keys = []keyAnswer{acmeKey, otherKey, unknownKey}

	for _, text := range []string{
		"log.example/acme\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"one line\n",
		"\n",
		"lines\n\nwith empty ones\n\n\n",
		"— looks like a signature AAAA\n",
		"Größe, 木, 🌲\n",
	} {
		answers.Signed = append(answers.Signed,
			signedAnswer{text, []string{acmeKey.Seed}, sign(text, acme)},
			signedAnswer{text, []string{otherKey.Seed, acmeKey.Seed}, sign(text, other, acme)})
	}

	known := note.VerifierList(acmeVerifier, otherVerifier)
	text := "a text\n"
	good, stranger := sign(text, acme), sign(text, unknown)
	line := func(message string) string { return message[strings.LastIndex(message, "\n\n")+2:] }
	encoded := func(name string, id uint32, signature []byte) string {
		raw := append(binary.BigEndian.AppendUint32(nil, id), signature...)
		return "— " + name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	wrong := encoded(acme.Name(), acme.KeyHash(), make([]byte, 64))
	short := encoded(acme.Name(), acme.KeyHash(), make([]byte, 63))
	many := func(count int) string {
		var all strings.Builder
		for i := range count {
			all.WriteString(encoded(fmt.Sprintf("w%d.example", i), uint32(i), make([]byte, 1)))
		}
		return all.String()
	}
	for _, message := range []struct{ what, text string }{
		{"signed by a known key", good},
		{"signed by two known keys", sign(text, acme, other)},
		{"signed by a known and an unknown key", good + line(stranger)},
		{"the unknown key first", stranger + line(good)},
		{"the same signature twice", good + line(good)},
		{"signed by an unknown key of the same name", stranger},
		{"signed by an unknown type of key of the same id", good + encoded("w.example", acme.KeyHash(), make([]byte, 5_000))},
		{"a known key's id with another name only", text + "\n" + encoded("w.example", acme.KeyHash(), make([]byte, 64))},
		{"a wrong signature of a known key", text + "\n" + wrong},
		{"a wrong signature of a known key beside a good one of another", sign(text, other) + wrong},
		{"a short signature of a known key", text + "\n" + short},
		{"another text", "another text\n\n" + line(good)},
		{"a longer text", "a text\na text\n\n" + line(good)},
		{"no signature", text + "\n"},
		{"no empty line", text + line(good)},
		{"no text", line(good)},
		{"an empty text", "\n" + line(good)},
		{"no last newline", strings.TrimSuffix(good, "\n")},
		{"an empty line at the end", good + "\n"},
		{"text after the signatures", good + "more\n"},
		{"a carriage return", strings.Replace(good, "a text\n", "a text\r\n", 1)},
		{"a carriage return at a signature's end", strings.TrimSuffix(good, "\n") + "\r\n"},
		{"a tab", strings.Replace(good, "a text", "a\ttext", 1)},
		{"a zero byte", strings.Replace(good, "a text", "a\x00text", 1)},
		{"bytes that are not UTF-8", strings.Replace(good, "a text", "a\xfftext", 1)},
		{"a surrogate in UTF-8", strings.Replace(good, "a text", "a\xed\xa0\x80text", 1)},
		{"a hyphen in place of the dash", strings.Replace(good, "— ", "- ", 1)},
		{"no space after the dash", strings.Replace(good, "— ", "—", 1)},
		{"two spaces before the name", strings.Replace(good, "— ", "—  ", 1)},
		{"two spaces after the name", strings.Replace(good, "acme ", "acme  ", 1)},
		{"a plus in an unknown name", good + "— a+b AAAAAAA=\n"},
		{"a no-break space in an unknown name", good + "— a\u00a0b AAAAAAA=\n"},
		{"no name", good + "—  AAAAAAA=\n"},
		{"no signature after a name", good + "— a.example \n"},
		{"a name only", good + "— a.example\n"},
		{"a signature of no bytes", good + "— a.example AAAAAA==\n"},
		{"a signature of one byte", good + "— a.example AAAAAAA=\n"},
		{"stray bits after a signature", good + "— a.example AAAAAAB=\n"},
		{"a wrong signature after a good one of the same key", good + wrong},
		{"no padding", good + "— a.example AAAAAAA\n"},
		{"base64 for URLs", good + "— a.example AAAA__8=\n"},
		{"something after a signature", good + "— a.example AAAAAAA= b\n"},
		{"one hundred signatures", good + many(99)},
		{"one hundred and one signatures", good + many(100)},
		{"nothing", ""},
		{"an empty line only", "\n\n"},
	} {
		answer := openedAnswer{What: message.what, Message: base64.StdEncoding.EncodeToString([]byte(message.text))}
		if opened, err := note.Open([]byte(message.text), known); err == nil {
			answer.Accepted, answer.Text = true, opened.Text
			for _, signature := range opened.Sigs {
				answer.Signers = append(answer.Signers, fmt.Sprintf("%s+%08x", signature.Name, signature.Hash))
			}
		}
		answers.Opened = append(answers.Opened, answer)
	}

	keys := []string{acmeKey.VerifierKey, otherKey.VerifierKey,
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
		"PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}
	whole := acmeKey.VerifierKey
	for i := range whole {
		keys = append(keys, whole[:i], whole[i+1:], whole[:i]+string(whole[i]+1)+whole[i+1:])
	}
	for _, text := range keys {
		_, err := note.NewVerifier(text)
		answers.VerifierKeys = append(answers.VerifierKeys, verifierKeyAnswer{text, err == nil})
	}

	for _, size := range []int64{0, 1, 20_852_163, 1<<63 - 1} {
		root := tlog.RecordHash(fmt.Append(nil, size))
		if size == 0 {
			root = must(tlog.TreeHash(0, nil))
		}
		tree := tlog.Tree{N: size, Hash: root}
		answers.Checkpoints = append(answers.Checkpoints, checkpointAnswer{size, root, string(tlog.FormatTree(tree))})
	}
	return answers
}
