#!/usr/bin/env python3
"""Records what a real `opa` answers to the small policies in policy-wasm/conformance: idioms.rego, and
v0.rego in the older Rego.

`go install github.com/open-policy-agent/opa@latest` puts it on the machine; OPA names another one.
"""
import json
import os
import pathlib
import subprocess
import tempfile

opa = os.environ.get("OPA", os.path.expanduser("~/go/bin/opa"))
folder = pathlib.Path(__file__).resolve().parent.parent / "policy-wasm" / "conformance"
version = subprocess.run([opa, "version"], capture_output=True, text=True, check=True).stdout
version = version.split()[1]


def record(name, package, flags):
    answers = {}
    for text in (folder / f"{name}.rego").read_text().split(f"package {package}.")[1:]:
        case = text.split("\n", 1)[0]
        with tempfile.TemporaryDirectory() as place:
            module = pathlib.Path(place, "module.rego")
            module.write_text(f"package {package}." + text)
            given = [str(folder / "idioms_data.json"), str(module)]
            files = [argument for file in given for argument in ("-d", file)]
            command = [opa, "eval", *flags, "-f", "json", *files]
            command += ["-i", str(folder / "idioms_input.json"), f"data.{package}.{case}.p"]
            run = subprocess.run(command, capture_output=True, text=True)
        output = json.loads(run.stdout)
        if "errors" in output:
            answers[case] = {"error": output["errors"][0]["code"]}
        elif "result" in output:
            answers[case] = {"value": output["result"][0]["expressions"][0]["value"]}
        else:
            answers[case] = "undefined"
    text = json.dumps({"opa": version, "answers": answers}, indent=1, sort_keys=True)
    (folder / f"{name}.json").write_text(text + "\n")


record("idioms", "idiom", [])
record("v0", "older", ["--v0-compatible"])
