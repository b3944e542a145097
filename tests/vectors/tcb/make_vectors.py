#!/usr/bin/env python3
"""Writes messages.txt: each message of docs/formats/tcb-protocol.md with sample values, put together without our code.

usage: python3 make_vectors.py > messages.txt
"""
import struct

REQUEST, ANSWER, VERSION = 0x5754, 0x5741, 1


def u8(value):
    return struct.pack(">B", value)


def u16(value):
    return struct.pack(">H", value)


def u32(value):
    return struct.pack(">I", value)


def u64(value):
    return struct.pack(">Q", value)


def sized(value):
    value = value.encode() if isinstance(value, str) else value
    return u16(len(value)) + value


def listed(*elements):
    return u8(len(elements)) + b"".join(sized(element) for element in elements)


def run(first, size):
    """`size` bytes that count up from `first`."""
    return bytes((first + i) % 256 for i in range(size))


def frame(magic, operation, body):
    return u16(magic) + u8(VERSION) + u8(operation) + u32(len(body)) + body


# name: (operation, request body, answer body)
DONE = b""
MESSAGES = {
    "begin_server_check": (1, b"", sized(run(0, 32))),
    "check_server": (2, listed(run(1, 5), b"", run(11, 300)), sized("dps.example.com") + u32(600)),
    "identity": (
        3,
        b"",
        sized("0ne00000001") + sized("meter-1") + sized(run(2, 316)) + sized(run(3, 280)) + sized("hub.example.com")
        + sized("meter-1"),
    ),
    "activate_registration": (4, sized(run(4, 700)), DONE),
    "registration_token": (5, u64(1_800_000_000), sized("SharedAccessSignature sr=a&sig=b&se=1800000000")),
    "accept_assignment": (6, sized("hub.example.com") + sized("meter-1") + sized(run(5, 700)), DONE),
    "hub_token": (7, u32(3600), sized("SharedAccessSignature sr=c") + u64(1_800_003_600)),
    "random": (8, u16(16), sized(run(6, 16))),
    "seal": (9, sized("a secret") + sized(bytes([0, 7, 23])), sized(run(7, 200))),
    "unseal": (10, sized(run(7, 200)), sized("a secret")),
    "tpm_status": (
        11,
        b"",
        sized("IBM") + sized("SW   TPM") + u64(0x2019102300163636) + u32(138)
        + bytes([1, 0, 1, 0, 1, 0, 1])
        + u32(3) + u32(32) + u32(600) + u32(86_400)
        + sized(run(8, 34)) + sized("meter-1") + sized(run(2, 316)) + bytes([1, 0]),
    ),
    "own": (12, listed(run(9, 400), run(10, 500)), DONE),
    "read_escrow": (13, b"", sized(run(11, 900)) + bytes([1])),
    "escrow_delivered": (14, sized(run(12, 32)), DONE),
    "clear": (15, sized(run(13, 32)), DONE),
    "reset_lockout": (16, sized(run(14, 32)), DONE),
    "escrow_token": (17, u32(600), sized("SharedAccessSignature sr=d") + u64(1_800_000_600)),
    "attestation_key": (18, b"", sized(run(2, 316)) + sized(run(15, 90))),
    "activate_attestation": (19, sized(run(16, 68)) + sized(run(17, 258)), sized(run(18, 32))),
    "quote": (
        20,
        sized(run(19, 48)) + sized(b"") + sized(bytes([0, 7, 23])) + sized(bytes([10])) + sized(b""),
        sized(run(20, 145)) + sized(run(21, 72)) + sized(run(22, 144)) + sized(run(23, 90)) + sized(run(24, 150))
        + sized(run(25, 72)),
    ),
    "local_quote": (
        21,
        sized(bytes([0])) + sized(bytes([0, 7, 23])) + sized(b"") + sized(bytes([10])),
        sized(run(26, 32)) + sized(run(15, 90)) + sized(run(20, 145)) + sized(run(21, 72)) + sized(run(22, 180))
        + sized(run(23, 90)) + sized(run(24, 150)) + sized(run(25, 72)),
    ),
    "ek_certificate": (22, b"", sized(run(26, 900)) + listed(run(27, 700), run(28, 600))),
    "prove_key": (
        23,
        bytes([1, 0]) + sized(run(29, 48)),
        sized(run(30, 88)) + sized(run(31, 150)) + sized(run(32, 72)) + sized(run(33, 32)),
    ),
    "accept_certificate": (24, bytes([0]) + listed(run(34, 500), run(35, 600)) + u64(1_800_000_000), DONE),
    "show_certificate": (
        25,
        bytes([0]),
        listed(run(36, 500), run(37, 600)) + listed(run(38, 400)) + u64(1_800_000_000) + u64(1_790_000_000)
        + bytes([1, 0]),
    ),
    "sign_handshake": (26, listed(run(39, 200), run(40, 90), run(41, 300)), sized(run(42, 71))),
    "export_key": (
        27,
        b"",
        sized(run(43, 88)) + sized(run(44, 126)) + u32(0x81000001) + listed(run(45, 500)),
    ),
    "trust_bundle": (
        28, b"",
        u64(7) + sized(run(29, 32)) + u64(1_800_000_000) + u64(1_831_536_000) + u8(1) + u64(6) + u8(2),
    ),
    "trusted_root": (29, u8(1), sized(run(30, 500))),
    "follow_trust_bundle": (30, u32(70_000) + u32(61_440) + sized(run(31, 8560)), u8(1) + u8(1) + u64(8)),
    "show_application_key": (31, u8(1), u8(3) + sized("mqtt") + u32(7) + u8(1) + u8(14) + u8(0)),
    "import_application_key": (32, sized("mqtt") + u32(7) + u8(14) + sized(run(46, 700)), DONE),
    "acknowledge_application_key": (33, sized("mqtt") + u32(7) + sized(run(47, 48)), sized(run(48, 32))),
    "activate_application_key": (34, sized("mqtt") + u32(7), DONE),
    "forget_application_key": (35, sized("dlms-auth") + u32(65_536), DONE),
    "application_key_hmac": (36, sized("mqtt") + sized("a reading"), sized(run(49, 32)) + u32(7)),
    "cap_application_keys": (37, u8(0) + u8(1), sized(bytes([12, 14])) + sized(bytes([15]))),
}
ERRORS = {
    "refused": (6, 3, "tpm.key.dead", "the key is of another SRK", "authentication_key, offset 12"),
    "of_no_operation": (0, 6, "tcb.busy", "try again later", ""),
}

print("# Written by make_vectors.py. NAME.request, NAME.answer or error.NAME, then the frame.")
for name, (operation, request, answer) in MESSAGES.items():
    print(f"{name}.request {frame(REQUEST, operation, request).hex()}")
    print(f"{name}.answer {frame(ANSWER, operation, u8(0) + answer).hex()}")
for name, (operation, kind, code, message, where) in ERRORS.items():
    body = u8(1) + u8(kind) + sized(code) + sized(message) + sized(where)
    print(f"error.{name} {frame(ANSWER, operation, body).hex()}")
