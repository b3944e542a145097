// Two nodes on one PostgreSQL server, made as the operators' guide says ("Two nodes, PostgreSQL"): one organisation, whichever of them is
// asked, and whichever of them dies.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, run } from './lib/daemon.mjs';
import { Registration, devices_of, enroll_all, in_parallel } from './lib/fleet.mjs';
import { make_first_node, make_second_node } from './lib/nodes.mjs';
import { Postgres, without_postgres } from './lib/postgres.mjs';
import { SoftwareTpm } from './lib/software_tpm.mjs';

describe('Two nodes on one PostgreSQL server', { skip: without_postgres }, () => {
  const tpm = new SoftwareTpm();
  const ids = Array.from({ length: 24 }, (_, i) => `device-${i}`);
  let postgres;
  let first;
  let second;
  let environment;
  before(async () => {
    postgres = await Postgres.start();
    environment = { WARIFU_DATABASE: postgres.url };
    first = await Daemon.prepare();
    second = await Daemon.prepare();
  });
  after(async () => {
    await first?.stop();
    await second?.stop();
    await postgres?.stop();
  });

  const registration_at = (node, id) => new Registration({ server: node, device: tpm, keys: tpm.keys, registration_id: id });

  test('TheFirstMakesTheOrganisation', async () => {
    await make_first_node(first, environment);
    const again = await run('warifud', ['init', '--data-dir', second.data_dir, '--org', 'Nodes'], { environment });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /database\.exists/);
    await first.serve({ environment });
    await first.login();
    await enroll_all(first, ids, () => tpm.keys.ek);
  });

  test('ABackupOfItsDataDirectoryMakesTheSecond', async () => {
    assert.match(await make_second_node(first, second, environment), /pg_dump/);
    await second.serve({ environment });
    const [one, other] = [first, second].map((node) => readFileSync(`${node.data_dir}/node/identity.pem`, 'utf8'));
    assert.notEqual(one, other, 'each has a key of its own');
  });

  test('NothingThatARunningNodeShowsHoldsTheUrl', () => {
    for (const node of [first, second]) {
      assert.ok(!readFileSync(`/proc/${node.pid}/cmdline`, 'utf8').includes('postgresql:'));
      assert.ok(!node.log.includes('postgresql:'), node.log);
    }
  });

  test('AChallengeOfOneIsAnsweredAtTheOther', async () => {
    const at_first = registration_at(first, 'device-0');
    const at_second = registration_at(second, 'device-0');
    const authorization = await at_first.fresh_token();
    const operation = await at_second.open(authorization);
    const { status } = await at_first.result(operation, authorization);
    assert.equal(status, 'assigned');
    at_first.close();
    at_second.close();
  });

  test('FiftyRacersOnOneChallengeOpenOneOperation', async () => {
    const registration = registration_at(first, 'device-1');
    const authorization = await registration.fresh_token();
    registration.close();
    const opened = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const racer = registration_at(i % 2 === 0 ? first : second, 'device-1');
      try {
        return await racer.open(authorization);
      } finally {
        racer.close();
      }
    }));
    assert.equal(new Set(opened).size, 1, `${new Set(opened).size} operations`);
    assert.equal(postgres.sql("SELECT count(*) FROM operations WHERE registration_id = 'device-1'"), '1');
  });

  test('WhenOneIsKilledEverythingThatWasAnsweredIsThereAtTheOther', async () => {
    const accepted = new Map();
    const assigned = new Map();
    let answers = 0;
    const loops = Promise.all([0, 1, 2, 3].map(async (worker) => {
      for (const id of ids.filter((_id, i) => i % 4 === worker).flatMap((own) => [own, own, own, own])) {
        const registration = registration_at(first, id);
        try {
          const authorization = await registration.fresh_token();
          accepted.delete(id);
          assigned.delete(id);
          const operation = await registration.open(authorization);
          accepted.set(id, { operation, authorization });
          answers += 1;
          const { registrationState } = await registration.result(operation, authorization);
          assigned.set(id, tpm.open_challenge(Buffer.from(registrationState.tpm.authenticationKey, 'base64')));
        } catch {
          return; // it is gone
        } finally {
          registration.close();
        }
      }
    }));
    // In the middle of it, on a slow machine too.
    for (const deadline = Date.now() + 30_000; answers < 8; ) {
      assert.ok(Date.now() < deadline, 'nothing was answered before the kill');
      await sleep(5);
    }
    await first.kill();
    await loops;
    const devices = await devices_of({ warifu: (...args) => warifu_at_second(args) });
    for (const [id] of accepted) assert.ok(devices.has(id), `${id} was accepted and is not there`);
    await in_parallel(4, accepted, async ([id, { operation, authorization }]) => {
      const registration = registration_at(second, id);
      const { status, json } = await registration.client.status(operation, { authorization });
      registration.close();
      assert.equal(status, 200, `${id} polled its operation at the other node and was told ${status}`);
      const { authenticationKey } = json.registrationState.tpm;
      const key = tpm.open_challenge(Buffer.from(authenticationKey, 'base64'));
      if (assigned.has(id)) assert.deepEqual(key, assigned.get(id), `${id} has another hub key now`);
    });
    await first.serve({ environment });
  });

  async function warifu_at_second(args) {
    const { code, stdout, stderr } = await first.operator(args, { server: second.operators_url, ca: second.ca });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  test('WhenTheDatabaseServerCrashesBothGoOn', async () => {
    await postgres.crash();
    await postgres.serve();
    for (const node of [first, second]) {
      const registration = registration_at(node, 'device-3');
      await registration.provision(await registration.fresh_token());
      registration.close();
    }
  });
});
