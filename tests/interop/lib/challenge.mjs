// What a DPS server computes for a device's TPM, in JavaScript, from TPM 2.0 Part 1 alone: a second opinion beside the C++ of
// libs/tpm_types, with swtpm as the judge of both. `mutation` spoils one rule, so that a test sees the TPM refuse.
import crypto from 'node:crypto';

const kHash = 'sha256';
const kHashBytes = 32;
const kZeroIv = Buffer.alloc(16);

const hash = (...parts) => crypto.createHash(kHash).update(Buffer.concat(parts)).digest();
const hmac = (key, ...parts) => crypto.createHmac(kHash, key).update(Buffer.concat(parts)).digest();
const aes_cfb = (key, plain) => {
  const cipher = crypto.createCipheriv('aes-128-cfb', key, kZeroIv);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
};

function sized(bytes) {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** KDFa of Part 1: SP 800-108 counter mode; all we need fits in one block. */
function kdfa(key, label, context, bits) {
  const counter = Buffer.from([0, 0, 0, 1]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bits);
  return hmac(key, counter, Buffer.from(`${label}\0`), context, length).subarray(0, bits / 8);
}

/** Name of an object with nameAlg SHA-256. `tpmt_public` has no size in front. */
export function name_of(tpmt_public) {
  return Buffer.concat([Buffer.from('000b', 'hex'), hash(tpmt_public)]);
}

function rsa_key(tpmt_public) {
  const modulus = tpmt_public.subarray(-256);
  return crypto.createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' } });
}

function rsa_oaep(tpmt_public, label, seed) {
  return crypto.publicEncrypt(
    { key: rsa_key(tpmt_public), padding: crypto.constants.RSA_PKCS1_OAEP_PADDING, oaepHash: kHash, oaepLabel: Buffer.from(label) }, seed);
}

/** The integrity value and the encrypted part that both MakeCredential and Duplicate put around `secret`. */
function protect(seed, name, secret) {
  const encrypted = aes_cfb(kdfa(seed, 'STORAGE', name, 128), secret);
  const integrity = hmac(kdfa(seed, 'INTEGRITY', Buffer.alloc(0), 256), encrypted, name);
  return Buffer.concat([sized(integrity), encrypted]);
}

function identity_object(key) {
  const obfuscation = crypto.randomBytes(kHashBytes);
  const attributes = '00040440'; // sign, noDA, userWithAuth
  const tpmt_public = Buffer.concat([
    Buffer.from(`0008000b${attributes}00000005000b`, 'hex'), sized(hash(obfuscation, key)),
  ]);
  const sensitive = Buffer.concat([Buffer.from('00080000', 'hex'), sized(obfuscation), sized(key)]);
  return { tpmt_public, sensitive };
}

/** Mutation -> the TPM command that must refuse it. */
export const kMutations = {
  'identity label': 'ActivateCredential', 'duplicate label': 'Import', name: 'ActivateCredential', 'inner wrapper': 'Import',
};

/**
 * The authenticationKey blob that puts `key` into the TPM that holds both keys.
 * `ek` and `srk` are TPM2B_PUBLIC of RSA-2048 keys with SHA-256 and AES-128-CFB.
 */
export function make_challenge({ ek, srk, key, mutation = null, uri_data = Buffer.alloc(0) }) {
  const ek_public = ek.subarray(2);
  const srk_public = srk.subarray(2);
  const { tpmt_public, sensitive } = identity_object(key);
  const inner_key = crypto.randomBytes(16);
  const credential_seed = crypto.randomBytes(kHashBytes);
  const duplication_seed = crypto.randomBytes(kHashBytes);
  const object_name = name_of(tpmt_public);
  const bound_to = name_of(mutation === 'name' ? ek_public : srk_public);
  const inner = Buffer.concat([sized(hash(sized(sensitive), object_name)), sized(sensitive)]);
  return Buffer.concat([
    sized(protect(credential_seed, bound_to, sized(inner_key))),
    sized(rsa_oaep(ek_public, mutation === 'identity label' ? 'IDENTITY' : 'IDENTITY\0', credential_seed)),
    sized(protect(duplication_seed, object_name, mutation === 'inner wrapper' ? sized(sensitive) : aes_cfb(inner_key, inner))),
    sized(rsa_oaep(srk_public, mutation === 'duplicate label' ? 'DUPLICATE' : 'DUPLICATE\0', duplication_seed)),
    sized(tpmt_public),
    sized(uri_data.length === 0 ? uri_data : aes_cfb(inner_key, uri_data)),
  ]);
}

/** Splits a blob into its sized parts; throws when they do not add up. */
export function split_blob(blob) {
  const parts = [];
  for (let at = 0; at < blob.length; ) {
    if (at + 2 > blob.length) throw new Error(`offset ${at}: a size field is cut off`);
    const size = blob.readUInt16BE(at);
    if (at + 2 + size > blob.length) throw new Error(`offset ${at}: part ${parts.length + 1} claims ${size} bytes, ${blob.length - at - 2} are left`);
    parts.push({ at: at + 2, bytes: blob.subarray(at + 2, at + 2 + size) });
    at += 2 + size;
  }
  return parts;
}
