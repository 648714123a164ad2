#!/usr/bin/env python3
"""Records what a real `opa` answers to policy-wasm/conformance/idioms.rego.

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
answers = {}
for text in (folder / "idioms.rego").read_text().split("package idiom.")[1:]:
    name = text.split("\n", 1)[0]
    with tempfile.TemporaryDirectory() as place:
        module = pathlib.Path(place, "idiom.rego")
        module.write_text("package idiom." + text)
        given = [str(folder / "idioms_data.json"), str(module)]
        files = [argument for file in given for argument in ("-d", file)]
        command = [opa, "eval", "-f", "json", *files, "-i", str(folder / "idioms_input.json")]
        run = subprocess.run([*command, f"data.idiom.{name}.p"], capture_output=True, text=True)
    output = json.loads(run.stdout)
    if "errors" in output:
        answers[name] = {"error": output["errors"][0]["code"]}
    elif "result" in output:
        answers[name] = {"value": output["result"][0]["expressions"][0]["value"]}
    else:
        answers[name] = "undefined"
text = json.dumps({"opa": version, "answers": answers}, indent=1, sort_keys=True)
(folder / "idioms.json").write_text(text + "\n")
