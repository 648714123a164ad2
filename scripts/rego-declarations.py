#!/usr/bin/env python3
"""Writes policy-wasm/src/builtins/declarations.txt: what a real `opa` says of its builtins.

A builtin a line, by name: the name, its arguments' types, its result's type (`-` without one), and
`~` if it is deprecated, `*` if it may have several results, `+` if it takes any number of arguments.
Types: `z` null, `b` boolean, `n` number, `s` string, `a` any; `[ab;c]` an array of `a`, `b` and any
number of `c`; `<a>` a set; `{key=a,*b:c}` an object with `key` and any keys of `b` with values of
`c`; `(ab)` either. OPA's "Policy Reference" has the same in words.
`go install github.com/open-policy-agent/opa@latest` puts OPA on the machine; OPA names another one.
"""
import json
import os
import pathlib
import subprocess

opa = os.environ.get("OPA", os.path.expanduser("~/go/bin/opa"))
here = pathlib.Path(__file__).resolve().parent.parent
target = here / "policy-wasm" / "src" / "builtins" / "declarations.txt"
SCALARS = {"null": "z", "boolean": "b", "number": "n", "string": "s"}


def packed(kind):
    name = kind["type"]
    if name in SCALARS:
        return SCALARS[name]
    if name == "any":
        return "(" + "".join(map(packed, kind["of"])) + ")" if kind.get("of") else "a"
    if name == "set":
        return "<" + (packed(kind["of"]) if kind.get("of") else "") + ">"
    if name == "array":
        dynamic = ";" + packed(kind["dynamic"]) if "dynamic" in kind else ""
        return "[" + "".join(map(packed, kind.get("static", []))) + dynamic + "]"
    assert name == "object", kind
    static = sorted(kind.get("static", []), key=lambda one: one["key"])
    parts = [one["key"] + "=" + packed(one["value"]) + "," for one in static]
    if "dynamic" in kind:
        parts.append("*" + packed(kind["dynamic"]["key"]) + ":" + packed(kind["dynamic"]["value"]))
    return "{" + "".join(parts) + "}"


run = subprocess.run([opa, "capabilities", "--current"], capture_output=True, check=True)
lines = []
for builtin in json.loads(run.stdout)["builtins"]:
    declaration = builtin["decl"]
    flags = "~" if builtin.get("deprecated") else ""
    flags += "*" if builtin.get("relation") else ""
    flags += "+" if "variadic" in declaration else ""
    arguments = "".join(map(packed, declaration.get("args", []))) or "."
    result = packed(declaration["result"]) if "result" in declaration else "-"
    lines.append(" ".join([builtin["name"], arguments, result, flags]).rstrip())
target.write_text("\n".join(sorted(lines)) + "\n")
