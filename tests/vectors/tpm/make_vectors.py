#!/usr/bin/env python3
"""Writes credential.txt: a second implementation of TPM 2.0 Part 1, in Python's own hashlib and hmac, with AES from the
openssl program. It shares no line with libs/tpm_types, which the vectors hold to account."""

import hashlib
import hmac
import subprocess


def sized(data):
    return len(data).to_bytes(2, "big") + data


def kdfa(name, key, label, context_u, context_v, bits):
    out = b""
    counter = 0
    while len(out) * 8 < bits:
        counter += 1
        message = counter.to_bytes(4, "big") + label + b"\0" + context_u + context_v + bits.to_bytes(4, "big")
        out += hmac.new(key, message, name).digest()
    return out[: bits // 8]


def kdfe(name, z, label, party_u, party_v, bits):
    out = b""
    counter = 0
    while len(out) * 8 < bits:
        counter += 1
        out += hashlib.new(name, counter.to_bytes(4, "big") + z + label + b"\0" + party_u + party_v).digest()
    return out[: bits // 8]


def aes_cfb(key, data):
    command = ["openssl", "enc", f"-aes-{len(key) * 8}-cfb", "-K", key.hex(), "-iv", "00" * 16]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def outer_wrap(name, aes_bits, seed, object_name, plain):
    encrypted = aes_cfb(kdfa(name, seed, b"STORAGE", object_name, b"", aes_bits), plain)
    size = hashlib.new(name).digest_size
    integrity_key = kdfa(name, seed, b"INTEGRITY", b"", b"", size * 8)
    return sized(hmac.new(integrity_key, encrypted + object_name, name).digest()) + encrypted


def fixed(text, size):
    """Bytes that look random and that anyone can make again."""
    out = b""
    while len(out) < size:
        out += hashlib.sha256(text.encode() + len(out).to_bytes(4, "big")).digest()
    return out[:size]


def main():
    rows = []

    def put(key, value):
        rows.append((key, value.hex() if isinstance(value, bytes) else str(value)))

    for name in ("sha256", "sha384"):
        size = hashlib.new(name).digest_size
        put("[kdfa]", name)
        key, u, v = fixed("kdfa key", 32), fixed("kdfa u", 34), fixed("kdfa v", 7)
        for bits in (128, size * 8, 1024):
            put(f"kdfa {bits}", kdfa(name, key, b"STORAGE", u, v, bits))
        put("[kdfe]", name)
        z, u, v = fixed("kdfe z", 48), fixed("kdfe u", 48), fixed("kdfe v", 48)
        for bits in (size * 8, 1024):
            put(f"kdfe {bits}", kdfe(name, z, b"IDENTITY", u, v, bits))

    # The HMAC key object of an authenticationKey, its Name, and both wrappers.
    hmac_key, obfuscation, inner_key = fixed("hmac key", 32), fixed("obfuscation", 32), fixed("inner key", 16)
    unique = hashlib.sha256(obfuscation + hmac_key).digest()
    public = bytes.fromhex("0008000b00040440" "0000" "0005000b") + sized(unique)
    sensitive = bytes.fromhex("00080000") + sized(obfuscation) + sized(hmac_key)
    object_name = bytes.fromhex("000b") + hashlib.sha256(public).digest()
    inner = aes_cfb(inner_key, sized(hashlib.sha256(sized(sensitive) + object_name).digest()) + sized(sensitive))
    put("[object]", "sha256")
    put("public", public)
    put("sensitive", sensitive)
    put("name", object_name)
    put("inner", inner)

    for name, aes_bits in (("sha256", 128), ("sha384", 256)):
        size = hashlib.new(name).digest_size
        seed = fixed("seed", size)
        put("[wrap]", f"{name} {aes_bits}")
        put("credential", outer_wrap(name, aes_bits, seed, object_name, sized(inner_key)))
        put("duplicate", outer_wrap(name, aes_bits, seed, object_name, inner))

    with open("credential.txt", "w", encoding="ascii") as out:
        out.write("# Made by make_vectors.py in this directory (see README.md): our own values, nothing was copied.\n")
        out.write("# Inputs are fixed(TEXT, SIZE) of that script. All values are hexadecimal.\n")
        for key, value in rows:
            out.write(f"\n{key} {value}\n" if key.startswith("[") else f"{key} = {value}\n")


main()
