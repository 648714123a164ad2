//go:build ignore

// Writes the Unicode tables of Go's regular expressions, which OPA uses:
//
//	go run scripts/regex-tables.go > policy-wasm/src/builtins/regex/tables.bin
//
// All numbers are unsigned LEB128. First the runs of simple case folding: their number, then for each
// the gap to its first character from the last one's, how many characters, the distance between two of
// them, and by how far their next character of the same letter is away, as zigzag. Then the classes
// until the end: the length of the name, the name, the number of ranges, and for each the gap before
// it and its length less one. A class whose name begins with `+` is what folding adds to the one of
// that name. A name that begins with `=` is another one for a class, whose own name follows.
package main

import (
	"bufio"
	"encoding/binary"
	"os"
	"sort"
	"unicode"
)

var out = bufio.NewWriter(os.Stdout)

func number(n uint64) { out.Write(binary.AppendUvarint(nil, n)) }

func text(s string) {
	number(uint64(len(s)))
	out.WriteString(s)
}

type run struct{ first, count, stride, delta int }

func folding() {
	var runs []run
	for c := 0; c <= unicode.MaxRune; c++ {
		delta := int(unicode.SimpleFold(rune(c))) - c
		if delta == 0 {
			continue
		}
		if n := len(runs); n > 0 {
			last := &runs[n-1]
			end := last.first + (last.count-1)*last.stride
			if last.delta == delta && (last.count == 1 && c-end <= 2 || last.count > 1 && c-end == last.stride) {
				last.stride = c - end
				last.count++
				continue
			}
		}
		runs = append(runs, run{c, 1, 1, delta})
	}
	number(uint64(len(runs)))
	previous := 0
	for _, r := range runs {
		number(uint64(r.first - previous))
		number(uint64(r.count))
		number(uint64(r.stride))
		number(uint64(r.delta<<1 ^ r.delta>>63))
		previous = r.first
	}
}

func class(name string, table *unicode.RangeTable) {
	var ranges [][2]int
	add := func(lo, hi int) {
		if n := len(ranges); n > 0 && ranges[n-1][1]+1 == lo {
			ranges[n-1][1] = hi
			return
		}
		ranges = append(ranges, [2]int{lo, hi})
	}
	unicodeRanges(table, add)
	text(name)
	number(uint64(len(ranges)))
	next := 0
	for _, r := range ranges {
		number(uint64(r[0] - next))
		number(uint64(r[1] - r[0]))
		next = r[1] + 1
	}
}

func unicodeRanges(table *unicode.RangeTable, add func(lo, hi int)) {
	each := func(lo, hi, stride int) {
		if stride == 1 {
			add(lo, hi)
			return
		}
		for c := lo; c <= hi; c += stride {
			add(c, c)
		}
	}
	for _, r := range table.R16 {
		each(int(r.Lo), int(r.Hi), int(r.Stride))
	}
	for _, r := range table.R32 {
		each(int(r.Lo), int(r.Hi), int(r.Stride))
	}
}

func classes(prefix string, tables map[string]*unicode.RangeTable) {
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		class(prefix+name, tables[name])
	}
}

func main() {
	defer out.Flush()
	folding()
	// A category of one letter is made of those of two that begin with it.
	two := map[string]*unicode.RangeTable{}
	for name, table := range unicode.Categories {
		if len(name) == 2 && name != "LC" && name != "Cn" {
			two[name] = table
		}
	}
	classes("", two)
	classes("", unicode.Scripts)
	classes("+", unicode.FoldCategory)
	classes("+", unicode.FoldScript)
	var aliases []string
	for alias := range unicode.CategoryAliases {
		aliases = append(aliases, alias)
	}
	sort.Strings(aliases)
	for _, alias := range aliases {
		text("=" + alias)
		text(unicode.CategoryAliases[alias])
	}
}
