#!/usr/bin/env node
// Makes enrollments for `warifu apply` as JSON Lines, for load tests: every device another key.
// usage: bench/make_fleet.mjs COUNT [symmetric|tpm] [FIRST] >fleet.jsonl
//   symmetric  keys made of the device's number
//   tpm        endorsement keys on ECC P-256 (default template of the TCG EK profile, 2.2.2): random points of the curve
import { createECDH, createHash } from 'node:crypto';
import { once } from 'node:events';

const [count, type = 'symmetric', first = '1'] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count ?? '') || !/^\d+$/.test(first) || !['symmetric', 'tpm'].includes(type)) {
  process.stderr.write('usage: bench/make_fleet.mjs COUNT [symmetric|tpm] [FIRST] >fleet.jsonl\n');
  process.exit(2);
}

// TPMT_PUBLIC up to the point: ECC, SHA-256, the attributes and the policy of an EK, AES-128-CFB, no scheme, P-256, no KDF.
const kTemplate = Buffer.from(
  '0023000b000300b20020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa00060080004300100003' + '0010',
  'hex',
);

function endorsement_key(curve) {
  const point = curve.generateKeys(); // 04 x y
  const size = Buffer.from([0, 32]);
  const area = Buffer.concat([kTemplate, size, point.subarray(1, 33), size, point.subarray(33)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(area.length);
  return Buffer.concat([length, area]).toString('base64');
}

const curve = createECDH('prime256v1');
function attestation(number) {
  if (type === 'tpm') return { type, tpm: { endorsement_key: endorsement_key(curve) } };
  const digest = createHash('sha512').update(`load test ${number}`).digest();
  return {
    type: 'symmetric-key',
    symmetric_key: { primary_key: digest.subarray(0, 32).toString('base64'), secondary_key: digest.subarray(32).toString('base64') },
  };
}

let lines = '';
for (let i = 0; i < Number(count); ++i) {
  const number = Number(first) + i;
  lines += `${JSON.stringify({ registration_id: `load-${String(number).padStart(8, '0')}`, attestation: attestation(number) })}\n`;
  if (lines.length < 1 << 20) continue;
  if (!process.stdout.write(lines)) await once(process.stdout, 'drain');
  lines = '';
}
process.stdout.write(lines);
