// Attestation behind a balancer, on two nodes of one PostgreSQL server: whichever is asked, and when one of them dies, no device is
// forgotten.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, eventually } from './lib/daemon.mjs';
import { without_users } from './lib/device.mjs';
import { Machine } from './lib/machine.mjs';
import { Balancer, make_first_node, make_second_node } from './lib/nodes.mjs';
import { operator_of } from './lib/operator.mjs';
import { Postgres, without_postgres } from './lib/postgres.mjs';

const kIntervalSeconds = 10; // the shortest that a server takes
const kSilenceSeconds = 3 * kIntervalSeconds; // an interval, and two more

describe('Two nodes that devices attest to', { skip: without_postgres || without_users }, () => {
  let postgres;
  let first;
  let second;
  let balancer;
  const machines = {};
  const at_second = {
    operator: (args) => first.operator(args, { server: second.operators_url, ca: second.ca }),
  };
  const { done, json } = operator_of(() => at_second);
  const silent = async () => (await json('alert', 'list')).filter(({ kind }) => kind === 'attestation.silent');

  before(async () => {
    postgres = await Postgres.start();
    const environment = { WARIFU_DATABASE: postgres.url };
    first = await Daemon.prepare();
    second = await Daemon.prepare();
    await make_first_node(first, environment);
    await make_second_node(first, second, environment);
    for (const node of [first, second]) {
      const config = await node.write('server.toml', `[attestation]\ninterval_seconds = ${kIntervalSeconds}\n`);
      await node.serve({ environment, args: node.serve_args(['--config', config]) });
    }
    await first.login();
    balancer = await Balancer.to([first.devices_url, second.devices_url]);
    for (const id of ['steady', 'quiet']) {
      machines[id] = await Machine.prepare({ ...pick(first), devices_url: balancer.url }, id);
      await machines[id].boot('uki-secure-boot');
      await machines[id].device.enroll(first, id);
    }
  });
  after(async () => {
    for (const machine of Object.values(machines)) await machine.stop();
    balancer?.close();
    await first?.stop();
    await second?.stop();
    await postgres?.stop();
  });

  test('TakeTheRequestsOfOneAttestationInTurns', async () => {
    for (const [id, machine] of Object.entries(machines)) {
      const told = await machine.attest();
      assert.equal(told.layers.identity, 'affirming');
      const { attested_at, next_due_at } = await json('attestation', 'show', id);
      assert.equal(Date.parse(next_due_at) - Date.parse(attested_at), kIntervalSeconds * 1000);
    }
    assert.ok(balancer.connections.every((taken) => taken > 0), `${balancer.connections}`);
  });

  test('KnowHowFarTheOtherReadTheList', async () => {
    for (let i = 1; i <= 4; ++i) {
      await machines.steady.measure(`/usr/bin/tool-${i}`, `tool ${i}`);
      // What was shown before is spoilt: a node that wanted the list from its beginning would not believe it.
      const list = machines.steady.device.file('ima-list');
      const whole = await readFile(list);
      await writeFile(list, Buffer.concat([Buffer.alloc(64, 0xff), whole.subarray(64)]));
      assert.equal((await machines.steady.attest()).layers.identity, 'affirming');
      await writeFile(list, whole);
      assert.equal((await json('attestation', 'show', 'steady')).ima_entries, 1 + i);
    }
  });

  test('WhenOneDiesTheOtherGoesOn', async () => {
    await first.kill();
    await machines.steady.measure('/usr/bin/last', 'last');
    for (const [id, machine] of Object.entries(machines)) {
      const told = await machine.attest();
      assert.equal(told.layers.freshness, 'affirming', `${id} is known: what it showed the other node counts`);
    }
    assert.equal((await json('attestation', 'show', 'steady')).ima_entries, 6);
    assert.match(await done('attestation', 'list'), /quiet[^]*steady/);
  });

  test('WhoFallsSilentIsMissedByTheOneThatIsLeft', async () => {
    const since = Date.now();
    let alerts = [];
    await eventually(async () => {
      await machines.steady.attest();
      await sleep(kIntervalSeconds * 300);
      alerts = await silent();
      return alerts.length > 0;
    }, 'the silence of "quiet" is an alert', 5 * kSilenceSeconds * 1000, () => second.log);
    assert.deepEqual(alerts.map(({ registration_id }) => registration_id), ['quiet']);
    assert.ok(Date.now() - since > (kSilenceSeconds - kIntervalSeconds) * 1000, 'nobody is missed before it is late');
  });

  test('WhoFellSilentIsWelcomeAgain', async () => {
    assert.equal((await machines.quiet.attest()).layers.freshness, 'affirming');
    const devices = await json('attestation', 'list');
    assert.ok(devices.every(({ is_overdue }) => !is_overdue), JSON.stringify(devices));
  });
});

function pick({ ca, id_scope }) {
  return { ca, id_scope };
}
