// `warifu eventlog` as a script uses it: output, exit codes, and the place of what is refused. Needs no server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { run } from './lib/daemon.mjs';

const kWarifu = binary('warifu');

const hash = (algorithm, ...parts) => parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest();
const extended = (bank, digests, start) => digests.reduce((value, digest) => hash(bank, value, digest), start).toString('hex');
const number = (bytes, value) => {
  const word = Buffer.alloc(bytes);
  word.writeUIntLE(value, 0, bytes);
  return word;
};
const u32 = (value) => number(4, value);

// TCG_PCR_EVENT, and TCG_PCR_EVENT2 with digests of SHA-1 and SHA-256.
const legacy = (pcr, type, data, digest = hash('sha1', data)) => Buffer.concat([u32(pcr), u32(type), digest, u32(data.length), data]);
const banks = [['sha1', 20, 0x0004], ['sha256', 32, 0x000b]];
const agile = (pcr, type, data, digest = (bank) => hash(bank, data)) =>
  Buffer.concat([u32(pcr), u32(type), u32(banks.length), ...banks.flatMap(([bank, , id]) => [number(2, id), digest(bank)]), u32(data.length), data]);
const spec_id = legacy(0, 3, Buffer.concat([
  Buffer.from('Spec ID Event03\0'), u32(0), Buffer.from([0, 2, 0, 2]), u32(banks.length),
  ...banks.flatMap(([, size, id]) => [number(2, id), number(2, size)]), Buffer.from([0]),
]), Buffer.alloc(20));
const locality = agile(0, 3, Buffer.from('StartupLocality\0\x03'), (bank) => Buffer.alloc(hash(bank, '').length));
const separator = Buffer.alloc(4);
const version = Buffer.from('v\x1b[31m1\0', 'utf16le');
const firmware = Buffer.concat([spec_id, locality, agile(0, 8, version), agile(0, 4, separator), agile(11, 13, Buffer.from('.linux\0'))]);

const record = (pcr, eventType, string, measured = string) =>
  `\x1e${JSON.stringify({ pcr, digests: banks.map(([bank]) => ({ hashAlg: bank, digest: hash(bank, measured).toString('hex') })), content_type: 'systemd', content: { string, eventType } })}\n`;
const machine_id = '00112233445566778899aabbccddeeff';
const userspace = Buffer.from([
  record(11, 'phase', 'enter-initrd'), record(15, 'volume-key', 'cryptsetup:root:1', 'secret'), record(15, 'machine-id', `machine-id:${machine_id}`), record(11, 'phase', 'a\x1b[31mb'),
].join(''));

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-eventlog-'));
});
after(() => rm(folder, { recursive: true }));

async function file_of(name, content) {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return file;
}
const eventlog = async (verb, log, ...options) => run('warifu', ['eventlog', verb, await file_of('log', log), ...options]);

async function json_of(verb, log, ...options) {
  const { code, stdout, stderr } = await eventlog(verb, log, '--json', ...options);
  assert.equal(code, 0, stderr);
  assert.equal(stdout.trim().split('\n').length, 1);
  return JSON.parse(stdout);
}

async function expect_refused(log, place, ...options) {
  for (const verb of ['replay', 'show']) {
    const { code, stdout, stderr } = await eventlog(verb, log, '--json', ...options);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, place);
  }
}

