package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// The largest tree: its level 2 has one hash.
const largest = 65_836

type treeAnswers struct {
	Entry       string              `json:"entry"`
	Roots       []rootAnswer        `json:"roots"`
	Inclusion   []inclusionAnswer   `json:"inclusion"`
	Consistency []consistencyAnswer `json:"consistency"`
	Tiles       []tileAnswer        `json:"tiles"`
	Appended    []appendedAnswer    `json:"appended"`
}

type rootAnswer struct {
	Size int64     `json:"size"`
	Root tlog.Hash `json:"root"`
}

type inclusionAnswer struct {
	Index int64       `json:"index"`
	Size  int64       `json:"size"`
	Path  []tlog.Hash `json:"path"`
}

type consistencyAnswer struct {
	First  int64       `json:"first"`
	Second int64       `json:"second"`
	Path   []tlog.Hash `json:"path"`
}

// A tile of the tree of `size` entries, and the SHA-256 of its bytes in hexadecimal.
type tileAnswer struct {
	Size   int64  `json:"size"`
	Path   string `json:"path"`
	Sha256 string `json:"sha256"`
}

type appendedAnswer struct {
	From  int64    `json:"from"`
	To    int64    `json:"to"`
	Paths []string `json:"paths"`
}

func entry(index int64) []byte { return fmt.Appendf(nil, "entry %d", index) }

// Hashes as the package numbers them.
type stored []tlog.Hash

func (hashes stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = hashes[index]
	}
	return read, nil
}

func grown(size int64) stored {
	var hashes stored
	for i := range size {
		hashes = append(hashes, must(tlog.StoredHashes(i, entry(i), hashes))...)
	}
	return hashes
}

// The path that C2SP tlog-tiles gives it: that of the package without the height.
func path(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }

func trees() treeAnswers {
	hashes := grown(largest)
	answers := treeAnswers{Entry: "entry <index in decimal>"}

	sizes := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 100, 255, 256, 257, 300, 511, 512, 513, 767, 768,
		1_000, 4_096, 10_000, 65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 65_792, 65_793, largest}
	for _, size := range sizes {
		answers.Roots = append(answers.Roots, rootAnswer{size, must(tlog.TreeHash(size, hashes))})
	}

	prove := func(index, size int64) {
		proof := must(tlog.ProveRecord(size, index, hashes))
		answers.Inclusion = append(answers.Inclusion, inclusionAnswer{index, size, proof})
	}
	continues := func(first, second int64) {
		proof := must(tlog.ProveTree(second, first, hashes))
		answers.Consistency = append(answers.Consistency, consistencyAnswer{first, second, proof})
	}
	for size := int64(1); size <= 9; size++ {
		for index := range size {
			prove(index, size)
			continues(index+1, size)
		}
	}
	for _, size := range []int64{256, 257, 300, 513, 65_536, 65_537, largest} {
		for _, index := range []int64{0, 1, 127, 255, 256, 299, 65_535, 65_536, size - 1} {
			if index < size {
				prove(index, size)
				continues(index+1, size)
			}
		}
	}

	for _, size := range []int64{1, 255, 256, 257, 1_000, 65_536} {
		for _, tile := range tlog.NewTiles(8, 0, size) {
			if size == 65_536 && tile.L == 0 && tile.N%51 != 0 {
				continue // a few of 256 will do
			}
			digest := sha256.Sum256(must(tlog.ReadTileData(tile, hashes)))
			answers.Tiles = append(answers.Tiles, tileAnswer{size, path(tile), hex.EncodeToString(digest[:])})
		}
	}

	for _, step := range [][2]int64{{0, 1}, {0, 255}, {255, 256}, {256, 257}, {0, 256}, {200, 1_100},
		{512, 512}, {512, 768}, {65_279, 65_281}, {65_500, 65_536}, {65_535, 65_536}, {65_535, largest}} {
		paths := []string{}
		for _, tile := range tlog.NewTiles(8, step[0], step[1]) {
			paths = append(paths, path(tile))
		}
		answers.Appended = append(answers.Appended, appendedAnswer{step[0], step[1], paths})
	}
	return answers
}
