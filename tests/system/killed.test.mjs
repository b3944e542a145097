// kill -9 in the middle of registrations. Weaker than power loss, which libs/store tries with its own disk, but this is the whole
// program on a real file system: what a device or an operator was told is still so after the restart.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, without } from './lib/daemon.mjs';
import { Registration, devices_of, enroll_all, in_parallel } from './lib/fleet.mjs';
import { SoftwareTpm } from './lib/software_tpm.mjs';

const kRounds = 4;
const kDevices = 24;
const kWidth = 6;

describe('After kill -9 during registrations', () => {
  const tpm = new SoftwareTpm();
  const ids = Array.from({ length: kDevices }, (_, i) => `device-${i}`);
  const accepted = new Map(); // id -> the last operation that was answered 202
  const assigned = new Map(); // id -> the last answer 200: {operation, authorization, hub_key}
  let answers = 0;
  let daemon;
  before(async () => {
    daemon = await Daemon.start();
    await enroll_all(daemon, ids, () => tpm.keys.ek);
  });
  after(() => daemon?.stop());

  /** Registers one device after the other until the server is gone. What was not answered in full is not known. */
  async function register_until_killed() {
    await Promise.all(Array.from({ length: kWidth }, async (_, worker) => {
      const own = ids.filter((_id, i) => i % kWidth === worker); // nobody else's registration takes the place of ours
      for (let i = 0; ; i++) {
        const id = own[i % own.length];
        const registration = new Registration({ server: daemon, device: tpm, keys: tpm.keys, registration_id: id });
        try {
          const authorization = await registration.fresh_token();
          accepted.delete(id); // from here on, until it is answered, either outcome is right
          assigned.delete(id);
          const operation = await registration.open(authorization);
          accepted.set(id, { operation, authorization });
          const { registrationState } = await registration.result(operation, authorization);
          assigned.set(id, { operation, authorization, hub_key: tpm.open_challenge(Buffer.from(registrationState.tpm.authenticationKey, 'base64')) });
          answers += 2;
        } catch (error) {
          if (error.code === 'ERR_ASSERTION') throw error; // the server answered, and not well
          return;
        } finally {
          registration.close();
        }
      }
    }));
  }

  /** What was answered and is not so: a sentence each. */
  async function what_is_lost() {
    const lost = [];
    const devices = await devices_of(daemon);
    for (const id of accepted.keys()) if (devices.get(id)?.state !== 'provisioned') lost.push(`${id} was accepted and is not provisioned`);
    await in_parallel(4, [...assigned].filter(([id]) => devices.has(id)), async ([id, { hub_key }]) => {
      if (!hub_key.equals(await daemon.hub_key(id))) lost.push(`${id} was told another hub key`);
    });
    await in_parallel(4, accepted, async ([id, { operation, authorization }]) => {
      const registration = new Registration({ server: daemon, device: tpm, keys: tpm.keys, registration_id: id });
      const { status, json } = await registration.client.status(operation, { authorization });
      registration.close();
      if (status !== 200 || json.status !== 'assigned') lost.push(`${id} polled its operation and was told ${status}`);
    });
    return lost;
  }

  for (let round = 1; round <= kRounds; round++) {
    test(`EverythingThatWasAnsweredIsThere, round ${round}`, async () => {
      const loop = register_until_killed();
      await sleep(300 + 150 * round);
      await daemon.kill();
      await loop;
      assert.ok(accepted.size > 0, 'something was answered before the kill');
      await daemon.serve();
      assert.deepEqual(await what_is_lost(), []);
    });
  }

  test('TheDatabaseIsSoundAndEveryAcceptanceIsAudited', { skip: without('sqlite3') }, async () => {
    assert.equal((await daemon.sqlite('PRAGMA integrity_check;')).trim(), 'ok');
    assert.equal((await daemon.sqlite('PRAGMA foreign_key_check;')).trim(), '');
    const [operations, entries] = (await daemon.sqlite("SELECT count(*) FROM operations; SELECT count(*) FROM audit_entries WHERE action = 'device.provision';")).trim().split('\n').map(Number);
    assert.equal(entries, operations, 'an operation and its audit entry commit together');
    console.log(`${kRounds} kills, ${answers} answers, ${operations} operations`);
  });

  test('ALossWouldBeNoticed', { skip: without('sqlite3') }, async () => {
    const [id] = accepted.keys();
    await daemon.sqlite(`DELETE FROM operations WHERE registration_id = '${id}'; DELETE FROM devices WHERE device_id = '${id}';`);
    assert.deepEqual(await what_is_lost(), [`${id} was accepted and is not provisioned`, `${id} polled its operation and was told 404`]);
  });
});
