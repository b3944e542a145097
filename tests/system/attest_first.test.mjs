// A device that gets nothing before it has shown what it runs: real programs, a software TPM that is told a real boot.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually } from './lib/daemon.mjs';
import { without_users } from './lib/device.mjs';
import { Machine } from './lib/machine.mjs';
import { operator_of } from './lib/operator.mjs';

const kBoot = 'uki-secure-boot';
const kDeadlineMs = 90_000;

describe('A device that must attest before it is assigned', { skip: without_users }, () => {
  let server;
  let machine;
  const { done, json, refused } = operator_of(() => server);
  const told = (pattern, what) =>
    eventually(() => pattern.test(machine.device.agent_log), what, kDeadlineMs, () => machine.device.agent_log);

  const kNotMet = 'windows-bitlocker-tpm'; // by this boot. Under review it weighs as a warning
  const kMet = 'kernel';
  async function put_policy(id, claim, ...options) {
    const file = path.join(server.folder, 'policy.json');
    await writeFile(file, JSON.stringify({ format: 'warifu.evidence-policy.v1', boot: { claims: [claim] } }));
    return done('policy', 'put', ...options, '--registration-id', id, file);
  }

  async function with_machine(id, terms, work) {
    machine = await Machine.prepare(server, id);
    try {
      await machine.boot(kBoot);
      await machine.device.enroll(server, id, ...terms);
      await work(id);
    } finally {
      await machine.stop();
    }
  }

  before(async () => {
    server = await Daemon.start();
  });
  after(() => server?.stop());

  test('stays assigning and has no hub key until what it runs is right', async () => {
    await with_machine('first', ['--require-attestation', 'warning', '--attestation-interval', '600'], async (id) => {
      await put_policy(id, kNotMet);
      machine.device.start_agent();
      await told(/the operator's terms ask for attestation first: it has not attested yet \[attestation\.missing\]/, 'the agent says what is asked for');
      await told(/the server judges what this device runs as contraindicated/, 'the agent attests while it waits');
      await told(/ask for attestation first: it attested to "contraindicated", and "warning" is demanded/, 'that was not enough');

      await refused(1, /device\.unknown|no device/, 'device', 'hub-key', id);
      assert.match(await done('registration', 'explain', id), /demand an attestation of "warning" first, and it attested to "contraindicated"/);
      assert.match(await done('registration', 'explain', id), /windows-bitlocker-tpm/);
      const items = await json('registration', 'list', '--waiting');
      assert.deepEqual(items.map((item) => [item.registration_id, item.needs_approval, item.attestation_shortfall.code]), [[id, false, 'attestation.insufficient']]);
      assert.match(await done('registration', 'list'), /no device has registered yet\n\nREGISTRATION ID[^]*first /);
      const alerts = await json('alert', 'list');
      assert.deepEqual(alerts.map((alert) => alert.kind), ['attestation.insufficient']);
      const status = await machine.device.agent(['--json', 'status']);
      assert.equal(JSON.parse(status.stdout).provisioned, false);

      await put_policy(id, kNotMet, '--review');
      await told(/the policy was changed since it attested/, 'what was judged by another policy counts no more');
      await told(/it attested to "warning" under no policy that is enforced/, 'a warning of a policy under review is no admission');
      await put_policy(id, kMet);
      await told(/6\/6 provisioned: assigned to/, 'it is assigned when it has attested to enough');
      const waiting = await json('registration', 'list', '--waiting');
      assert.deepEqual(waiting, []);
      assert.match(await done('registration', 'explain', id), /is assigned to/);
      await done('device', 'hub-key', id);
      const shown = await json('attestation', 'show', id);
      assert.equal((Date.parse(shown.next_due_at) - Date.parse(shown.attested_at)) / 1000, 600, 'its own interval');
    });
  });

  test('attests again for each registration, also by `provision`', async () => {
    await with_machine('again', ['--require-attestation', 'warning'], async (id) => {
      await put_policy(id, kMet);
      for (let i = 0; i < 2; ++i) {
        const before = i === 0 ? undefined : (await json('attestation', 'show', id)).attested_at;
        const { code, stderr } = await machine.device.agent(['provision']);
        assert.equal(code, 0, stderr);
        assert.match(stderr, /ask for attestation first: [^]*the server judges what this device runs as none[^]*6\/6 provisioned/);
        assert.notEqual((await json('attestation', 'show', id)).attested_at, before);
      }
    });
  });

  test('is let in by who takes the demand back', async () => {
    await with_machine('free', ['--require-attestation', 'affirming'], async (id) => {
      machine.device.start_agent();
      await told(/it attested to "none" under no policy that is enforced, and "affirming" is demanded/, 'nothing is known of what it runs');
      await done('enrollment', 'update', id, '--require-attestation', 'none');
      await told(/6\/6 provisioned/, 'nobody asks any more');
    });
  });

  test('can be no device that cannot attest', async () => {
    await refused(2, /only a TPM can attest/, 'enrollment', 'create', '--registration-id', 'lamp', '--symmetric', '--require-attestation', 'affirming');
    await refused(2, /10 to 86400/, 'enrollment-group', 'create', '--group-id', 'plant', '--tpm', '--attestation-interval', '9');
  });
});
