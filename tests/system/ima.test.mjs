// `warifu ima` as a script uses it: output, exit codes, and the place of what is refused. Needs no server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from './lib/daemon.mjs';

const hash = (algorithm, ...parts) => parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest();
const u32 = (value) => {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(value);
  return word;
};
const field = (bytes) => Buffer.concat([u32(bytes.length), bytes]);
const data_of = (name, content) => Buffer.concat([field(Buffer.concat([Buffer.from('sha256:\0'), hash('sha256', content)])), field(Buffer.from(`${name}\0`))]);
const entry = (data, digest = hash('sha1', data)) => Buffer.concat([u32(10), digest, field(Buffer.from('ima-ng')), field(data)]);

const good = [data_of('boot_aggregate', 'pcrs'), data_of('/bin/\x1b[31msh', 'dash')];
let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-ima-'));
});
after(() => rm(folder, { recursive: true }));

async function ima(verb, list, ...options) {
  const file = path.join(folder, 'list');
  await writeFile(file, list);
  return run('warifu', ['ima', verb, file, ...options]);
}

describe('warifu ima', () => {
  test('ReplaysAListUnderBothRules', async () => {
    const { code, stdout } = await ima('replay', Buffer.concat([...good.map((data) => entry(data)), entry(good[1], Buffer.alloc(20))]), '--json');
    assert.equal(code, 0);
    const told = JSON.parse(stdout);
    assert.deepEqual([told.entries, told.violations, told.templates], [3, 1, { 'ima-ng': 3 }]);
    for (const [bank, size] of [['sha1', 20], ['sha256', 32], ['sha384', 48], ['sha512', 64]]) {
      const extended = (digests) => digests.reduce((value, digest) => hash(bank, value, digest), Buffer.alloc(size)).toString('hex');
      const ones = Buffer.alloc(size, 0xff);
      const padded = (data) => Buffer.concat([hash('sha1', data), Buffer.alloc(size - 20)]);
      assert.equal(told.replay_native[bank]['10'], extended([...good.map((data) => hash(bank, data)), ones]));
      assert.equal(told.replay_padded_sha1[bank]['10'], extended([...good.map(padded), ones]));
    }
  });

  test('AListOfSm3DigestsIsReplayedInTheirBankToo', async () => {
    const list = (algorithm) => Buffer.concat([...good.map((data) => entry(data, hash(algorithm, data))), entry(good[1], Buffer.alloc(32))]);
    const told = JSON.parse((await ima('replay', list('sm3'), '--json')).stdout);
    const digests = [...good.map((data) => hash('sm3', data)), Buffer.alloc(32, 0xff)];
    assert.equal(told.template_digest_alg, 'sm3_256');
    assert.equal(told.replay_native.sm3_256[10], digests.reduce((value, digest) => hash('sm3', value, digest), Buffer.alloc(32)).toString('hex'));
    // Whose list has other digests has no bank of SM3.
    assert.deepEqual(Object.keys(JSON.parse((await ima('replay', list('sha256'), '--json')).stdout).replay_native), ['sha1', 'sha256', 'sha384', 'sha512']);
  });

  test('RefusesWithFieldAndOffset', async () => {
    const list = Buffer.concat(good.map((data) => entry(data)));
    for (const [bytes, place] of [
      [list.subarray(0, list.length - 1), /entry 2: template data, offset \d+\) \[ima\.truncated\]/],
      [Buffer.concat([list, Buffer.from('\n')]), /entry 3: PCR, offset \d+\) \[ima\.truncated\]/],
      [Buffer.concat([entry(good[0]), entry(good[1], hash('sha1', 'other'))]), /entry 2: template digest, offset \d+\) \[ima\.template-digest\]/],
      [Buffer.alloc(0), /\[ima\.empty\]/],
    ])
      for (const verb of ['replay', 'show']) {
        const { code, stdout, stderr } = await ima(verb, bytes, '--json');
        assert.equal(code, 2, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, place);
      }
    assert.equal((await run('warifu', ['ima', 'replay', path.join(folder, 'nothing')])).code, 2);
  });

  test('ShowsWhatIsProvedAndLetsNothingReachTheTerminal', async () => {
    const list = Buffer.concat([entry(good[0]), entry(good[1]), entry(good[1], Buffer.alloc(20))]);
    const text = await ima('show', list);
    assert.equal(text.code, 0);
    assert.match(text.stdout, /\/bin\/\\x1b\[31msh$/m);
    assert.match(text.stdout, /VIOLATION/);
    assert.ok(!text.stdout.includes('\x1b'));
    const { entries } = JSON.parse((await ima('show', list, '--json')).stdout);
    assert.deepEqual(entries.map(({ proved_by }) => proved_by), ['template-digest', 'template-digest', null]);
    assert.deepEqual(entries[0].fields[1], { field: 'n-ng', value: 'boot_aggregate' });
  });
});
