#!/usr/bin/env python3
"""Records what a real `opa check` says of the policies in policy-wasm/conformance/checks.

`<area>.txt` holds cases: `=== name` and a policy, whose modules `---` separates. `<area>.answers`
holds a line for each of OPA's findings: name, code, module (from 0), line, column and message,
between tabs; or name and `ok`.
`go install github.com/open-policy-agent/opa@latest` puts OPA on the machine; OPA names another one.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

opa = os.environ.get("OPA", os.path.expanduser("~/go/bin/opa"))
folder = pathlib.Path(__file__).resolve().parent.parent / "policy-wasm" / "conformance" / "checks"


def cases(text):
    for case in ("\n" + text).split("\n=== ")[1:]:
        name, _, policy = case.partition("\n")
        yield name, [module + "\n" for module in policy.rstrip("\n").split("\n---\n")]


def answer(case):
    name, modules = case
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for index, module in enumerate(modules):
            paths.append(f"{index}.rego")
            pathlib.Path(place, paths[-1]).write_text(module)
        command = [opa, "check", "--format", "json", "--max-errors", "0", *paths]
        run = subprocess.run(command, capture_output=True, text=True, cwd=place)
    output = run.stdout + run.stderr
    if not output.strip():
        return [f"{name}\tok"]
    lines = []
    for error in json.loads(output)["errors"]:
        at = error.get("location") or {"file": "0.rego", "row": 0, "col": 0}
        module = at["file"].removesuffix(".rego")
        message = error["message"].split("\n")[0]
        lines.append(f"{name}\t{error['code']}\t{module}\t{at['row']}\t{at['col']}\t{message}")
    return lines


for path in sorted(folder.glob("*.txt")):
    if sys.argv[1:] and path.stem not in sys.argv[1:]:
        continue
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = [line for lines in pool.map(answer, cases(path.read_text())) for line in lines]
    path.with_suffix(".answers").write_text("".join(line + "\n" for line in answers))
