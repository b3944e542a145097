#!/usr/bin/env python3
"""Stores a case: what the guest and its TPM told, and expected.json, which says what must be read out of it.

Register values are those that the guest's kernel read from the TPM. Claims are what the recipe put into the machine. Nothing
here reads the event log: expected.py CASE-FOLDER VERSIONS TARGET-FOLDER
"""

import json
import pathlib
import shutil
import sys

source, versions, target = map(pathlib.Path, sys.argv[1:])


def rows(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def registers():
    banks = {}
    for line in (source / "pcrs").read_text().splitlines():
        place, value = line.split()
        bank, index = place.split("/")
        banks.setdefault(bank, {})[int(index)] = value.lower()
    return {bank: {str(i): banks[bank][i] for i in sorted(banks[bank])} for bank in sorted(banks)}


LISTS = {"certificate", "authority", "image", "section", "content"}


def claims():
    told = {}
    for kind, name, value in rows(source / "claims"):
        if kind in LISTS:
            told.setdefault(kind, []).append([name, value])
        elif kind == "finding":
            told.setdefault(kind, []).append(name)
        else:
            told[kind] = {"true": True, "false": False}.get(name, name)
    return told


expected = {
    "made_with": {name: version for name, version in rows(versions)},
    "command_line": (source / "command-line").read_text().rstrip("\n"),
    "claims": claims(),
    "nonce": (source / "nonce").read_bytes().hex(),
    "pcrs": registers(),
}
shutil.rmtree(target, ignore_errors=True)
target.mkdir()
(target / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
for name in ("event-log", "ima-list", "attest", "signature", "ak.public"):
    data = (source / name).read_bytes()
    if data:
        (target / name).write_bytes(data)
