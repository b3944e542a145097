#!/usr/bin/env python3
"""Writes cases.txt and the envelopes that it names, by docs/formats/trust-bundle.md, Python's own json, base64 and hashlib, and the openssl
program, and no line of our code. The keys stay as they are (NAME.pem, made when missing); serial numbers and signatures are drawn each time.

usage: ./make_vectors.py
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
TYPE = "application/vnd.warifu.trust-bundle.v1+json"


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def b64(data):
    return base64.b64encode(data).decode()


def key(name):
    """The file of a private key: on P-384 if its name begins with a capital."""
    path = HERE / f"{name}.pem"
    if not path.exists():
        curve = "P-384" if name[0].isupper() else "P-256"
        path.write_bytes(openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"))
    return str(path)


def spki(name, *options):
    return openssl("ec", "-in", key(name), "-pubout", "-outform", "DER", *options)


def key_id(name):
    return hashlib.sha256(spki(name)).hexdigest()


def certificate(name, issuer, is_ca="TRUE"):
    """In DER, for a hundred years."""
    extensions = f"basicConstraints=CA:{is_ca}\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
    with tempfile.TemporaryDirectory() as folder:
        request, config = pathlib.Path(folder, "request"), pathlib.Path(folder, "config")
        config.write_text(extensions)
        request.write_bytes(openssl("req", "-new", "-key", key(name), "-subj", f"/CN={name}"))
        made_by = ["-CA", str(HERE / f"{issuer}.crt"), "-CAkey", key(issuer)] if issuer != name else ["-key", key(name)]
        return openssl("x509", "-req", "-in", str(request), *made_by, "-days", "36525", "-extfile", str(config),
                       "-outform", "DER", "-sha384")


def root(name):
    path = HERE / f"{name}.crt"
    if not path.exists():
        path.write_bytes(openssl("x509", "-inform", "DER", given=certificate(name, name)))
    return b64(openssl("x509", "-in", str(path), "-outform", "DER"))


def key_set(threshold, *names):
    return {"threshold": threshold, "keys": [b64(spki(name)) for name in names]}


def revoked(name, role):
    return {"key_sha256": key_id(name), "role": role, "revoked_at": "2026-03-01T00:00:00Z", "reason": "key-compromise"}


def pae(payload):
    return f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload


def signature(name, message):
    return openssl("dgst", "-sha384" if name[0].isupper() else "-sha256", "-sign", key(name), given=message)


def raw(name, message):
    """r and s side by side, as JOSE has them and DSSE's own example has it."""
    lines = openssl("asn1parse", "-inform", "DER", given=signature(name, message)).decode().splitlines()
    return b"".join(bytes.fromhex(line.rsplit(":", 1)[1].strip()).rjust(32, b"\0") for line in lines[1:])


def envelope(payload, entries):
    return json.dumps({"payloadType": TYPE, "payload": b64(payload),
                       "signatures": [{"keyid": name, "sig": b64(made)} for name, made in entries]}, indent=1) + "\n"


def signed(contents, *names):
    payload = json.dumps(contents, indent=1).encode()  # in whatever form: its bytes are signed
    return payload, [(key_id(name), signature(name, pae(payload))) for name in names]


def changed(contents, **members):
    return {**contents, **members}


FIRST = {
    "format": "warifu.trust-bundle.v1",
    "organisation": "Example Meters",
    "version": 1,
    "issued_at": "2026-01-01T00:00:00Z",
    "expires_at": "2027-01-01T00:00:00Z",
    "signing": key_set(2, "Ann", "bob", "Cid"),
    "revocation": key_set(2, "Xia", "yul", "Zoe"),
    "roots": [root("Root-1")],
    "roles": [{"role": "server-communication", "certificates": [b64(certificate("server", "Root-1"))]},
              {"role": "code-signing", "certificates": [b64(certificate("code", "Root-1"))]}],
    "revoked": [],
}
SECOND = changed(FIRST, version=2, issued_at="2026-02-01T00:00:00.5Z", expires_at="2027-02-01T00:00:00Z",
                 roots=[root("Root-1"), root("Root-2")])
THIRD = changed(SECOND, version=3, issued_at="2026-03-01T00:00:00Z", revoked=[revoked("code", "code-signing")])
FOURTH = changed(THIRD, version=4, issued_at="2026-04-01T00:00:00Z", expires_at="2027-04-01T00:00:00Z",
                 signing=key_set(2, "Cid", "dan", "Eve"), roles=THIRD["roles"][:1])
