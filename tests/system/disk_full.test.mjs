// A disk without room, for real: the data directory lies on a small tmpfs that is private to this namespace.
import assert from 'node:assert/strict';
import { openSync, closeSync, writeSync } from 'node:fs';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assert_challenge, assert_error } from '../interop/lib/dps_http.mjs';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, must_run, run, without } from './lib/daemon.mjs';
import { Registration, devices_of, enroll, enroll_all, in_parallel, operator_client, register_once } from './lib/fleet.mjs';
import { SoftwareTpm, any_ek } from './lib/software_tpm.mjs';

const kDiskSize = '12m';
const kAlarmMebibytes = 2;
const kLookSeconds = 10; // the server looks at least as often as devices attest

describe('When the disk is full', () => {
  const tpm = new SoftwareTpm();
  const ids = Array.from({ length: 20 }, (_, i) => `device-${i}`);
  const told = new Map(); // id -> hub key
  let daemon;
  let disk;
  let filler;
  let registration;
  let token;
  before(async () => {
    daemon = await Daemon.prepare();
    disk = daemon.file('disk');
    filler = path.join(disk, 'filler');
    await mkdir(disk);
    await must_run('mount', ['-t', 'tmpfs', '-o', `size=${kDiskSize}`, 'warifu-small', disk]);
    daemon.data_dir = path.join(disk, 'data');
    daemon.ca = path.join(daemon.data_dir, 'trust/root.pem');
    await daemon.init_();
    const config = await daemon.write('server.toml', `[attestation]\ninterval_seconds = ${kLookSeconds}\n[disk]\nalarm_below_mib = ${kAlarmMebibytes}\n`);
    await daemon.serve({ args: daemon.serve_args(['--config', config]) });
    await daemon.login();
    await enroll_all(daemon, ids, () => tpm.keys.ek);
    await in_parallel(4, ids.slice(0, 10), async (id) => told.set(id, (await register_once(daemon, tpm, id)).hub_key));
    registration = new Registration({ server: daemon, device: tpm, keys: tpm.keys, registration_id: ids[10] });
  });
  after(async () => {
    registration?.close();
    await daemon?.kill?.().catch(() => {});
    await run('umount', ['-l', disk]);
    await daemon?.stop();
  });

  /** All but so many bytes. */
  async function fill_but(bytes) {
    const { bsize, bavail } = await statfs(disk);
    await writeFile(filler, Buffer.alloc(bsize * bavail - bytes, 1));
  }

  function fill() {
    const file = openSync(filler, 'a');
    try {
      for (const size of [65536, 4096, 1]) {
        try {
          for (;;) writeSync(file, Buffer.alloc(size, 1));
        } catch (error) {
          assert.equal(error.code, 'ENOSPC');
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Writes until one is refused: the log may have room left in the pages that it has. */
  async function until_refused(send) {
    for (let i = 0; i < 500; i++) {
      const response = await send(i);
      if (response.status !== 201) return response;
    }
    throw new Error('500 writes fitted onto a full disk');
  }

  test('ItIsToldBeforeItIsFull', async () => {
    const { stdout } = await daemon.operator(['webhook', 'add', 'pager', 'http://127.0.0.1:9/']);
    assert.match(stdout, /whsec_/);
    await fill_but(1024 * 1024);
    await daemon.log_has(/the database's disk runs full: \d+ of 12582912 bytes are free, 2097152 should be/, 3000 * kLookSeconds);
    const shown = JSON.parse((await daemon.operator(['--json', 'webhook', 'show', 'pager'])).stdout);
    assert.equal(shown.waiting, 1, 'there was room for the event');
    await daemon.operator(['webhook', 'remove', 'pager']);
  });

  test('AnOperatorIsToldSoAsAProblem', async () => {
    fill();
    const client = operator_client(daemon);
    const response = await until_refused((i) => enroll(client, `late-${i}`, any_ek()));
    client.close();
    assert.equal(response.status, 503, response.text);
    assert.match(response.headers['content-type'], /^application\/problem\+json/);
    assert.equal(response.json.code, 'store.full', response.text);
    assert.match(response.headers['retry-after'] ?? '', /^\d+$/);
    const outcome = await daemon.operator(['enrollment', 'create', '--registration-id', 'late', '--tpm-ek', await daemon.write('ek', any_ek())]);
    assert.equal(outcome.code, 3, outcome.stderr);
    assert.match(outcome.stderr, /no room/);
  });

  test('ADeviceIsChallengedButRefusedInItsProtocolsShape', async () => {
    token = await registration.token(assert_challenge(await registration.client.register({ body: registration.body() })));
    for (let i = 0; i < 3; i++) {
      const response = await registration.client.register({ body: registration.body(), authorization: token });
      assert_error(response, 503);
      assert.match(response.headers['retry-after'] ?? '', /^\d+$/);
    }
  });

  test('ReadingGoesOnAndTheProcessSaysThatItLives', async () => {
    const client = operator_client(daemon);
    const [health, ready] = [await client.send('GET', '/healthz', { token: null }), await client.send('GET', '/readyz', { token: null })];
    client.close();
    assert.equal(health.status, 200, health.text);
    assert.ok([200, 503].includes(ready.status), ready.text);
    console.log(`readyz on a full disk: ${ready.status}`);
    assert.equal((await devices_of(daemon)).size, 10);
    assert.match(daemon.log, /store\.full/, 'the log says why');
  });

  test('ABackupOntoItSaysSoAndIsNone', async () => {
    const passphrase = await daemon.write('passphrase', 'correct horse battery staple');
    const target = path.join(disk, 'backup');
    const { code, stderr } = await daemon.warifud('backup', ['--output', target, '--passphrase-file', passphrase]);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /No space left|no room/);
    const restored = await run('warifud', ['restore', '--input', target, '--data-dir', daemon.file('restored'), '--passphrase-file', passphrase]);
    assert.notEqual(restored.code, 0, 'what it left is not a backup');
  });

  test('ARenewalKeepsTheOldCertificate', async () => {
    const { code, stderr } = await daemon.warifud('certificate renew');
    assert.equal(code, 3, stderr);
    daemon.signal('SIGHUP');
    await daemon.log_has(/certificate loaded/);
    assert.equal((await daemon.operator(['id-scope', 'show'])).code, 0);
  });

  test('RoomBringsEverythingBackWithoutARestart', async () => {
    await rm(filler);
    const operation = await registration.open(token); // the very token that was refused
    assert.equal((await registration.result(operation, token)).status, 'assigned');
    for (const id of ids.slice(11)) told.set(id, (await register_once(daemon, tpm, id)).hub_key);
    assert.equal((await daemon.operator(['enrollment', 'create', '--registration-id', 'late', '--tpm-ek', await daemon.write('ek', any_ek())])).code, 0);
  });

  test('NothingThatWasAnsweredIsLostAlsoAfterARestart', async () => {
    await daemon.kill();
    await daemon.serve();
    assert.equal((await devices_of(daemon)).size, ids.length);
    await in_parallel(4, [...told], async ([id, hub_key]) => assert.deepEqual(await daemon.hub_key(id), hub_key, id));
  });

  test('TheDatabaseIsSound', { skip: without('sqlite3') }, async () => {
    assert.equal((await daemon.sqlite('PRAGMA integrity_check;')).trim(), 'ok');
  });

  test('AServerStartsOnItOrSaysWhyNot', async () => {
    await daemon.halt();
    fill();
    const { code, stdout, stderr } = await run('timeout', ['-k', '1', '2', binary('warifud'), ...daemon.serve_args()]);
    if (stdout === '') {
      assert.equal(code, 3, stderr);
      assert.match(stderr, /room|cannot be read or written/);
    }
    await rm(filler);
    await daemon.serve();
    assert.equal((await devices_of(daemon)).size, ids.length);
  });
});
