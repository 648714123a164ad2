#!/usr/bin/env python3
"""Packs the time zones that OPA knows into policy-wasm/src/builtins/time/zones.bin.

They come with Go, as `lib/time/zoneinfo.zip` of its installation (GOROOT, or the first argument).
The file is deflated; unpacked it holds, numbers little-endian:

    u32 length, text: names, a line each, in order
    u16 for each name: which zone it is
    u32 length, text: rules for the time after the last transition, a line each
    u32 length, text: kinds of local time, a line each: seconds east of UTC, 1 in summer, abbreviation
    u32 length of each zone, zone:
        u8 rule, u8 number of kinds, u16 each, u16 number of transitions, u8 kind each,
        u16 quarters of an hour since the one before each; 0xffff: the next 8 bytes are the seconds
"""
import pathlib
import struct
import subprocess
import sys
import zipfile
import zlib

root = sys.argv[1] if sys.argv[1:] else subprocess.check_output(["go", "env", "GOROOT"], text=True).strip()
target = pathlib.Path(__file__).resolve().parent.parent / "policy-wasm/src/builtins/time/zones.bin"


def read(tzif):
    """Transitions, their kinds, the kinds, and the rule of a zone. Source: RFC 9636."""

    def counts(at):
        return struct.unpack(">6I", tzif[at + 20 : at + 44])

    utc, standard, leaps, times, kinds, characters = counts(0)
    at = 44 + times * 5 + kinds * 6 + characters + leaps * 8 + standard + utc
    utc, standard, leaps, times, kinds, characters = counts(at)
    assert leaps == 0, "leap seconds"
    at += 44
    transitions = struct.unpack(f">{times}q", tzif[at : at + 8 * times])
    at += 8 * times
    indexes = tzif[at : at + times]
    at += times
    records = [struct.unpack(">iBB", tzif[at + 6 * i : at + 6 * i + 6]) for i in range(kinds)]
    at += 6 * kinds
    names = tzif[at : at + characters]
    at += characters + standard + utc
    kinds = [(offset, summer, names[i:].split(b"\0")[0].decode()) for offset, summer, i in records]
    return transitions, indexes, tuple(kinds), tzif[at:].strip(b"\n").decode()


def packed(zone):
    transitions, indexes, zone_kinds, rule = zone
    out = struct.pack("<BB", rules.index(rule), len(zone_kinds))
    out += b"".join(struct.pack("<H", kinds.index(kind)) for kind in zone_kinds)
    out += struct.pack("<H", len(transitions)) + indexes
    before = 0
    for transition in transitions:
        seconds = transition - before
        if seconds % 900 == 0 and 0 <= seconds // 900 < 0xFFFF:
            out += struct.pack("<H", seconds // 900)
        else:
            out += b"\xff\xff" + struct.pack("<q", seconds)
        before = transition
    return struct.pack("<I", len(out)) + out


def text(lines):
    joined = "".join(line + "\n" for line in lines).encode()
    return struct.pack("<I", len(joined)) + joined


with zipfile.ZipFile(pathlib.Path(root, "lib/time/zoneinfo.zip")) as archive:
    files = {name: read(archive.read(name)) for name in archive.namelist() if not name.endswith("/")}
names = sorted(files, key=str.encode)
zones = list(dict.fromkeys(files[name] for name in names))
rules = sorted({zone[3] for zone in zones})
kinds = sorted({kind for zone in zones for kind in zone[2]})
data = (
    text(names)
    + b"".join(struct.pack("<H", zones.index(files[name])) for name in names)
    + text(rules)
    + text(f"{offset} {summer} {name}" for offset, summer, name in kinds)
    + b"".join(map(packed, zones))
)
deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
target.write_bytes(deflate.compress(data) + deflate.flush())
print(f"{len(names)} names, {len(zones)} zones, {len(data)} bytes, {target.stat().st_size} deflated")