describe('warifu eventlog', () => {
  test('ReplaysALogOfFirmware', async () => {
    const told = await json_of('replay', firmware);
    assert.deepEqual([told.format, told.register_kind, told.startup_locality, told.event_count], ['pfp-agile', 'PCR', 3, 5]);
    assert.deepEqual([told.end_offset, told.after_end, told.log_findings], [firmware.length, { kind: 'nothing', size: 0 }, []]);
    assert.deepEqual(Object.keys(told.pcrs), banks.map(([bank]) => bank));
    for (const [bank, size] of banks) {
      const start = Buffer.alloc(size);
      start[size - 1] = 3;
      assert.deepEqual(told.pcrs[bank], {
        0: extended(bank, [hash(bank, version), hash(bank, separator)], start),
        11: extended(bank, [hash(bank, '.linux\0')], Buffer.alloc(size)),
      });
    }
    const old = await json_of('replay', legacy(4, 4, separator));
    assert.deepEqual([old.format, old.startup_locality], ['sha1-legacy', null]);
    assert.deepEqual(old.pcrs, { sha1: { 4: extended('sha1', [hash('sha1', separator)], Buffer.alloc(20)) } });
  });

  test('ReadsTheStandardInput', async () => {
    for (const log of [firmware, userspace]) {
      const { code, stdout } = await run('warifu', ['eventlog', 'replay', '-', '--json'], { input: log });
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(stdout), await json_of('replay', log));
    }
    assert.equal((await run('warifu', ['eventlog', 'replay', '-'], { input: '' })).code, 2);
  });

  test('ShowsWhatIsProvedAndLetsNothingReachTheTerminal', async () => {
    const { events, claims } = await json_of('show', firmware);
    assert.deepEqual(events.map(({ data_proved }) => data_proved), [false, false, true, true, true]);
    assert.deepEqual([events[2].register, events[2].type_proved, events[2].digests.sha256], [0, false, hash('sha256', version).toString('hex')]);
    assert.equal(claims.bank, 'sha256');
    assert.deepEqual([claims.firmware_version.proved, claims.firmware_version.event], [true, 2]);
    assert.equal(claims.secure_boot.enabled, null);
    for (const log of [firmware, userspace]) {
      const { code, stdout } = await eventlog('show', log);
      assert.equal(code, 0);
      assert.match(stdout, /\(proved, event \d+\)/);
      assert.ok(!stdout.includes('\x1b'));
    }
  });

  test('RefusesWithFieldAndOffset', async () => {
    const last = firmware.length - agile(11, 13, Buffer.from('.linux\0')).length;
    await expect_refused(firmware.subarray(0, firmware.length - 1), new RegExp(`at event\\.event, offset ${firmware.length - 7}\\) \\[eventlog\\.truncated\\]`));
    await expect_refused(firmware.subarray(0, last + 2), new RegExp(`at event, offset ${last}\\) \\[eventlog\\.trailing\\]`));
    await expect_refused(Buffer.concat([firmware, agile(24, 4, separator)]), new RegExp(`at event\\.[a-z]+, offset ${firmware.length}\\) \\[eventlog\\.register\\]`, 'i'));
    await expect_refused(Buffer.alloc(0), /\[eventlog\./);
    assert.equal((await run('warifu', ['eventlog', 'replay', path.join(folder, 'nothing')])).code, 2);
    assert.equal((await run('warifu', ['eventlog', 'replay'])).code, 2);
  });
});