FIFTH = changed(FOURTH, version=5, revocation=key_set(1, "Uma"))

ENVELOPES = {
    "1-first": signed(FIRST, "Root-1", "Ann", "bob"),
    "1-without-the-root": signed(FIRST, "Ann", "bob", "Cid"),
    "1-key-with-explicit-curve": signed(
        changed(FIRST, signing={"threshold": 1, "keys": [b64(spki("bob", "-param_enc", "explicit"))]}), "Root-1", "bob"),
    "1-key-with-compressed-point": signed(
        changed(FIRST, signing={"threshold": 1, "keys": [b64(spki("bob", "-conv_form", "compressed"))]}), "Root-1", "bob"),
    "1-root-that-is-no-ca": signed(
        changed(FIRST, roots=[root("Root-1"), b64(certificate("dan", "dan", is_ca="FALSE"))]), "Root-1", "Ann", "bob"),
    "2-two-roots": signed(SECOND, "Ann", "Cid"),
    "2-fork": signed(changed(SECOND, roots=FIRST["roots"]), "Ann", "Cid"),
    "3-role-key-stolen": signed(THIRD, "Xia", "yul"),
    "3-and-something-else": signed(changed(THIRD, expires_at="2028-02-01T00:00:00Z"), "Xia", "yul", "Zoe"),
    "4-new-signers": signed(FOURTH, "Ann", "bob", "dan", "Eve"),
    "4-unrevoked": signed(changed(FOURTH, revoked=[]), "Ann", "bob", "dan", "Eve", "Xia", "yul"),
    "4-not-by-the-old": signed(FOURTH, "Cid", "dan", "Eve"),
    "5-new-revocation-keys": signed(FIFTH, "Cid", "dan", "Zoe", "Xia"),
}
PAYLOAD, _ = ENVELOPES["2-two-roots"]
ANN, BOB = signature("Ann", pae(PAYLOAD)), signature("bob", pae(PAYLOAD))
ENVELOPES.update({
    "2-one-key-twice": (PAYLOAD, [(key_id("Ann"), ANN), (key_id("Ann"), signature("Ann", pae(PAYLOAD)))]),
    "2-key-id-that-lies": (PAYLOAD, [(key_id("Ann"), ANN), (key_id("Cid"), BOB)]),
    "2-raw-signature": (PAYLOAD, [(key_id("Ann"), ANN), (key_id("bob"), raw("bob", pae(PAYLOAD)))]),
    "2-without-the-encoding": (PAYLOAD, [(key_id("Ann"), ANN), (key_id("bob"), signature("bob", PAYLOAD))]),
})
CHAIN = ["1-first", "2-two-roots", "3-role-key-stolen", "4-new-signers", "5-new-revocation-keys"]
CASES = [(CHAIN[:1], "ok"), (CHAIN, "ok"), (CHAIN[:2] + CHAIN[3:], "bundle.gap"), (CHAIN[:3] + CHAIN[1:2], "bundle.rollback"),
         (CHAIN[:2] + ["2-fork"], "bundle.fork"), (CHAIN[:1] + ["2-fork"], "ok"),
         (["1-without-the-root"], "bundle.signatures"), (["1-key-with-explicit-curve"], "bundle.key"),
         (["1-key-with-compressed-point"], "bundle.key"), (["1-root-that-is-no-ca"], "bundle.certificate"),
         (CHAIN[:2] + ["3-and-something-else"], "bundle.signatures"),
         (CHAIN[:3] + ["4-unrevoked"], "bundle.unrevoked"), (CHAIN[:3] + ["4-not-by-the-old"], "bundle.signatures")]
CASES += [(CHAIN[:1] + [name], "bundle.signatures")
          for name in ("2-one-key-twice", "2-key-id-that-lies", "2-raw-signature", "2-without-the-encoding")]


def main():
    for name, (payload, entries) in ENVELOPES.items():
        (HERE / f"{name}.json").write_text(envelope(payload, entries))
    with (HERE / "cases.txt").open("w") as cases:
        print("# Written by make_vectors.py. What comes of it, the SHA-256 of the last payload, and the envelopes: the first is begun\n"
              "# with under Root-1.crt, the others follow.", file=cases)
        for names, outcome in CASES:
            print(outcome, hashlib.sha256(ENVELOPES[names[-1]][0]).hexdigest(), *names, file=cases)


main()
