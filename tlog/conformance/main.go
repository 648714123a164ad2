// Asks Go's own packages for logs and notes, golang.org/x/mod/sumdb, about ours.
//
//	go run . vectors <folder>   writes known answers as JSON: trees.json, notes.json
//	go run . verify             checks evidence from standard input, see verify.go
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	switch {
	case len(os.Args) == 3 && os.Args[1] == "vectors":
		write(filepath.Join(os.Args[2], "trees.json"), trees())
		write(filepath.Join(os.Args[2], "notes.json"), notes())
	case len(os.Args) == 2 && os.Args[1] == "verify":
		checked, err := verify(os.Stdin)
		if err != nil {
			log.Fatal(err)
		}
		for _, line := range checked {
			fmt.Println(line)
		}
	default:
		log.Fatal("usage: go run . vectors <folder> | go run . verify < evidence.json")
	}
}

func write(path string, answers any) {
	text := must(json.MarshalIndent(answers, "", " "))
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
