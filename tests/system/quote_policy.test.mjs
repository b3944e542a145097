// What `warifu quote verify` is told to demand and to allow: registers, policies, systemd's log, waivers, bare keys.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from './lib/daemon.mjs';
import { ima_entry, sha256 } from './lib/machine.mjs';
import { attest, attestation_key, boot_log, extend, hash, kNonce, replay, userspace_log } from './lib/quotes.mjs';

const kSeparator = Buffer.alloc(4);
const kEvents = [
  [0, 8, Buffer.from('firmware')], [4, 0xd, Buffer.from('loader')],
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((register) => [register, 4, kSeparator]),
];
const kPhases = [[11, 'enter-initrd'], [11, 'ready']];
const hex_values = (values) => Object.fromEntries(Object.entries(values).map(([register, value]) => [register, value.toString('hex')]));

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-policy-'));
});
after(() => rm(folder, { recursive: true }));

async function file(name, content) {
  const where = path.join(folder, name);
  await writeFile(where, content);
  return where;
}

// Runs it over a quote of these values and says code, finding codes and what was told.
async function verify(values, { key = attestation_key(), ak = key.tpmt, log = boot_log(kEvents), options = [] } = {}) {
  const message = attest(values);
  const args = ['quote', 'verify', '--json', '--nonce', kNonce.toString('hex'), '--ak', await file('ak', ak), '--message', await file('message', message),
    '--signature', await file('signature', key.sign(message)), '--pcrs', await file('pcrs', JSON.stringify({ sha256: hex_values(values) }))];
  if (log) args.push('--eventlog', await file('log', log));
  const { code, stdout, stderr } = await run('warifu', [...args, ...options]);
  const told = stdout ? JSON.parse(stdout) : null;
  return { code, stderr, told, codes: told ? told.findings.map((finding) => finding.code) : [] };
}

const policy = async (content) => ['--policy', await file('policy', JSON.stringify({ format: 'warifu.evidence-policy.v1', ...content }))];

async function waivers(content, { signer = null } = {}) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = JSON.stringify({ format: 'warifu.firmware-quirks.v1', quirks: [], waivers: [], ...content });
  return ['--waivers', await file('waivers', text), '--waivers-signature', await file('waivers.sig', sign('sha256', Buffer.from(text), signer ?? privateKey)),
    '--waivers-key', await file('waivers.pem', publicKey.export({ type: 'spki', format: 'pem' })),
    '--machine-manufacturer', 'Acme', '--machine-product', 'Box'];
}
const waiver = (product = 'Box', until = '2099-12-31') =>
  ({ id: 'w1', machine: { manufacturer: 'Acme', product }, bank: 'sha256', pcr: 0, reason: 'never replays', approved_by: 'ops', until });

