// `warifu quote verify` as a script uses it: what was found stays told when something later is malformed. Needs no server.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from './lib/daemon.mjs';
import { hash, kNonce, number } from './lib/quotes.mjs';

const sized = (bytes) => Buffer.concat([number(2, bytes.length), bytes]);
const kSha1 = 4;

// TPMS_ATTEST of a quote over PCR 0 to 10 of the SHA-1 bank.
const attest = (values) =>
  Buffer.concat([
    number(4, 0xff544347), number(2, 0x8018), sized(Buffer.concat([number(2, 11), hash('sha256', 'signer')])), sized(kNonce),
    Buffer.alloc(8), Buffer.alloc(8), number(1, 1), Buffer.alloc(8), // clock, counters, safe, firmware version
    number(4, 1), number(2, kSha1), number(1, 3), number(3, (1 << values.length) - 1, true), sized(hash('sha256', ...values)),
  ]);

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-quote-'));
});
after(() => rm(folder, { recursive: true }));

async function verify(ima_list, ...options) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const values = Array.from({ length: 11 }, (_, pcr) => hash('sha1', `PCR ${pcr}`));
  const message = attest(values);
  // A log of one event, which none of these registers holds.
  const log = Buffer.concat([number(4, 0, true), number(4, 8, true), hash('sha1', '1.0'), number(4, 3, true), Buffer.from('1.0')]);
  const files = {
    ak: publicKey.export({ type: 'spki', format: 'pem' }),
    message,
    signature: sign('sha256', message, privateKey),
    pcrs: JSON.stringify({ sha1: Object.fromEntries(values.map((value, pcr) => [pcr, value.toString('hex')])) }),
    eventlog: log,
    ima: ima_list,
  };
  const args = ['quote', 'verify', '--nonce', kNonce.toString('hex'), ...options];
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(path.join(folder, name), bytes);
    args.push(`--${name}`, path.join(folder, name));
  }
  return run('warifu', args);
}

describe('warifu quote verify', () => {
  test('AMalformedListHidesNothingThatWasFoundBefore', async () => {
    for (const option of [[], ['--allow-sha1']]) {
      const { code, stdout, stderr } = await verify(Buffer.from([10, 0, 0, 0, 1]), '--json', ...option);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /\[ima\.truncated\]/);
      const told = JSON.parse(stdout);
      assert.equal(told.overall, 'contraindicated');
      assert.deepEqual([told.layers.boot, told.layers.runtime], ['contraindicated', 'contraindicated']);
      const codes = told.findings.map(({ code }) => code);
      assert.ok(codes.includes('eventlog.replay') && codes.includes('ima.truncated'), stdout);
      const alone = told.findings.find(({ code }) => code === 'eventlog.sha1-alone');
      assert.equal(alone.tier, option.length ? 'warning' : 'contraindicated');
    }
  });
});
