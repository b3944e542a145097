// The part of a TPM that a registration needs, in JavaScript: thousands of devices would take swtpm minutes. What it accepts is what
// swtpm accepts in the interop tests; here it only keeps a server busy. See TPM 2.0 Part 1, "Credential Protection" and "Duplication".
import crypto from 'node:crypto';
import { name_of, split_blob } from '../../interop/lib/challenge.mjs';

const kEkPolicy = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa'; // TCG EK Credential Profile, PolicyA for SHA-256
const kAesCfbNullRsa2048 = '000600800043' + '0010' + '0800' + '00000000';

function sized(bytes) {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** TPM2B_PUBLIC of an RSA-2048 EK by the TCG's template L-1. */
export function ek_public(modulus) {
  return sized(Buffer.concat([Buffer.from(`0001000b000300b20020${kEkPolicy}${kAesCfbNullRsa2048}`, 'hex'), sized(modulus)]));
}

function srk_public(modulus) {
  return sized(Buffer.concat([Buffer.from(`0001000b000304720000${kAesCfbNullRsa2048}`, 'hex'), sized(modulus)]));
}

/** An EK that no TPM has: an odd number of 2048 bits is all that a server can see of a modulus. */
export function any_ek() {
  const modulus = crypto.randomBytes(256);
  modulus[0] |= 0x80;
  modulus[255] |= 1;
  return ek_public(modulus);
}

function kdfa(key, label, context, bits) {
  const [counter, length] = [Buffer.from([0, 0, 0, 1]), Buffer.alloc(4)];
  length.writeUInt32BE(bits);
  return crypto.createHmac('sha256', key).update(Buffer.concat([counter, Buffer.from(`${label}\0`), context, length])).digest().subarray(0, bits / 8);
}

function aes_cfb_open(key, bytes) {
  const decipher = crypto.createDecipheriv('aes-128-cfb', key, Buffer.alloc(16));
  return Buffer.concat([decipher.update(bytes), decipher.final()]);
}

function unsized(bytes) {
  return split_blob(bytes)[0].bytes;
}

function unprotect(seed, name, bytes) {
  const integrity = bytes.subarray(2, 34);
  const encrypted = bytes.subarray(34);
  const expected = crypto.createHmac('sha256', kdfa(seed, 'INTEGRITY', Buffer.alloc(0), 256)).update(encrypted).update(name).digest();
  if (!expected.equals(integrity)) throw new Error('the challenge has a wrong integrity value');
  return aes_cfb_open(kdfa(seed, 'STORAGE', name, 128), encrypted);
}

class KeyPair {
  constructor(public_area) {
    const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.private_ = pair.privateKey;
    this.public = public_area(Buffer.from(pair.publicKey.export({ format: 'jwk' }).n, 'base64url'));
    this.name = name_of(this.public.subarray(2));
  }

  open(label, bytes) {
    const padding = crypto.constants.RSA_PKCS1_OAEP_PADDING;
    return crypto.privateDecrypt({ key: this.private_, padding, oaepHash: 'sha256', oaepLabel: Buffer.from(`${label}\0`) }, bytes);
  }
}

/** Stands where SoftDevice of the interop tests stands. Any number of devices may share one: the server only warns. */
export class SoftwareTpm {
  constructor() {
    this.ek_ = new KeyPair(ek_public);
    this.srk_ = new KeyPair(srk_public);
    this.keys = { ek: this.ek_.public, srk: this.srk_.public };
  }

  async with_tpm(work) {
    let key;
    return work({
      activate: async (blob) => (key = this.open_challenge(blob)),
      sign: async (bytes) => crypto.createHmac('sha256', key).update(bytes).digest(),
    });
  }

  /** The key in an authenticationKey blob. */
  open_challenge(blob) {
    const [credential, credential_secret, duplicate, duplicate_secret, object] = split_blob(blob).map(({ bytes }) => bytes);
    const inner_key = unsized(unprotect(this.ek_.open('IDENTITY', credential_secret), this.srk_.name, credential));
    const inner = aes_cfb_open(inner_key, unprotect(this.srk_.open('DUPLICATE', duplicate_secret), name_of(object), duplicate));
    const sensitive = split_blob(inner)[1].bytes; // TPM2B_DIGEST integrity, TPM2B_SENSITIVE
    return split_blob(sensitive.subarray(2))[2].bytes; // type, then authValue, seedValue and the key
  }
}