describe('warifu eventlog, of systemd', () => {
  const of_pcr11 = (bank) => ['enter-initrd', 'a\x1b[31mb'].map((word) => hash(bank, word));

  test('GoesOnFromTheLogOfFirmware', async () => {
    const alone = await json_of('replay', userspace);
    assert.deepEqual([alone.format, alone.register_kind, alone.startup_locality, alone.event_count], ['systemd-userspace', 'PCR', null, 4]);
    const both = await json_of('replay', userspace, '--after', await file_of('firmware', firmware));
    assert.equal(both.startup_locality, 3);
    for (const [bank, size] of banks) {
      const zero = Buffer.alloc(size);
      const pcr15 = extended(bank, [hash(bank, 'secret'), hash(bank, `machine-id:${machine_id}`)], zero);
      assert.deepEqual(alone.pcrs[bank], { 11: extended(bank, of_pcr11(bank), zero), 15: pcr15 });
      assert.equal(both.pcrs[bank][11], extended(bank, [hash(bank, '.linux\0'), ...of_pcr11(bank)], zero));
      assert.equal(both.pcrs[bank][15], pcr15);
      assert.equal(both.pcrs[bank][0], (await json_of('replay', firmware)).pcrs[bank][0]);
    }
  });

  test('TellsWhatIsProved', async () => {
    const { events, claims } = await json_of('show', userspace);
    assert.deepEqual(events.map(({ text_proved, type_proved }) => [text_proved, type_proved]), [[true, false], [false, false], [true, false], [true, false]]);
    assert.deepEqual(claims.machine_id, { value: machine_id, proved: true, event: 2, register: 15 });
    assert.deepEqual(claims.phases.map(({ value, event }) => [value, event]), [['enter-initrd', 0], ['a\\x1b[31mb', 3]]);
    assert.deepEqual(claims.volume_keys[0].digest, { value: hash('sha256', 'secret').toString('hex'), proved: true, event: 1, register: 15 });
    assert.equal(claims.volume_keys[0].name.proved, false);
    assert.deepEqual(claims.findings, []);
    const lie = (await json_of('show', Buffer.from(record(11, 'phase', 'ready', 'other')))).claims;
    assert.deepEqual([lie.phases, lie.findings.map(({ code }) => code)], [[], ['userspace.unexplained']]);
  });

  test('RefusesWithFieldAndOffset', async () => {
    const start = userspace.lastIndexOf(0x1e);
    await expect_refused(userspace.subarray(0, userspace.length - 1), new RegExp(`record 3, offset ${userspace.length - 1}\\).*\\[userspace-log\\.truncated\\]`));
    await expect_refused(Buffer.concat([userspace.subarray(0, start), Buffer.from(record(24, 'phase', 'x'))]), new RegExp(`record 3 from offset ${start}: pcr\\).*\\[userspace-log\\.register\\]`));
    await expect_refused(Buffer.from('\x1e{"pcr":1,"digests":[]}\n'), /record 0 from offset 0: digests\).*\[userspace-log\.digests\]/);
    const firmware_file = await file_of('firmware', firmware.subarray(0, 90));
    const cut = await eventlog('replay', userspace, '--after', firmware_file);
    assert.equal(cut.code, 2);
    assert.match(cut.stderr, /\[eventlog\.truncated\]/);
    const wrong = await eventlog('replay', firmware, '--after', firmware_file);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /\[eventlog\.after\]/);
  });
});

describe('warifu eventlog, without a quote', () => {
  test('SaysWhatItsProofsRestOn', async () => {
    for (const log of [firmware, userspace]) {
      assert.match((await json_of('show', log)).proved_if, /the registers hold what `warifu eventlog replay` prints/);
      assert.match((await eventlog('show', log)).stdout, /^proved +if the registers hold what `warifu eventlog replay` prints; no quote was looked at$/m);
      assert.equal((await json_of('replay', log)).proved_if, undefined);
    }
    const spec_id_of_a_td = Buffer.concat([u32(1), spec_id.subarray(4)]);
    assert.match((await json_of('show', spec_id_of_a_td)).proved_if, /TD quote/);
  });

  test('SaysInWhichOfTwoLogsAnErrorIs', async () => {
    const cut = await file_of('cut', firmware.subarray(0, 90));
    const { code, stderr } = await eventlog('replay', userspace, '--after', cut);
    assert.equal(code, 2);
    assert.ok(stderr.includes(`at ${cut}, event`), stderr);
  });

  test('TextsOfAnySizeAreToldInSeconds', async () => {
    const log = Buffer.concat([spec_id, agile(8, 13, Buffer.alloc(15 << 20, 'a')), agile(9, 13, Buffer.alloc(1 << 19, 0xe9))]);
    const start = process.hrtime.bigint();
    const { code, stdout } = await run('sh', ['-c', '"$0" eventlog show "$1" | wc -c', kWarifu, await file_of('log', log)]);
    assert.equal(code, 0);
    assert.ok(Number(stdout) < 4 << 20, `${stdout} bytes are told of one event`);
    assert.ok(process.hrtime.bigint() - start < 5_000_000_000n);
  });
});
