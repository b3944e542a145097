// What a device runs, from its boot to the operator's screen: real programs, a software TPM that is told real boots.
import assert from 'node:assert/strict';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually } from './lib/daemon.mjs';
import { without_users } from './lib/device.mjs';
import { Machine, ima_entry, measured_only_in, sha256 } from './lib/machine.mjs';
import { operator_of } from './lib/operator.mjs';

const kBoot = 'uki-secure-boot';
const kSensor = 'the sensor reader, version 1';

describe('A device that shows what it runs', { skip: without_users }, () => {
  let server;
  let machine;
  const { done, json, refused } = operator_of(() => server);
  const layers_of = async (id) => (await json('attestation', 'show', id)).result.layers;
  const codes_of = async (id) => (await json('attestation', 'show', id)).result.findings.map((finding) => finding.code);

  async function put_policy(policy, ...options) {
    const file = path.join(server.folder, 'policy.json');
    await writeFile(file, JSON.stringify({ format: 'warifu.evidence-policy.v1', ...policy }));
    return done('policy', 'put', ...options, file);
  }

  const with_machine = (id, work) => Machine.live(server, id, kBoot, (made) => {
    machine = made;
    return work(id);
  });

  before(async () => {
    server = await Daemon.start();
    const [command_line] = await measured_only_in(kBoot, 'uki-other-command-line', 11);
    assert.ok(command_line, 'the twins differ in PCR 11');
    await put_policy({
      registers: { sha256: [0, 1, 2, 3, 4, 5, 6, 7, 11] },
      boot: { claims: ['secure-boot', 'kernel', 'separators'], events: [{ name: 'our command line', pcr: 11, sha256: command_line }] },
      ima: { files: [{ path: '/usr/bin/sensor', digests: [`sha256:${sha256(kSensor)}`] }] },
    });
  });
  after(() => server?.stop());

  test('is affirmed layer by layer, and what nobody knows is not', async () => {
    await with_machine('good', async (id) => {
      await machine.measure('/usr/bin/sensor', kSensor);
      const told = await machine.attest();
      assert.deepEqual(told.layers, { identity: 'affirming', hardware: 'none', boot: 'affirming', configuration: 'affirming', runtime: 'affirming', freshness: 'affirming' });
      assert.equal(told.overall, 'none', 'of its TPM nothing is known: it has no EK certificate');
      const shown = await json('attestation', 'show', id);
      assert.equal(shown.policy.target, 'default');
      assert.equal(shown.ima_entries, 2);
      await refused(1, /is "none"/, 'attestation', 'explain', id);
      const explained = await server.operator(['attestation', 'explain', id]);
      assert.match(explained.stdout, /Nothing is known of: hardware/);
      assert.match(await done('attestation', 'list'), /good +none/);
    });
  });

  test('with a changed file is contradicted in the same boot, and the file is named', async () => {
    await with_machine('file', async (id) => {
      await machine.measure('/usr/bin/sensor', kSensor);
      await machine.attest();
      assert.equal((await layers_of(id)).runtime, 'affirming');
      await machine.measure('/usr/bin/sensor', 'something else');
      assert.equal((await machine.attest()).layers.runtime, 'contraindicated');
      const explained = await server.operator(['attestation', 'explain', id]);
      assert.equal(explained.code, 1);
      assert.match(explained.stdout, /Contradicts[^]*\/usr\/bin\/sensor/);
      await machine.measure('/usr/bin/sensor', kSensor);
      assert.equal((await machine.attest()).layers.runtime, 'contraindicated', 'what ran once in a boot ran');
      await machine.boot(kBoot);
      assert.notEqual((await machine.attest()).layers.runtime, 'contraindicated');
    });
  });

  test('whose list is larger than what can be sent says so, and is not contradicted for it', async () => {
    await with_machine('large', async (id) => {
      await machine.measure('/usr/bin/sensor', kSensor);
      await machine.attest();
      const entry = ima_entry(`/${'x'.repeat(4000)}`, 'later');
      await appendFile(machine.device.file('ima-list'), Buffer.concat(Array(Math.ceil((16 << 20) / entry.length)).fill(entry)));
      const { code, stderr } = await machine.device.agent(['attest']);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /ima-list has more than 16777216 bytes after its byte \d+.*\[logs\.size\]/);
      assert.equal((await layers_of(id)).runtime, 'affirming');
    });
  });

  test('with another command line is contradicted, and the difference is shown', async () => {
    await with_machine('cmdline', async (id) => {
      await machine.attest();
      await machine.boot('uki-other-command-line');
      assert.equal((await machine.attest()).layers.boot, 'contraindicated');
      assert.match((await server.operator(['attestation', 'explain', id])).stdout, /our command line/);
      const difference = await json('attestation', 'diff', id);
      assert.ok(difference.registers.added.some((line) => line.startsWith('PCR 11')), JSON.stringify(difference.registers));
      assert.ok(difference.events.added.some((line) => line.startsWith('PCR 11')), JSON.stringify(difference.events));
      assert.match(await done('attestation', 'diff', id), /boot log:[^]*\+ PCR 11 EV_IPL [0-9a-f]{16} "\.cmdline"/);
    });
  });

  test('with a kernel that nobody measured is contradicted, though its log replays', async () => {
    await with_machine('unmeasured', async (id) => {
      await machine.boot('qemu-kernel');
      assert.equal((await machine.attest()).layers.boot, 'contraindicated');
      const found = (await json('attestation', 'show', id)).result.findings.filter((finding) => finding.code === 'boot.required');
      assert.ok(found.some((finding) => /kernel/.test(JSON.stringify(finding))), JSON.stringify(found));
    });
  });

  test('whose TPM is reset under the running system is contradicted, though its registers are the good ones', async () => {
    await with_machine('interposed', async (id) => {
      await machine.attest();
      await machine.interpose();
      const told = await machine.attest();
      assert.equal(told.layers.boot, 'affirming', 'the registers are as good as before');
      assert.equal(told.layers.freshness, 'contraindicated');
      assert.ok((await codes_of(id)).includes('attestation.tpm-reset'));
      assert.equal((await machine.attest()).layers.freshness, 'contraindicated', 'it stays so in this boot');
      await machine.boot(kBoot);
      assert.equal((await machine.attest()).layers.freshness, 'affirming', 'another boot is another boot');
    });
  });

  test('whose TPM was reset before its first attestation is contradicted by the Name that its boot recorded', async () => {
    await with_machine('early', async (id) => {
      await machine.interpose();
      const told = await machine.attest();
      assert.equal(told.layers.boot, 'affirming', 'the registers are as good as before');
      assert.equal(told.layers.freshness, 'contraindicated');
      const { result } = await json('attestation', 'show', id);
      const [reset] = result.findings.filter(({ code }) => code === 'attestation.tpm-reset');
      assert.match(reset.what, /the initramfs recorded/);
      assert.equal(reset.expected, (await readFile(machine.device.file('null-name'), 'utf8')).trim());
      assert.equal(reset.came, (await machine.null_name()).trim());
      await rm(machine.device.file('null-name'));
      assert.equal((await machine.attest()).layers.freshness, 'contraindicated', 'the ledger has what the boot began with');
      await machine.boot(kBoot);
      assert.equal((await machine.attest()).layers.freshness, 'affirming', 'another boot is another boot');
      assert.ok((await codes_of(id)).includes('attestation.null-name'));
    });
  });

  test('whose boot recorded no Name is told what that leaves open', async () => {
    await with_machine('unrecorded', async (id) => {
      await machine.boot(kBoot, { records: false });
      await machine.interpose();
      assert.equal((await machine.attest()).layers.freshness, 'affirming', 'nobody can see it');
      assert.ok((await codes_of(id)).includes('attestation.null-name-absent'));
    });
  });

  test('whose TPM is reset under the running agent is contradicted by the next evidence', async () => {
    await with_machine('running', async (id) => {
      const judged = (tier) => eventually(() => new RegExp(`freshness ${tier}`).test(machine.device.agent_log), `freshness is ${tier}`, 30_000, () => machine.device.agent_log);
      machine.device.start_agent();
      await judged('affirming');
      await machine.reset_tpm();
      process.kill(machine.device.agent_pid, 'SIGHUP');
      await judged('contraindicated');
      assert.ok((await codes_of(id)).includes('attestation.tpm-reset'));
    });
  });

  test('whose TPM is a copy of an old state is contradicted until an operator has looked', async () => {
    await with_machine('copied', async (id) => {
      await machine.attest();
      await machine.device.stop_tcb();
      const copy = await machine.copy_state();
      for (let boot = 0; boot < 2; ++boot) await machine.boot(kBoot);
      await machine.attest();
      await machine.put_state_back(copy);
      await machine.boot(kBoot);
      assert.equal((await machine.attest()).layers.freshness, 'contraindicated');
      await machine.boot(kBoot);
      await machine.boot(kBoot);
      await machine.boot(kBoot);
      await done('attestation', 'forget', id, '--reason', 'a backup was put back on purpose');
      assert.equal((await machine.attest()).layers.freshness, 'affirming');
    });
  });

  test('under review is told and weighs at most as a warning', async () => {
    await put_policy({ boot: { claims: ['windows-bitlocker-tpm'] } }, '--review', '--registration-id', 'reviewed');
    await with_machine('reviewed', async (id) => {
      assert.equal((await machine.attest()).layers.boot, 'warning');
      await put_policy({ boot: { claims: ['windows-bitlocker-tpm'] } }, '--registration-id', 'reviewed');
      assert.equal((await machine.attest()).layers.boot, 'contraindicated');
      await done('policy', 'delete', '--registration-id', 'reviewed');
      assert.equal((await machine.attest()).layers.boot, 'affirming', 'the default judges again');
      assert.equal((await json('attestation', 'show', id)).policy.target, 'default');
    });
  });

  test('teaches the policy that it meets, and that its changed twin does not', async () => {
    await with_machine('teacher', async (id) => {
      await machine.measure('/usr/bin/sensor', kSensor);
      await machine.attest();
      const file = path.join(server.folder, 'learned.json');
      await writeFile(file, await done('policy', 'learn', id));
      const learned = JSON.parse(await readFile(file, 'utf8'));
      for (const claim of ['secure-boot', 'kernel', 'separators', 'boot-loader']) assert.ok(learned.boot.claims.includes(claim), claim);
      assert.ok(!learned.boot.claims.some((claim) => claim.startsWith('windows-')), JSON.stringify(learned.boot.claims));
      assert.deepEqual(learned.ima.files, [{ path: '/usr/bin/sensor', digests: [`sha256:${sha256(kSensor)}`] }]);
      const tried = await json('policy', 'test', '--registration-id', id, file);
      assert.deepEqual(tried.summary, { judged: 1, fails: 0, worse: 0, better: 0, same: 1, unknown: 0 }, JSON.stringify(tried));
      await done('policy', 'put', '--registration-id', id, file);
      const told = await machine.attest();
      assert.equal(told.layers.boot, 'affirming');
      assert.equal(told.layers.runtime, 'affirming');
      const other = path.join(server.folder, 'other.json');
      await writeFile(other, JSON.stringify({ format: 'warifu.evidence-policy.v1', boot: { claims: ['windows-bitlocker-tpm'] } }));
      const failed = await server.operator(['policy', 'test', '--registration-id', id, other]);
      assert.equal(failed.code, 1, failed.stdout);
      assert.match(failed.stdout, /^teacher +enrollment\/teacher +fails .*windows-bitlocker-tpm/m);
      assert.match(failed.stderr, /1 of 1 devices would fail/);
      await machine.boot('uki-other-command-line');
      assert.equal((await machine.attest()).layers.boot, 'contraindicated');
    });
  });

  test('without a policy is verified and affirmed nowhere', async () => {
    const policy = await json('policy', 'show');
    await done('policy', 'delete');
    try {
      await with_machine('unjudged', async (id) => {
        assert.equal((await machine.attest()).layers.boot, 'none');
        assert.ok((await codes_of(id)).includes('policy.none'));
        assert.match((await server.operator(['attestation', 'explain', id])).stdout, /No policy judged it/);
      });
    } finally {
      await put_policy(policy.policy);
    }
  });

  test('that is not enrolled is given nothing', async () => {
    machine = await Machine.prepare(server, 'stranger');
    try {
      await machine.boot(kBoot);
      const { code, stderr } = await machine.device.agent(['attest']);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /not enrolled|enrollment/i);
      await refused(1, /has not attested/, 'attestation', 'show', 'stranger');
    } finally {
      await machine.stop();
    }
  });
});
