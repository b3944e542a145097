// The drill: a backup beside a busy server, the data directory lost, and a restore after which a device with a real TPM and an operator go
// on as if nothing had been.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SoftDevice } from '../interop/lib/device.mjs';
import { Daemon, must_run, names_in, places_of, run, tree, without } from './lib/daemon.mjs';
import { Registration, devices_of, enroll_all, register_once } from './lib/fleet.mjs';
import { SoftwareTpm } from './lib/software_tpm.mjs';

const kMeter = 'meter-with-a-tpm';
const kPassphrase = 'correct horse battery staple';

describe('A backup', () => {
  const crowd = new SoftwareTpm();
  const ids = Array.from({ length: 12 }, (_, i) => `crowd-${i}`);
  const secrets = { passphrase: kPassphrase };
  let daemon;
  let meter;
  let keys;
  let operation; // of the meter, still open when the backup is made
  let authorization;
  let hub_key;
  let passphrase;
  let target;
  before(async () => {
    meter = await SoftDevice.start();
    keys = await meter.identity();
    daemon = await Daemon.start();
    await daemon.enroll(kMeter, keys.ek);
    await enroll_all(daemon, ids, () => crowd.keys.ek);
    passphrase = await daemon.write('passphrase', `${kPassphrase}\n`);
    target = daemon.file('backup');
  });
  after(async () => {
    await daemon?.stop();
    await meter?.stop();
  });

  const as_meter = () => new Registration({ server: daemon, device: meter, keys, registration_id: kMeter });
  const back_up = (output, file = passphrase) => daemon.warifud('backup', ['--output', output, '--passphrase-file', file]);
  const restore = (input, data_dir, file = passphrase) => run('warifud', ['restore', '--input', input, '--data-dir', data_dir, '--passphrase-file', file]);

  test('IsMadeWhileDevicesRegister', async () => {
    const registration = as_meter();
    authorization = await registration.fresh_token();
    operation = await registration.open(authorization);
    registration.close();
    hub_key = await daemon.hub_key(kMeter);

    let done = false;
    let registered = 0;
    const loops = [0, 1, 2].map(async (worker) => {
      for (let i = worker; !done; i = (i + 3) % ids.length) {
        await register_once(daemon, crowd, ids[i]);
        registered++;
      }
    });
    const { code, stdout, stderr } = await back_up(target);
    const while_it_was_made = registered;
    done = true;
    await Promise.all(loops);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(target));
    console.log(`${while_it_was_made} registrations while the backup was made`);
    assert.ok(while_it_was_made > 0, 'the server went on registering');
  });

  test('OpensToItsOwnerOnly', async () => {
    for (const { name, mode, is_folder } of [{ name: '.', mode: (await tree(daemon.folder)).find(({ name }) => name === 'backup').mode, is_folder: true }, ...await tree(target)])
      assert.ok(is_folder ? mode === 0o700 : mode === 0o600 || /roles\/[^/]*\.pem$|root\.pem$|bundles\/\d+\.json$/.test(name), `${name} has mode ${mode.toString(8)}`);
  });

  test('HoldsNoKeyInTheClear', async () => {
    const master_key = readFileSync(path.join(daemon.data_dir, 'secrets/master.key'));
    Object.assign(secrets, { 'the master key': master_key, 'the hub key': hub_key, 'the operator\'s token': daemon.access_token(), 'the bootstrap token': daemon.bootstrap_token });
    assert.deepEqual(await places_of(secrets, target), []);
    for (const { name, file, is_folder } of await tree(target)) if (!is_folder) assert.doesNotMatch(readFileSync(file, 'latin1'), /BEGIN (EC |RSA )?PRIVATE KEY/, name);
    assert.equal((await places_of({ planted: master_key }, daemon.data_dir)).length, 1, 'the search finds what is there');
  });

  test('IsANewFolder', async () => {
    const { code, stderr } = await back_up(target);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /there already/);
    assert.equal((await back_up(daemon.folder)).code, 1);
  });

  test('NeedsAPassphraseOfTwelveCharacters', async () => {
    for (const text of ['', '\n', 'eleven char', 'eleven char\n\n']) {
      const { code, stderr } = await back_up(daemon.file('not-made'), await daemon.write('short', text));
      assert.equal(code, 2, stderr);
      assert.match(stderr, /at least 12 characters/);
      assert.ok(!existsSync(daemon.file('not-made')));
    }
    assert.equal((await back_up(daemon.file('not-made'), '/nowhere')).code, 3);
    assert.ok(!existsSync(daemon.file('not-made')));
  });

  test('IsNotRestoredWithAnotherPassphrase', async () => {
    const { code, stdout, stderr } = await restore(target, daemon.file('wrong'), await daemon.write('other', 'incorrect horse battery'));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /passphrase does not open/);
    assert.ok(!existsSync(daemon.file('wrong')), 'nothing was made');
    assert.deepEqual(names_in(secrets, stdout + stderr), []);
  });

  test('IsNotRestoredOverAnOrganisation', async () => {
    const before_it = readFileSync(path.join(daemon.data_dir, 'secrets/master.key'));
    const { code, stderr } = await restore(target, daemon.data_dir);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /holds an organisation already/);
    assert.deepEqual(readFileSync(path.join(daemon.data_dir, 'secrets/master.key')), before_it);
  });

  const flip = async (file, at) => {
    const bytes = readFileSync(file);
    bytes[at < 0 ? bytes.length + at : at] ^= 0x01;
    await writeFile(file, bytes);
  };
  const in_place_of = (file, text) => { // a value changed without harm to the structure of the database
    const bytes = readFileSync(file);
    const at = bytes.indexOf(text);
    if (at < 0) throw new Error(`${text} does not stand in the database`);
    bytes[at] ^= 0x01;
    return writeFile(file, bytes);
  };
  for (const [what, spoil] of [
    ['whose database is gone', (folder) => rm(`${folder}/database/warifu.sqlite3`)],
    ['whose database is empty', (folder) => truncate(`${folder}/database/warifu.sqlite3`, 0)],
    ['whose database was cut', (folder) => truncate(`${folder}/database/warifu.sqlite3`, 8192)],
    ['whose database is not one', (folder) => writeFile(`${folder}/database/warifu.sqlite3`, crypto.randomBytes(50_000))],
    ['whose database has a damaged page', (folder) => writeFile(`${folder}/database/warifu.sqlite3`, Buffer.concat([readFileSync(`${folder}/database/warifu.sqlite3`).subarray(0, 8192), Buffer.alloc(4096, 0x55), readFileSync(`${folder}/database/warifu.sqlite3`).subarray(12288)]))],
    ['whose database says something else', (folder) => in_place_of(`${folder}/database/warifu.sqlite3`, kMeter)],
    ['without its master key', (folder) => rm(`${folder}/master-key.json`)],
    ['whose master key is no JSON', (folder) => writeFile(`${folder}/master-key.json`, '{')],
    ['whose master key asks for all memory', (folder) => writeFile(`${folder}/master-key.json`, JSON.stringify({ ...JSON.parse(readFileSync(`${folder}/master-key.json`)), n: 2 ** 40, r: 2 ** 20 }))],
    ['without its root certificate', (folder) => rm(`${folder}/trust/root.pem`)],
    ['without the node\'s identity', (folder) => rm(`${folder}/node/identity.pem`)],
    ['without the role\'s key', (folder) => rm(`${folder}/signer/keys/server-communication.1.key`)],
    ['without the role\'s certificate', (folder) => rm(`${folder}/roles/server-communication.pem`)],
    ['without the root\'s key', (folder) => rm(`${folder}/root/keys-1/root.key`)],
    ['whose role\'s key was changed', (folder) => flip(`${folder}/signer/keys/server-communication.1.key`, 400)],
    ['without what opens the signer\'s keys', (folder) => rm(`${folder}/signer/unlock.key.sealed`)],
    ['whose root\'s passphrase was changed', (folder) => flip(`${folder}/root/passphrase.sealed`, -1)],
    ['whose root certificate was changed', (folder) => flip(`${folder}/trust/root.pem`, 200)],
    ['with a link to a folder that was not sealed', (folder) => symlink(daemon.folder, `${folder}/roles/more`)],
    ['with a link to a file', (folder) => symlink('root.pem', `${folder}/trust/other.pem`)],
    ['whose trust is a link', (folder) => rm(`${folder}/trust`, { recursive: true }).then(() => symlink(`${target}/trust`, `${folder}/trust`))],
    ['with a link to itself', (folder) => symlink('loop', `${folder}/roles/loop`)],
    ['with a pipe', (folder) => must_run('mkfifo', [`${folder}/node/pipe`])],
    ['with an unfinished file that was not sealed', (folder) => writeFile(`${folder}/node/identity.pem.abcdef.new`, 'x')],
    ['that is not there', (folder) => rm(folder, { recursive: true })],
  ]) {
    test(`IsNotRestored ${what}`, async () => {
      const [spoiled, data_dir] = [daemon.file('spoiled'), daemon.file('from-spoiled')];
      await cp(target, spoiled, { recursive: true });
      try {
        await spoil(spoiled);
        const { code, stdout, stderr } = await restore(spoiled, data_dir);
        assert.notEqual(code, 0, `it was restored: ${stdout}`);
        assert.ok([1, 2, 3].includes(code), `exit ${code}`);
        assert.match(stderr, /^error: .{20,}/, 'says why');
        assert.ok(!existsSync(data_dir) || (await tree(data_dir)).every(({ is_folder }) => is_folder), `left ${existsSync(data_dir) ? (await tree(data_dir)).map(({ name }) => name) : ''}`);
      } finally {
        await rm(spoiled, { recursive: true, force: true });
        await rm(data_dir, { recursive: true, force: true });
      }
    });
  }

  for (const [what, name, plant] of [
    ['a link to a folder', 'roles/more', (file) => symlink(daemon.folder, file)],
    ['a link to a file', 'trust/other.pem', (file) => symlink('root.pem', file)],
    ['a link to itself', 'roles/loop', (file) => symlink('loop', file)],
    ['a pipe', 'node/pipe', (file) => must_run('mkfifo', [file])],
  ]) {
    test(`IsNotMadeOf ${what}`, async () => {
      const planted = path.join(daemon.data_dir, name);
      await plant(planted);
      try {
        const { code, stderr } = await back_up(daemon.file('refused'));
        assert.equal(code, 1, `exit ${code}: ${stderr}`);
        assert.ok(stderr.includes(`${planted} is neither a regular file nor a folder`), stderr);
        assert.notEqual((await restore(daemon.file('refused'), daemon.file('from-refused'))).code, 0, 'what it left is no backup');
        assert.ok(!existsSync(daemon.file('from-refused')));
      } finally {
        await rm(planted);
        await rm(daemon.file('refused'), { recursive: true, force: true });
      }
    });
  }

  test('LeavesOutWhatAPowerLossLeftUnfinished', async () => {
    const unfinished = path.join(daemon.data_dir, 'node/identity.pem.abcdef.new');
    await writeFile(unfinished, 'half of a');
    try {
      const { code, stderr } = await back_up(daemon.file('without'));
      assert.equal(code, 0, stderr);
      assert.deepEqual((await tree(daemon.file('without'))).map(({ name }) => name), (await tree(target)).map(({ name }) => name));
    } finally {
      await rm(unfinished);
    }
  });

  test('BringsEverythingBackAfterTheDataDirectoryIsLost', async () => {
    await daemon.halt();
    await rm(daemon.data_dir, { recursive: true });
    const { code, stdout, stderr } = await restore(target, daemon.data_dir);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /warifud serve --data-dir/);
    assert.equal((await tree(daemon.data_dir)).find(({ name }) => name === 'secrets/master.key').mode, 0o600);
    await daemon.serve();
    assert.equal((await daemon.operator(['id-scope', 'show'])).stdout.trim(), daemon.id_scope, 'the operator\'s token still works, and the root is the same');
    assert.deepEqual(await daemon.hub_key(kMeter), hub_key);
  });

  test('LetsTheDevicePollTheOperationThatWasOpen', async () => {
    const registration = as_meter();
    const { registrationState } = await registration.result(operation, authorization);
    registration.close();
    assert.equal(registrationState.deviceId, kMeter);
    await meter.with_tpm(async (tpm) => {
      await tpm.activate(Buffer.from(registrationState.tpm.authenticationKey, 'base64'));
      assert.deepEqual(await tpm.sign('hub'), crypto.createHmac('sha256', hub_key).update('hub').digest(), 'the TPM got the hub key of before');
    });
  });

  test('LetsTheDeviceComeAgainAsTheSameDevice', async () => {
    const created = (await devices_of(daemon)).get(kMeter).created_at;
    const registration = as_meter();
    const state = await registration.provision(await registration.fresh_token());
    registration.close();
    assert.equal(state.deviceId, kMeter);
    assert.equal(state.substatus, 'deviceDataMigrated', 'not a first assignment');
    assert.equal((await devices_of(daemon)).get(kMeter).created_at, created);
  });

  test('LetsEverythingElseGoOn', { skip: without('sqlite3') }, async () => {
    await register_once(daemon, crowd, ids[0]);
    assert.equal((await daemon.warifud('certificate renew')).code, 0);
    assert.equal((await back_up(daemon.file('second'))).code, 0);
    assert.equal((await daemon.sqlite('PRAGMA integrity_check;')).trim(), 'ok');
  });
});
