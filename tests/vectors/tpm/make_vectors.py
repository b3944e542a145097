#!/usr/bin/env python3
"""Writes credential.txt and authentication_key.txt: a second implementation of TPM 2.0 Part 1, in Python's own hashlib,
hmac and integers, with AES from the openssl program. It shares no line with libs/tpm_types, which the vectors hold to
account."""

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


class Curve:
    """A NIST curve y^2 = x^3 - 3x + b over p with the base point g (FIPS 186-4, D.1.2)."""

    def __init__(self, size, p, g):
        self.size, self.p, self.g = size, p, g

    def add(self, a, b):
        if a is None or b is None:
            return a or b
        if a[0] == b[0] and (a[1] + b[1]) % self.p == 0:
            return None
        if a == b:
            slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, self.p)
        else:
            slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, self.p)
        x = (slope * slope - a[0] - b[0]) % self.p
        return x, (slope * (a[0] - x) - a[1]) % self.p

    def multiply(self, scalar, point):
        result = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            scalar >>= 1
        return result

    def x(self, point):
        return point[0].to_bytes(self.size, "big")

    def y(self, point):
        return point[1].to_bytes(self.size, "big")


P256 = Curve(
    32,
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
P384 = Curve(
    48,
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    (
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
)


class Stream:
    """What a generator of random bytes gives out: fixed(text), piece by piece."""

    def __init__(self, text):
        self.bytes = fixed(text, 1024)

    def draw(self, size):
        out, self.bytes = self.bytes[:size], self.bytes[size:]
        return out


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def mgf1(name, seed, size):
    out = b""
    while len(out) < size:
        out += hashlib.new(name, seed + (len(out) // hashlib.new(name).digest_size).to_bytes(4, "big")).digest()
    return out[:size]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class RsaKey:
    """The public half of a PEM file. Secrets travel to it in OAEP (RFC 8017)."""

    type_id = "0001"

    def __init__(self, file):
        self.modulus = bytes.fromhex(openssl("rsa", "-in", file, "-noout", "-modulus").decode().strip()[8:])
        self.parameters = (len(self.modulus) * 8).to_bytes(2, "big") + bytes(4)
        self.unique = sized(self.modulus)

    def share(self, name, label, stream):
        size = hashlib.new(name).digest_size
        secret, seed = stream.draw(size), stream.draw(size)
        block = hashlib.new(name, label + b"\0").digest()
        block += bytes(len(self.modulus) - 2 * size - 2 - len(secret)) + b"\1" + secret
        block = xor(block, mgf1(name, seed, len(block)))
        padded = xor(seed, mgf1(name, block, size)) + block
        number = pow(int.from_bytes(padded, "big"), 65537, int.from_bytes(self.modulus, "big"))
        return secret, number.to_bytes(len(self.modulus), "big")


class EcKey:
    """The same on a curve: ECDH with an ephemeral key."""

    type_id = "0023"

    def __init__(self, file, curve, curve_id):
        self.curve = curve
        point = openssl("pkey", "-in", file, "-pubout", "-outform", "DER")[-2 * curve.size :]
        self.x, y = point[: curve.size], point[curve.size :]
        self.point = int.from_bytes(self.x, "big"), int.from_bytes(y, "big")
        self.parameters = bytes.fromhex(curve_id + "0010")
        self.unique = sized(self.x) + sized(y)

    def share(self, name, label, stream):
        scalar = int.from_bytes(stream.draw(self.curve.size), "big")
        sent, shared = self.curve.multiply(scalar, self.curve.g), self.curve.multiply(scalar, self.point)
        x, y, z = self.curve.x(sent), self.curve.y(sent), self.curve.x(shared)
        return kdfe(name, z, label, x, self.x, hashlib.new(name).digest_size * 8), sized(x) + sized(y)


class StorageKey:
    """A key with its public area, as an EK (TCG EK Credential Profile 2.6: L-1, L-2, H-3, H-6) or as an SRK."""

    # PolicyA for SHA-256 and PolicyB for SHA-384, as the profile prints them.
    POLICIES = {
        "sha256": "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa",
        "sha384": "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12",
    }

    def __init__(self, key, name, is_ek):
        self.key, self.hash, self.aes_bits = key, name, 128 if name == "sha256" else 256
        name_id = bytes.fromhex("000b" if name == "sha256" else "000c")
        attributes = ("000300b2" if name == "sha256" else "000300f2") if is_ek else "00030472"
        policy = bytes.fromhex(self.POLICIES[name]) if is_ek else b""
        symmetric = bytes.fromhex("0006") + self.aes_bits.to_bytes(2, "big") + bytes.fromhex("0043" "0010")
        self.public = bytes.fromhex(key.type_id) + name_id + bytes.fromhex(attributes) + sized(policy) + symmetric
        self.public += key.parameters + key.unique
        self.name = name_id + hashlib.new(name, self.public).digest()

    def protect(self, label, object_name, plain, stream):
        """The wrapped bytes and the content of TPM2B_ENCRYPTED_SECRET."""
        seed, encrypted = self.key.share(self.hash, label, stream)
        return outer_wrap(self.hash, self.aes_bits, seed, object_name, plain), encrypted


def storage_keys(role):
    def make(key, name):
        return StorageKey(key, name, role == "ek")

    return {
        "rsa2048": make(RsaKey(f"a-{role}.pem"), "sha256"),
        "rsa3072": make(RsaKey(f"rsa3072-{role}.pem"), "sha384"),
        "p256": make(EcKey(f"p256-{role}.pem", P256, "0003"), "sha256"),
        "p384": make(EcKey(f"p384-{role}.pem", P384, "0004"), "sha384"),
    }


def hmac_object(hmac_key, obfuscation):
    """TPMT_PUBLIC, TPMT_SENSITIVE and Name."""
    public = bytes.fromhex("0008000b00040440" "0000" "0005000b")
    public += sized(hashlib.sha256(obfuscation + hmac_key).digest())
    sensitive = bytes.fromhex("00080000") + sized(obfuscation) + sized(hmac_key)
    return public, sensitive, bytes.fromhex("000b") + hashlib.sha256(public).digest()


def inner_wrap(inner_key, sensitive, object_name):
    return aes_cfb(inner_key, sized(hashlib.sha256(sized(sensitive) + object_name).digest()) + sized(sensitive))


def authentication_key(ek, srk, hmac_key, stream):
    """The six parts, with what is random drawn in the order in which libs/tpm_types draws it."""
    inner_key, obfuscation = stream.draw(16), stream.draw(32)
    public, sensitive, object_name = hmac_object(hmac_key, obfuscation)
    credential, secret = ek.protect(b"IDENTITY", srk.name, sized(inner_key), stream)
    duplicate, seed = srk.protect(b"DUPLICATE", object_name, inner_wrap(inner_key, sensitive, object_name), stream)
    return b"".join(sized(part) for part in (credential, secret, duplicate, seed, public, b""))


def write(file, rows):
    with open(file, "w", encoding="ascii") as out:
        out.write("# Made by make_vectors.py in this directory (see README.md): our own values, nothing was copied.\n")
        out.write("# Inputs are fixed(TEXT, SIZE) of that script. All values are hexadecimal.\n")
        for key, value in rows:
            value = value.hex() if isinstance(value, bytes) else str(value)
            out.write(f"\n{key} {value}\n" if key.startswith("[") else f"{key} = {value}\n")


def authentication_keys():
    eks, srks = storage_keys("ek"), storage_keys("srk")
    rows = []
    for kind in eks:
        rows += [("[public]", kind), ("ek", sized(eks[kind].public)), ("srk", sized(srks[kind].public))]
    for ek_kind, ek in eks.items():
        for srk_kind, srk in srks.items():
            blob = authentication_key(ek, srk, fixed("hmac key", 32), Stream(f"entropy {ek_kind} {srk_kind}"))
            rows += [("[authenticationKey]", f"{ek_kind} {srk_kind}"), ("blob", blob)]
    return rows


def credentials():
    rows = []

    def put(key, value):
        rows.append((key, value))

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
    public, sensitive, object_name = hmac_object(hmac_key, obfuscation)
    inner = inner_wrap(inner_key, sensitive, object_name)
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

    return rows


write("credential.txt", credentials())
write("authentication_key.txt", authentication_keys())
