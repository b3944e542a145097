// The signer and the server are killed while certificates are issued: nobody gets two for one key, and what was handed out stays.
// (What a power cut does is tests/scenarios/certificate_power_loss_test.cpp.)
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, eventually, must_run, run } from './lib/daemon.mjs';
import { operator_of } from './lib/operator.mjs';

const kDevices = 12;

describe('Issuing', () => {
  let daemon;
  const { done, json } = operator_of(() => daemon);
  before(async () => (daemon = await Daemon.start()));
  after(async () => daemon?.stop());

  // The server starts another when it sees that one died: until then there is none, or one that is dead and not yet waited for.
  const kill_signer = () => eventually(async () => {
    const { code, stdout } = await run('pgrep', ['-P', String(daemon.pid), '-r', 'D,R,S', '-f', 'warifu-signer']);
    if (code !== 0) return false;
    try {
      return process.kill(Number(stdout.split('\n')[0]), 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
      return false;
    }
  }, 'a signer runs');
  async function enroll(id) {
    const { code, stdout } = await run('curl', ['-sS', '--cacert', daemon.ca, '-w', '\n%{http_code}', '-m', '10', '-u', secrets.get(id), '-H', 'Content-Type: application/pkcs10',
      '--data-binary', `@${daemon.file(`${id}.b64`)}`, `${daemon.devices_url.replace('127.0.0.1', 'localhost')}/.well-known/est/simpleenroll`]);
    const [, body, status] = /^([^]*)\n(\d+)$/.exec(stdout) ?? [null, '', '0'];
    return code === 0 && status === '200' ? body : null;
  }
  const secrets = new Map();
  const got = new Map();

  test('isFinishedOnceWhateverIsKilled', async () => {
    for (let i = 0; i < kDevices; ++i) {
      const id = `lamp-${i}`;
      await done('enrollment', 'create', '--registration-id', id, '--symmetric', '--allow-software-keys');
      const { reference, secret } = await json('certificate', 'secret', '--registration-id', id);
      secrets.set(id, `${reference}:${secret}`);
      await must_run('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', daemon.file(`${id}.key`), '-subj', `/CN=${id}`, '-outform', 'DER', '-out', daemon.file(`${id}.der`)]);
      await must_run('openssl', ['base64', '-in', daemon.file(`${id}.der`), '-out', daemon.file(`${id}.b64`)]);
      const asking = enroll(id);
      await sleep(5 + 7 * i);
      if (i % 3 === 2) {
        await daemon.kill();
        await daemon.serve();
      } else {
        await kill_signer();
      }
      let body = await asking;
      for (let tries = 0; body === null && tries < 20; ++tries) {
        await sleep(100);
        body = await enroll(id);
      }
      assert.ok(body, `${id} gets its certificate in the end\n${daemon.log}`);
      got.set(id, body);
    }
    const all = await json('certificate', 'list');
    assert.equal(all.length, kDevices);
    assert.equal(new Set(all.map((one) => one.key_sha256)).size, kDevices, 'one certificate for each key');
    for (const { registration_id: id, serial, state } of all) {
      assert.equal(state, 'inactive', serial);
      const [full] = await json('certificate', 'list', '--registration-id', id);
      const der = Buffer.from(full.certificate, 'base64').toString('hex');
      assert.ok(Buffer.from(got.get(id), 'base64').toString('hex').includes(der), `${id} has what the server has`);
      assert.equal(await enroll(id), got.get(id), 'asked again, the same');
    }
  });

  test('isInTheJournalOfTheSigner', async () => {
    const folder = path.join(daemon.data_dir, 'signer/journal');
    const lines = readdirSync(folder).sort().flatMap((name) => readFileSync(path.join(folder, name), 'utf8').trim().split('\n')).map((line) => JSON.parse(line));
    const keys = new Map();
    for (const { action, serial, key_sha256: key } of lines) {
      if (action !== 'device.certify') continue;
      assert.equal(keys.get(serial) ?? key, key, `${serial} was signed for two keys`);
      keys.set(serial, key);
    }
    assert.equal(new Set(keys.values()).size, keys.size, 'a key was certified under two numbers');
    for (const { serial, key_sha256: key } of await json('certificate', 'list')) assert.equal(keys.get(serial), key);
    const { code, stdout, stderr } = await run('warifu-signer', ['status', '--dir', path.join(daemon.data_dir, 'signer')]);
    assert.equal(code, 0, stdout + stderr);
  });
});
