# METADATA
# title: The package
# organizations: [a, b]
# entrypoint: false
# custom: {n: 1.50, t: "x", d: [1, {a: b}]}
package p.q

import data.x as y

# METADATA
# title: First
# description: |
#   two
#   lines
# related_resources:
#  - https://example.com/a
#  - {ref: https://example.com, description: " d "}
# authors:
#  - Jane Doe <jane@example.com>
#  - email: x@y
# METADATA
# title: 5
# schemas:
#  - input: schema.a
#  - input.b["c"]: {type: string}
r := x if { x := rego.metadata.rule() }
else := rego.metadata.chain() if true

# METADATA
# scope: document
# title: Doc
# labels: {a: 1}
# compile: {unknowns: [input]}
s contains rego.metadata.chain()

s contains z if { rego.metadata.rule(z) }

s contains [c | c := rego.metadata.chain()[_].path] if rego.metadata.rule() != 1

# METADATA
# entrypoint: true
# title: yes
t[x] := rego.metadata.chain() if x := "a"

u := 1 if false
else := rego.metadata.rule() if false
else := rego.metadata.chain()

v := $"{rego.metadata.rule()} {count(rego.metadata.chain())}"
w if { not object.get(rego.metadata.rule(), "title", false); every k in rego.metadata.chain() { k.path } }
f(a) := [a, rego.metadata.chain()]
g := f(1)