describe('warifu quote verify, by policy', () => {
  test('Q2_ABareKeyNeverAffirmsAndIsRefusedWhereThePublicAreaIsRequired', async () => {
    const key = attestation_key();
    const values = replay(kEvents);
    assert.equal((await verify(values, { key })).code, 0);
    assert.equal((await verify(values, { key, options: ['--require-public-area'] })).code, 0);
    const bare = await verify(values, { key, ak: key.pem });
    assert.equal(bare.code, 0, bare.stderr);
    assert.deepEqual([bare.told.layers.identity, bare.told.layers.hardware], ['warning', 'none']);
    assert.ok(bare.codes.includes('ak.attributes-unknown'));
    const refused = await verify(values, { key, ak: key.pem, options: ['--require-public-area'] });
    assert.equal(refused.code, 1, refused.stderr);
    assert.equal(refused.told.layers.identity, 'contraindicated');
  });

  test('I14_WhatIsGoodUntilATimeIsRefusedFromThenOn', async () => {
    const values = replay(kEvents);
    for (let register = 0; register < 10; ++register) values[register] ??= Buffer.alloc(32);
    const list = [ima_entry('boot_aggregate', Buffer.concat(Array.from({ length: 10 }, (_, register) => values[register]))), ima_entry('/usr/bin/true', 'old')];
    for (const entry of list) values[10] = extend(values[10], entry.subarray(4 + 20 + 4 + 'ima-ng'.length + 4));
    const until = '2026-12-15T00:00:00Z';
    const window = await policy({ ima: { retiring: [{ until, files: [{ path: '/usr/bin/true', digests: [`sha256:${sha256('old')}`] }] }] } });
    const judged = async (...at) => verify(values, { options: [...window, '--ima', await file('ima', Buffer.concat(list)), ...at] });
    const open = await judged('--at', '2026-12-14T23:59:59.999999Z');
    assert.equal(open.told.layers.runtime, 'affirming', JSON.stringify(open.told));
    const closed = await judged('--at', until);
    assert.equal(closed.code, 1);
    assert.equal(closed.told.layers.runtime, 'contraindicated');
    const finding = closed.told.findings.find(({ code }) => code === 'ima.file-retired');
    assert.match(finding.what, /^\/usr\/bin\/true, which was good until 2026-12-15T00:00:00/);
    // Unless said it is now.
    assert.equal((await judged()).code, Date.now() < Date.parse(until) ? 0 : 1);
    const wrong = await judged('--at', 'then');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /option\.time/);
  });

  test('APolicyMayBeYaml', async () => {
    const yaml = async (text) => file('policy.yaml', text);
    const good = await yaml('# What a meter shows.\nformat: warifu.evidence-policy.v1\nregisters:\n  sha256: [0, 7]\nboot:\n  claims:\n    - separators\n');
    const shown = await run('warifu', ['policy', 'check', '--json', good]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.deepEqual(JSON.parse(shown.stdout), { registers: { sha256: [0, 7] }, claims: ['separators'], events: [], judges_ima: false, windows: [], hardware: [], machine: null });
    const values = replay(kEvents);
    assert.equal((await verify(values, { options: ['--policy', good] })).told.layers.boot, 'affirming');
    for (const [text, pattern] of [
      ['format: warifu.evidence-policy.v1\nboot: {claims: [none-of-them]}\n', /none-of-them/],
      ['format: warifu.evidence-policy.v1\nboot: &a {}\n', /policy\.yaml:2:7/],
      ['format: warifu.evidence-policy.v1\n---\nformat: warifu.evidence-policy.v1\n', /expected one policy, 2 came/],
      ['', /expected one policy, 0 came/],
    ]) {
      const refused = await run('warifu', ['policy', 'check', await yaml(text)]);
      assert.equal(refused.code, 2, text);
      assert.match(refused.stderr, pattern);
    }
  });

  test('Q8_ARequiredRegisterThatIsNotQuotedIsAFailure', async () => {
    const values = replay(kEvents);
    assert.equal((await verify(values, { options: ['--require', 'sha256:0-7'] })).code, 0);
    for (const options of [['--require', 'sha256:0-8'], ['--require', 'sha384:0'], await policy({ registers: { sha256: [7, 14] } })]) {
      const { code, codes, told } = await verify(values, { options });
      assert.equal(code, 1);
      assert.ok(codes.includes('quote.register-unquoted'));
      assert.equal(told.layers.boot, 'contraindicated');
    }
    assert.equal((await verify(values, { options: ['--require', 'sha256'] })).code, 2);
  });

  test('RequiredEventsAreProvedOrRefused', async () => {
    const values = replay(kEvents);
    const loader = (text) => ({ boot: { claims: ['separators'], events: [{ name: 'the loader', pcr: 4, sha256: hash('sha256', text).toString('hex') }] } });
    const good = await verify(values, { options: await policy(loader('loader')) });
    assert.equal(good.code, 0, good.stderr);
    assert.equal(good.told.layers.boot, 'affirming');
    const bad = await verify(values, { options: await policy(loader('another')) });
    assert.equal(bad.code, 1);
    assert.ok(bad.told.findings.some(({ code, what }) => code === 'boot.required' && what.includes('the loader')));
    const none = await verify(values, { log: null, options: await policy(loader('loader')) });
    assert.equal(none.code, 1);
    assert.ok(none.codes.includes('boot.required'));
    const no_list = await verify(values, { options: await policy({ ima: { excludes: ['/var/'] } }) });
    assert.equal(no_list.code, 1);
    assert.ok(no_list.codes.includes('ima.required'));
    assert.equal((await verify(values, { options: await policy({ boot: { claims: ['all-is-well'] } }) })).code, 2);
  });

  test('L15_FirmwaresLogAndSystemdsTogether', async () => {
    const values = replay(kPhases.map(([register, text]) => [register, 0, Buffer.from(text)]), replay(kEvents));
    const with_log = async (texts) => verify(values, { options: ['--userspace-log', await file('userspace', userspace_log(texts))] });
    const both = await with_log(kPhases);
    assert.equal(both.code, 0, both.stderr);
    assert.ok(both.codes.includes('eventlog.agrees'));
    const cut = await with_log(kPhases.slice(0, 1));
    assert.equal(cut.code, 1);
    assert.ok(cut.codes.includes('eventlog.replay'));
    const without = await verify(values);
    assert.equal(without.told.layers.boot, 'warning');
    assert.ok(without.codes.includes('eventlog.unlogged'));
  });

  test('L14_AWaiverIsAppliedByNameAndShown', async () => {
    const values = { ...replay(kEvents), 0: hash('sha256', 'something else') };
    assert.equal((await verify(values)).code, 1);
    const waived = await verify(values, { options: await waivers({ waivers: [waiver()] }) });
    assert.equal(waived.code, 0, waived.stderr);
    assert.equal(waived.told.layers.boot, 'warning');
    assert.deepEqual(waived.told.findings.filter(({ allowed_by }) => allowed_by).map(({ code, allowed_by, where }) => [code, allowed_by, where]),
      [['eventlog.waived', 'w1', 'sha256:0']]);
    for (const other of [waiver('Shelf'), waiver('Box', '2020-01-01'), { ...waiver(), pcr: 4 }]) {
      const { code, codes } = await verify(values, { options: await waivers({ waivers: [other] }) });
      assert.equal(code, 1, JSON.stringify(other));
      assert.ok(codes.includes('eventlog.replay') && !codes.includes('eventlog.waived'));
    }
    // Signed by somebody else: nothing is said of the quote.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = await verify(values, { options: await waivers({ waivers: [waiver()] }, { signer: privateKey }) });
    assert.equal(forged.code, 1);
    assert.match(forged.stderr, /endorsement\.data\.signature/);
    assert.equal(forged.told, null);
    // Without a signature, a key or a machine it is bad usage.
    const whole = await waivers({ waivers: [waiver()] });
    for (let i = 0; i < whole.length; i += 2)
      assert.equal((await verify(values, { options: whole.filter((_, at) => at !== i && at !== i + 1) })).code, 2, whole[i]);
  });

  test('L13_AQuirkExplainsPcr5', async () => {
    const values = replay(kEvents);
    for (const text of ['Exit Boot Services Invocation', 'Exit Boot Services Returned with Success']) values[5] = extend(values[5], text);
    assert.equal((await verify(values)).code, 1);
    const quirk = { id: 'q1', machine: { manufacturer: 'Acme', product: 'Box' }, quirk: 'exit-boot-services-not-logged', source: 'https://acme.example/' };
    const known = await verify(values, { options: await waivers({ quirks: [quirk] }) });
    assert.equal(known.code, 0, known.stderr);
    assert.ok(known.told.findings.some(({ code, allowed_by, where }) => code === 'eventlog.quirk' && allowed_by === 'q1' && where === 'sha256:5'));
    values[5] = extend(values[5], 'one more');
    assert.equal((await verify(values, { options: await waivers({ quirks: [quirk] }) })).code, 1);
  });
});
