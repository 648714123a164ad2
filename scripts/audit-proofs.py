#!/usr/bin/env python3
"""Has Go's own packages (golang.org/x/mod/sumdb) check what a running server signs and proves of its log.

Needs Go. Leaves are made anew from the records, with the JSON of Python.
"""
import base64
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

root = pathlib.Path(__file__).resolve().parent.parent
target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
program = target / "debug" / "plinto-control-plane"


def canonical(value):
    """RFC 8785, for what events have: whole numbers, and names in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def leaf(record):
    entry = {name: value for name, value in record.items() if name not in ("context", "salt", "leaf_hash")}
    if "salt" in record:
        digest = hashlib.sha256((record["salt"] + canonical(record["context"])).encode()).digest()
        assert entry["context_digest"] == base64.b64encode(digest).decode(), "a context is another"
    entry = canonical(entry).encode()
    assert record["leaf_hash"] == base64.b64encode(hashlib.sha256(b"\0" + entry).digest()).decode(), "a leaf is another"
    return entry


def go_says(evidence):
    ran = subprocess.run(["go", "run", "-C", str(root / "tlog/conformance"), ".", "verify"],
                         input=json.dumps(evidence), capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr


with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    address = f"127.0.0.1:{free.getsockname()[1]}"
    free.close()
    environment = {**os.environ, "PLINTO_LISTEN": address, "PLINTO_PUBLIC_URL": f"http://{address}"}
    made = subprocess.run([program, "bootstrap", "--tenant", "acme", "--audience", "https://api.example"],
                          cwd=folder, env=environment, capture_output=True, check=True)
    key = json.loads(made.stdout)["api_key"]
    server = subprocess.Popen([program, "serve"], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def call(path, body=None):
        request = urllib.request.Request(f"http://{address}{path}", data=body and json.dumps(body).encode(), headers={
            "Authorization": f"Bearer {key}", "Content-Type": "application/json", "User-Agent": "proofs/1"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def sealed(size):
        for _ in range(600):
            try:
                checkpoint = call("/v1/audit/checkpoint")
                if checkpoint["size"] >= size:
                    return checkpoint
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit("the log was not sealed within a minute")

    try:
        before = sealed(1)
        for number in range(300):
            call("/v1/organizations", {"slug": f"o{number}", "name": "O"})
        after = sealed(before["size"] + 300)
        grown = call(f"/v1/audit/consistency_proof?from={before['size']}&to={after['size']}")
        checked = 0
        for first in range(0, after["size"], 60):
            record = call(f"/v1/audit/records?after={first}&limit=1")["data"][0]
            proof = call(f"/v1/audit/inclusion_proof?event_id={record['id']}")
            evidence = {
                "verifier_key": after["verifier_key"], "note": proof["checkpoint"]["note"],
                "record_proof": proof["hashes"], "leaf_base64": base64.b64encode(leaf(record)).decode(),
                "index": proof["index"], "tree_proof": grown["hashes"], "old_note": before["note"],
            }
            code, said = go_says(evidence)
            assert code == 0, said
            changed = {**evidence, "leaf_base64": base64.b64encode(leaf(record) + b" ").decode()}
            assert go_says(changed)[0] != 0, "Go takes a leaf that was changed"
            checked += 1
        print(f"Go's sumdb took {checked} inclusion proofs, their checkpoint of {after['size']} events and the "
              f"consistency with {before['size']}, and none of the leaves that were changed")
    finally:
        server.terminate()
        server.wait()
