// A device that judges itself, without a server: TCB, agent, a software TPM that is told real boots, and the verifier's own code.
import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { must_run, run } from './lib/daemon.mjs';
import { kStranger, without_users } from './lib/device.mjs';
import { Machine, ima_entry, measured_only_in, sha256 } from './lib/machine.mjs';

const kBoot = 'uki-secure-boot';
const kSensor = 'the sensor reader, version 1';
const kAffirming = { identity: 'affirming', hardware: 'affirming', boot: 'affirming', configuration: 'affirming', runtime: 'affirming', freshness: 'affirming' };

describe('A device that judges itself', { skip: without_users }, () => {
  let folder;
  let nobody; // where a server would be
  let machine;
  let command_line;

  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-alone-'));
    nobody = { devices_url: 'https://127.0.0.1:1', id_scope: '0ne00000001', ca: path.join(folder, 'root.pem') };
    await must_run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path.join(folder, 'key.pem'), '-out', nobody.ca, '-subj', '/CN=nobody', '-days', '2']);
    [command_line] = await measured_only_in(kBoot, 'uki-other-command-line', 11);
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    machine = await Machine.prepare(nobody, 'alone');
    await machine.boot(kBoot);
    await machine.measure('/usr/bin/sensor', kSensor);
  });
  afterEach(() => machine?.stop());

  async function policy(content = undefined) {
    const file = machine.device.file('policy.json');
    await writeFile(file, content ?? JSON.stringify({
      format: 'warifu.evidence-policy.v1',
      registers: { sha256: [0, 1, 2, 3, 4, 5, 6, 7, 11] },
      boot: { claims: ['secure-boot', 'kernel', 'separators'], events: [{ name: 'our command line', pcr: 11, sha256: command_line }] },
      ima: { files: [{ path: '/usr/bin/sensor', digests: [`sha256:${sha256(kSensor)}`] }] },
    }));
    return ['--policy', file];
  }

  /** {code, stderr, told}: what `attest --local` says. */
  async function judged(options, who = 'agent') {
    const { code, stdout, stderr } = await machine.device[who](['--json', 'attest', '--local', ...options]);
    return { code, stderr, told: stdout ? JSON.parse(stdout) : undefined };
  }
  const codes = (told) => told.findings.map((finding) => finding.code);

  test('is affirmed in every layer, and so for its administrator', async () => {
    for (const who of ['agent', 'administrator']) {
      const { code, stderr, told } = await judged(await policy(), who);
      assert.equal(code, 0, stderr);
      assert.equal(told.overall, 'affirming');
      assert.deepEqual(told.layers, kAffirming);
      for (const finding of ['nonce.answered', 'attestation.null-name', 'hardware.own-tpm', 'policy.given', 'boot.policy', 'ima.policy']) assert.ok(codes(told).includes(finding), finding);
    }
    const { code, stdout } = await machine.device.agent(['attest', '--local', ...await policy()]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^overall +affirming$/m);
    assert.match(stdout, /^ +runtime +affirming$/m);
    assert.match(stdout, /^boot \[affirming, boot\.policy\]: /m);
  });

  test('with a changed file or another command line is contradicted, and what it was is named', async () => {
    await machine.measure('/usr/bin/sensor', 'something else');
    const changed = await judged(await policy());
    assert.equal(changed.code, 1);
    assert.deepEqual(changed.told.layers, { ...kAffirming, runtime: 'contraindicated' });
    assert.match(changed.stderr, /runtime contraindicated.*\[attestation\.local\]/);
    const [file] = changed.told.findings.filter((finding) => finding.code === 'ima.file-changed');
    assert.match(JSON.stringify(file), /\/usr\/bin\/sensor/);
    await machine.boot('uki-other-command-line');
    await machine.measure('/usr/bin/sensor', kSensor);
    const other = await judged(await policy());
    assert.equal(other.code, 1);
    assert.deepEqual(other.told.layers, { ...kAffirming, boot: 'contraindicated' });
    assert.match(JSON.stringify(other.told.findings), /our command line/);
  });

  test('whose logs do not lead to its registers is contradicted', async () => {
    const list = machine.device.file('ima-list');
    const content = await readFile(list);
    await writeFile(list, content.subarray(0, content.length - 1));
    const cut = await judged(await policy());
    assert.equal(cut.code, 1);
    assert.equal(cut.told.layers.runtime, 'contraindicated', JSON.stringify(cut.told.findings));
    await writeFile(list, content);
    await writeFile(machine.device.file('event-log'), 'no log');
    const broken = await judged(await policy());
    assert.equal(broken.code, 1);
    assert.equal(broken.told.layers.boot, 'contraindicated', JSON.stringify(broken.told.findings));
  });

  test('judges by the windows that are open now', async () => {
    const files = [{ path: '/usr/bin/sensor', digests: [`sha256:${sha256(kSensor)}`] }];
    const until = async (time) => judged(await policy(JSON.stringify({ format: 'warifu.evidence-policy.v1', ima: { files: [], retiring: [{ until: time, files }] } })));
    const open = await until('2099-12-15T00:00:00Z');
    assert.equal(open.told?.layers.runtime, 'affirming', open.stderr);
    assert.ok(Math.abs(Date.parse(open.told.judged_at) - Date.now()) < 60_000, open.told.judged_at);
    const closed = await until('2020-01-01T00:00:00Z');
    assert.equal(closed.code, 1);
    assert.equal(closed.told.layers.runtime, 'contraindicated');
    assert.ok(codes(closed.told).includes('ima.file-retired'), JSON.stringify(closed.told.findings));
  });

  test('reads a list that is larger than what could be sent', async () => {
    const list = machine.device.file('ima-list');
    // Measured after the quote, so they are not in its registers.
    const entry = ima_entry(`/${'x'.repeat(4000)}`, 'later');
    await appendFile(list, Buffer.concat(Array(Math.ceil((16 << 20) / entry.length)).fill(entry)));
    const { code, stderr, told } = await judged(await policy());
    assert.equal(code, 0, stderr);
    assert.equal(told.layers.runtime, 'affirming');
  });

  test('without a policy is affirmed nowhere that a policy judges', async () => {
    const { code, told } = await judged([]);
    assert.equal(code, 1);
    assert.equal(told.overall, 'none');
    assert.equal(told.layers.configuration, 'none');
    assert.equal(told.policy, null);
    assert.ok(codes(told).includes('policy.none'));
    const empty = await judged(await policy('{"format":"warifu.evidence-policy.v1"}'));
    assert.equal(empty.code, 1);
    assert.ok(codes(empty.told).includes('policy.empty'));
  });

  test('whose TPM was reset since its boot is contradicted', async () => {
    await machine.interpose();
    const { code, told } = await judged(await policy());
    assert.equal(code, 1);
    assert.deepEqual(told.layers, { ...kAffirming, freshness: 'contraindicated' });
    assert.ok(codes(told).includes('attestation.tpm-reset'));
  });

  test('keeps its evidence as `warifu quote verify` takes it', async () => {
    const folder = machine.device.file('kept');
    const options = await policy();
    const { code, stderr, told } = await judged(['--out', folder, ...options], 'administrator');
    assert.equal(code, 0, stderr);
    assert.deepEqual((await readdir(folder)).sort(), ['ak.pub', 'event-log', 'ima-list', 'pcrs.json', 'quote.msg', 'quote.sig']);
    const [, command] = /^note: warifu (quote verify .*)$/m.exec(stderr);
    const verified = await run('warifu', ['--json', ...command.split(' '), ...options]);
    assert.equal(verified.code, 0, verified.stderr);
    const { layers, quote } = JSON.parse(verified.stdout);
    for (const layer of ['identity', 'boot', 'runtime', 'freshness']) assert.equal(layers[layer], 'affirming', layer);
    assert.deepEqual(quote, told.quote);
    const other_nonce = command.replace(/--nonce (.)/, (_, digit) => `--nonce ${digit === '0' ? '1' : '0'}`);
    assert.equal((await run('warifu', other_nonce.split(' '))).code, 1, 'over another nonce');
    assert.notEqual((await judged([])).told.quote.extraData, told.quote.extraData);
  });

  test('keeps its evidence only where nobody else can come', async () => {
    const options = await policy();
    const open = machine.device.file('open');
    const link = machine.device.file('link');
    await mkdir(open);
    await chmod(open, 0o755);
    await symlink(open, link);
    for (const folder of [open, link, `${link}/`]) {
      const { code, stderr } = await judged(['--out', folder, ...options], 'administrator');
      assert.equal(code, 2, stderr);
      assert.match(stderr, /file\.folder/);
      assert.equal((await stat(open)).mode & 0o777, 0o755, 'it is left as it was');
      assert.deepEqual(await readdir(open), []);
    }
    await chmod(open, 0o700);
    assert.equal((await judged(['--out', open, ...options], 'administrator')).code, 0);
  });

  test('says with its exit code what is missing', async () => {
    assert.equal((await judged(await policy('no JSON'))).code, 2);
    assert.equal((await judged(['--policy', machine.device.file('none')])).code, 2);
    const large = await judged(await policy(`{"format":"warifu.evidence-policy.v1"}${' '.repeat(16 << 20)}`));
    assert.equal(large.code, 2);
    assert.match(large.stderr, /is larger than 16777216 bytes.*policy\.file/);
    const [, file] = await policy();
    await chmod(file, 0o666);
    const writable = await judged(['--policy', file]);
    assert.equal(writable.code, 2);
    assert.match(writable.stderr, /policy\.file/);
    await chmod(file, 0o644);
    const without_local = await machine.device.agent(['attest', '--policy', file]);
    assert.equal(without_local.code, 2, without_local.stderr);
    const stranger = await machine.device.agent(['attest', '--local'], { user: kStranger });
    assert.equal(stranger.code, 1, stranger.stderr);
    assert.match(stranger.stderr, /tcb\.denied/);
    await machine.tpm_.stop();
    assert.equal((await judged(['--policy', file])).code, 3, 'the TPM is away');
    await machine.device.stop_tcb();
    await rm(machine.device.socket, { force: true });
    assert.equal((await judged(['--policy', file])).code, 3, 'the TCB is away');
  });
});
