// Keys of a device's applications: from an operator's command line to a TPM, and what the TPM makes with them.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually } from './lib/daemon.mjs';
import { Device, kStranger, without_users } from './lib/device.mjs';
import { operator_of } from './lib/operator.mjs';

const kReading = 'a reading of 4711 kWh';
const hmac_by = (key, data = kReading) => crypto.createHmac('sha256', key).update(data).digest('hex');

/** Every file below a folder, with its content. */
function files_below(folder) {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    const status = statSync(file);
    return status.isDirectory() ? files_below(file) : status.isFile() ? [{ file, content: readFileSync(file) }] : [];
  });
}

describe('A key of an application', { skip: without_users, timeout: 300_000 }, () => {
  let server;
  let device;
  const secrets = []; // every key of these tests
  const { done, json, refused } = operator_of(() => server);

  async function with_device(id, work) {
    device = await Device.prepare(server, { registration_id: id });
    try {
      await device.start_tcb();
      await device.enroll(server, id);
      await agent('provision');
      await work(id);
    } finally {
      await device.stop();
    }
  }
  async function agent(...args) {
    const { code, stdout, stderr } = await device.agent(['--json', ...args]);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  }
  async function agent_refused(pattern, args, options) {
    const { code, stdout, stderr } = await device.agent(args, options);
    assert.equal(code, 1, `${args.join(' ')}: exit ${code}: ${stdout}${stderr}`);
    assert.match(stderr, pattern);
  }
  async function hmac(name, input = kReading) {
    const { code, stdout, stderr } = await device.agent(['--json', 'application-key', 'hmac', name], { input });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }
  const get = () => agent('application-key', 'get');
  const states = async (id, name) => (await json('application-key', 'show', id, name)).map(({ version, state }) => `${version} ${state}`);
  /** The key that the server made, as the operator was told it. */
  async function told(...args) {
    const answer = await json('application-key', ...args);
    secrets.push(answer.key);
    return Buffer.from(answer.key, 'base64');
  }
  async function reset_tpm() {
    assert.equal(await device.stop_tcb(), 0, device.tcb_log);
    await device.tpm.reset();
    device.give_tpm();
    await device.start_tcb();
  }

  before(async () => (server = await Daemon.start()));
  after(() => server?.stop());

  test('IsDeliveredUsedRotatedAndRevoked', async () => {
    await with_device('meter-1', async (id) => {
      assert.deepEqual(await json('application-key', 'list', id), []);
      await agent_refused(/\[tcb\.application-key\.none\]/, ['application-key', 'hmac', 'mqtt'], { input: kReading });
      const first = await told('put', id, 'mqtt', '--generate');
      assert.equal(first.length, 32);
      assert.deepEqual(await states(id, 'mqtt'), ['1 pending']);
      assert.equal((await get()).acknowledged, 1);
      assert.deepEqual(await states(id, 'mqtt'), ['1 active']);
      assert.deepEqual((await agent('application-key', 'list')).items, [{ name: 'mqtt', version: 1, state: 'active' }]);
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(first), version: 1 });
      assert.equal((await get()).acknowledged, 0, 'nothing is left to do');

      // Both versions, until the new one is acknowledged.
      const second = await told('rotate', id, 'mqtt');
      assert.deepEqual(await states(id, 'mqtt'), ['2 pending', '1 active']);
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(first), version: 1 });
      assert.equal((await get()).acknowledged, 1);
      assert.deepEqual(await states(id, 'mqtt'), ['2 active', '1 superseded']);
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(second), version: 2 });
      await reset_tpm();
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(second), version: 2 });

      await done('application-key', 'revoke', id, 'mqtt');
      assert.deepEqual(await states(id, 'mqtt'), ['2 revoked', '1 superseded']);
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(second), version: 2 }, 'until it is told');
      assert.equal((await get()).forgotten, 1);
      await agent_refused(/\[tcb\.application-key\.none\]/, ['application-key', 'hmac', 'mqtt'], { input: kReading });
      const [last] = await json('application-key', 'show', id, 'mqtt');
      assert.match(last.told_at, /^\d{4}-/);
      await refused(1, /application-key\.unknown/, 'application-key', 'rotate', id, 'mqtt');
      // Versions go on.
      await told('put', id, 'mqtt', '--generate');
      assert.deepEqual((await states(id, 'mqtt'))[0], '3 pending');
    });
  });

  test('IsBroughtByTheOperatorInAFile', async () => {
    await with_device('meter-2', async (id) => {
      const key = crypto.randomBytes(20);
      secrets.push(key.toString('base64'));
      await writeFile(server.file('dlms.b64'), `${key.toString('base64')}\n`, { mode: 0o600 });
      const put = await json('application-key', 'put', id, 'dlms-auth', '--key-file', server.file('dlms.b64'));
      assert.equal(put.key, undefined);
      await get();
      assert.deepEqual(await hmac('dlms-auth', ''), { hmac: hmac_by(key, ''), version: 1 });
      const most = 'x'.repeat(1024);
      assert.deepEqual(await hmac('dlms-auth', most), { hmac: hmac_by(key, most), version: 1 });
      const { code, stderr } = await device.agent(['application-key', 'hmac', 'dlms-auth'], { input: `${most}x` });
      assert.equal(code, 2, stderr);
      await agent_refused(/\[tcb\.application-key\.reserved\]/, ['application-key', 'hmac', 'dlms-auth'], { input: 'warifu application key acknowledgement v1\0' });
      assert.deepEqual((await device.administrator(['application-key', 'hmac', 'dlms-auth'], { input: kReading })).stdout, `${hmac_by(key)}\n`);
      const stranger = await device.agent(['application-key', 'hmac', 'dlms-auth'], { input: kReading, user: kStranger });
      assert.notEqual(stranger.code, 0);
      assert.equal(stranger.stdout, '');
      await refused(2, /expected a key of 16 to 64 bytes/, 'application-key', 'put', id, 'short', '--key-file', await short_key());
      await refused(2, /PCR/, 'application-key', 'put', id, 'odd', '--generate', '--capped-by-pcr', '23');
    });
  });
  async function short_key() {
    await writeFile(server.file('short.b64'), crypto.randomBytes(15).toString('base64'));
    return server.file('short.b64');
  }

  test('ThatIsCappedWorksUntilTheCapAndAfterTheNextReset', async () => {
    await with_device('meter-3', async (id) => {
      await agent_refused(/\[tcb\.application-key\.nothing-to-cap\]/, ['application-key', 'cap']);
      const key = await told('put', id, 'boot-secret', '--generate', '--capped-by-pcr', '14');
      await get();
      assert.deepEqual(await hmac('boot-secret'), { hmac: hmac_by(key), version: 1 });
      assert.deepEqual((await agent('application-key', 'cap')).capped_pcrs, [14]);
      await agent_refused(/PCR 14.*\[tcb\.application-key\.capped\]/s, ['application-key', 'hmac', 'boot-secret'], { input: kReading });
      // A new process of the TCB is no reset.
      await device.restart_tcb();
      await agent_refused(/\[tcb\.application-key\.capped\]/, ['application-key', 'hmac', 'boot-secret'], { input: kReading });
      // The next version comes now, and waits.
      const next = await told('rotate', id, 'boot-secret');
      assert.equal((await get()).waiting_for_the_next_boot, 1);
      assert.deepEqual(await states(id, 'boot-secret'), ['2 pending', '1 active']);
      await reset_tpm();
      // A unit that comes before the network, in each boot.
      const cap = () => agent('application-key', 'cap', '--pcr', '14', '--unless-pending');
      assert.deepEqual(await cap(), { capped_pcrs: [], left_for_pending: [14] });
      assert.deepEqual(await hmac('boot-secret'), { hmac: hmac_by(key), version: 1 });
      assert.equal((await get()).acknowledged, 1);
      assert.deepEqual(await hmac('boot-secret'), { hmac: hmac_by(next), version: 2 });
      await reset_tpm();
      assert.deepEqual(await cap(), { capped_pcrs: [14], left_for_pending: [] });
      await agent_refused(/\[tcb\.application-key\.capped\]/, ['application-key', 'hmac', 'boot-secret'], { input: kReading });
    });
  });

  test('IsNotGivenToAnEnrollmentThatWasMadeAnewNorToAHeldDevice', async () => {
    await with_device('meter-4', async (id) => {
      await told('put', id, 'mqtt', '--generate');
      await done('enrollment', 'disable', id);
      await agent_refused(/enrollment\.disabled|server\.refused/, ['application-key', 'get']);
      await done('enrollment', 'enable', id);
      await get();
      await done('enrollment', 'delete', id);
      await device.enroll(server, id);
      assert.deepEqual(await states(id, 'mqtt'), ['1 revoked']);
      await agent_refused(/application-key\.not-registered/, ['application-key', 'get']);
      await agent('provision');
      assert.equal((await get()).forgotten, 1);
      assert.deepEqual((await agent('application-key', 'list')).items, []);
      const key = await told('put', id, 'mqtt', '--generate');
      await get();
      assert.deepEqual(await hmac('mqtt'), { hmac: hmac_by(key), version: 2 });
    });
  });

  test('IsFetchedByTheService', async () => {
    await with_device('meter-5', async (id) => {
      await told('put', id, 'mqtt', '--generate');
      device.start_agent();
      await eventually(() => device.agent_log.includes('application keys: 1 new'), 'a key', 60_000, () => device.agent_log);
      assert.deepEqual(await states(id, 'mqtt'), ['1 active']);
      assert.equal(await device.stop_agent(), 0);
      // The logs of a device that had one.
      for (const secret of secrets) for (const log of [device.agent_log, device.tcb_log]) assert.ok(!log.includes(secret));
    });
  });

  test('StandsInNoLogAndNoFileOfTheServer', async () => {
    assert.ok(secrets.length >= 6);
    const forms = secrets.flatMap((base64) => {
      const key = Buffer.from(base64, 'base64');
      return [Buffer.from(base64), Buffer.from(key.toString('hex')), key];
    });
    // What the operator wrote himself is his.
    const mine = ['dlms.b64', 'short.b64'].map((name) => server.file(name));
    for (const { file, content } of files_below(server.data_dir).filter(({ file: name }) => !mine.includes(name))) for (const form of forms) assert.ok(!content.includes(form), `${file} holds a key`);
    for (const form of forms) assert.ok(!Buffer.from(server.log).includes(form));
  });
});
