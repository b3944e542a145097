#!/usr/bin/env python3
"""Seeds for the fuzz targets from some of the boots: seeds.py LOGS CORPUS."""

import pathlib
import shutil
import struct
import sys

logs, corpus = map(pathlib.Path, sys.argv[1:])
for boot in ("grub", "uki-secure-boot", "u-boot", "u-boot-efi"):
    shutil.copy(logs / boot / "event-log", corpus / "event_log_fuzz" / f"own-{boot}")
boot = logs / "uki-secure-boot"
shutil.copy(boot / "ima-list", corpus / "ima_list_fuzz" / "own-aggregate")
# Three parts, each behind its size; the fuzz target takes the area without the size that tpm2-tools puts before it.
parts = ((boot / "ak.public").read_bytes()[2:], (boot / "attest").read_bytes(), (boot / "signature").read_bytes())
seed = b"".join(struct.pack(">H", len(part)) + part for part in parts)
(corpus / "quote_verification_fuzz" / "own-swtpm").write_bytes(seed)
