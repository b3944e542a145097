// Quotes, logs and keys for `warifu quote verify`, written as a TPM, firmware and systemd write them.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

export const hash = (algorithm, ...parts) => parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest();
export const number = (size, value, little = false) => {
  const bytes = Buffer.alloc(size);
  little ? bytes.writeUIntLE(value, 0, size) : bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const little = (value) => number(4, value, true);
const sized = (bytes) => Buffer.concat([number(2, bytes.length), bytes]);
export const kNonce = Buffer.alloc(32, 7);
const kSha256 = 0x0b;

// A restricted signing key of a TPM on P-256: TPMT_PUBLIC and the private key.
export function attestation_key() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const tpmt = Buffer.concat([
    number(2, 0x23), number(2, kSha256), number(4, 0x00050072), sized(Buffer.alloc(0)), number(2, 0x10), // no symmetric algorithm
    number(2, 0x18), number(2, kSha256), number(2, 3), number(2, 0x10), // ECDSA with SHA-256, P-256, no KDF
    sized(Buffer.from(x, 'base64url')), sized(Buffer.from(y, 'base64url')),
  ]);
  return { tpmt, pem: publicKey.export({ type: 'spki', format: 'pem' }), sign: (message) => sign('sha256', message, privateKey) };
}

// TPMS_ATTEST over these registers of the SHA-256 bank: { index: Buffer }.
export function attest(values) {
  const indices = Object.keys(values).map(Number).sort((a, b) => a - b);
  const mask = indices.reduce((bits, index) => bits | (1 << index), 0);
  return Buffer.concat([
    number(4, 0xff544347), number(2, 0x8018), sized(Buffer.concat([number(2, kSha256), hash('sha256', 'signer')])), sized(kNonce),
    Buffer.alloc(8), Buffer.alloc(8), number(1, 1), Buffer.alloc(8), // clock, counters, safe, firmware version
    number(4, 1), number(2, kSha256), number(1, 3), number(3, mask, true), sized(hash('sha256', ...indices.map((index) => values[index]))),
  ]);
}

// A log of PFP with the SHA-256 bank; events are [register, type, text].
export function boot_log(events) {
  const spec_id = Buffer.concat([
    Buffer.from('Spec ID Event03\0'), little(0), Buffer.from([0, 2, 0, 2]), little(1), number(2, kSha256, true), number(2, 32, true), Buffer.from([0]),
  ]);
  const records = events.map(([register, type, data]) =>
    Buffer.concat([little(register), little(type), little(1), number(2, kSha256, true), hash('sha256', data), little(data.length), data]));
  return Buffer.concat([little(0), little(3), Buffer.alloc(20), little(spec_id.length), spec_id, ...records]);
}

export const extend = (value, data) => hash('sha256', value ?? Buffer.alloc(32), hash('sha256', data));

// What the registers hold after these events.
export function replay(events, before = {}) {
  const values = { ...before };
  for (const [register, , data] of events) values[register] = extend(values[register], data);
  return values;
}

// systemd's log of texts: [register, text].
export const userspace_log = (texts) =>
  texts.map(([register, text]) =>
    `\x1e${JSON.stringify({ pcr: register, digests: [{ hashAlg: 'sha256', digest: hash('sha256', text).toString('hex') }],
      content_type: 'systemd', content: { string: text, eventType: 'phase' } })}\n`).join('');
