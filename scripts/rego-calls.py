#!/usr/bin/env python3
"""Records what a real `opa` answers to the calls in policy-wasm/conformance/calls.

Each line of `<area>.txt` is a builtin's name and its arguments, as Rego terms, between tabs. The
same line of `<area>.answers` is OPA's answer: a term, `undefined`, or `!` and the error.
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
folder = pathlib.Path(__file__).resolve().parent.parent / "policy-wasm" / "conformance" / "calls"


def answer(line):
    name, *arguments = line.split("\t")
    # A function's result may be anything, so no call is refused before it is evaluated.
    wrapped = ", ".join(f"id({argument})" for argument in arguments)
    module = f"package calls\n\nid(x) := x\n\np := [{name}({wrapped})]\n"
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, "calls.rego")
        path.write_text(module)
        # what is deprecated (`any`, `cast_array`) can be called in the old syntax only
        command = [opa, "eval", "--v0-compatible", "-f", "json", "--strict-builtin-errors"]
        command += ["-d", str(path)]
        run = subprocess.run(
            [*command, 'sprintf("%v", [data.calls.p])'], capture_output=True, text=True
        )
    output = json.loads(run.stdout)
    if "errors" in output:
        error = output["errors"][0]
        return "! " + error["code"] + ": " + error["message"].replace("\n", " ")
    if "result" not in output:
        return "undefined"
    return output["result"][0]["expressions"][0]["value"][1:-1].replace("\n", "\\n")


for path in sorted(folder.glob("*.txt")):
    if sys.argv[1:] and path.stem not in sys.argv[1:]:
        continue
    lines = path.read_text().splitlines()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(answer, lines))
    path.with_suffix(".answers").write_text("".join(answer + "\n" for answer in answers))
