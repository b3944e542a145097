// Our own device half, as it is installed: two programs, two users, a real TPM emulator, a real server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, run } from './lib/daemon.mjs';
import { Device, kAgentUser, kStranger, kTcbUser, without_users } from './lib/device.mjs';

function must(outcome, what) {
  assert.equal(outcome.code, 0, `${what}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

function refused(outcome, code, pattern) {
  assert.equal(outcome.code, code, `${outcome.stdout}${outcome.stderr}`);
  assert.match(outcome.stderr, pattern);
}

function status_lines(pid, names) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Object.fromEntries(names.map((name) => [name, new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)[1].trim()]));
}

async function lockout_auth_of(server, device, id) {
  const file = device.file('escrow.der');
  must(await server.operator(['device', 'escrow', id, '--out', file]), 'warifu device escrow');
  const opened = JSON.parse(must(await server.warifud('escrow open', [file]), 'warifud escrow open'));
  const auth = device.file('lockout-auth');
  await writeFile(auth, opened.auth, { mode: 0o644 }); // the agent shall be refused for what it is, not for the file
  return { file: auth, opened };
}

describe('A device with our agent', () => {
  let server;
  before(async () => (server = await Daemon.start()));
  after(() => server?.stop());

  async function with_device(options, work) {
    const device = await Device.prepare(server, options);
    try {
      await device.start_tcb();
      await work(device);
    } finally {
      await device.stop();
    }
  }

  test('provisions itself, and is the same device after a restart', async () => {
    await with_device({ registration_id: 'meter-1' }, async (device) => {
      await device.enroll(server, 'meter-1');
      must(await device.agent(['provision']), 'provision');
      const shown = JSON.parse(must(await server.operator(['device', 'show', 'meter-1', '--json']), 'device show'));
      assert.equal(shown.device_id, 'meter-1');
      await device.restart_tcb();
      const status = JSON.parse(must(await device.agent(['--json', 'status']), 'status'));
      assert.equal(status.device_id, 'meter-1');
    });
  });

  test('is refused when it is not enrolled, and says what the operator must do', async () => {
    await with_device({ registration_id: 'unknown-1' }, async (device) => {
      refused(await device.agent(['provision']), 1, /not enrolled/i);
    });
  });

  test('escrows the lockout password to the organisation before it is set, and keeps it nowhere', async () => {
    await with_device({ registration_id: 'meter-2' }, async (device) => {
      await device.enroll(server, 'meter-2');
      must(await device.agent(['provision']), 'provision');
      const status = JSON.parse(must(await device.administrator(['--json', 'tpm', 'status']), 'tpm status'));
      assert.equal(status.lockout_auth_set, true);
      const { opened } = await lockout_auth_of(server, device, 'meter-2');
      assert.equal(opened.registration_id, 'meter-2');
      assert.match(opened.auth, /^[0-9a-f]{64}$/);
    });
  });

  test('of a new owner, who cleared the TPM, has the same EK, a new SRK, and a dead old identity', async () => {
    await with_device({ registration_id: 'meter-3' }, async (device) => {
      await device.enroll(server, 'meter-3');
      must(await device.agent(['provision']), 'provision');
      const before_it = JSON.parse(must(await server.operator(['device', 'show', 'meter-3', '--json']), 'device show'));
      const ek_name = device.ek_name;
      const { file } = await lockout_auth_of(server, device, 'meter-3');
      refused(await device.agent(['tpm', 'clear', '--lockout-auth-file', file, '--yes']), 1, /administrator/i);
      must(await device.administrator(['tpm', 'clear', '--lockout-auth-file', file, '--yes']), 'tpm clear');
      refused(await device.agent(['token']), 1, /provision/i);
      await device.restart_tcb();
      assert.equal(device.ek_name, ek_name);
      must(await device.agent(['provision']), 'provision anew');
      const after_it = JSON.parse(must(await server.operator(['device', 'show', 'meter-3', '--json']), 'device show'));
      assert.equal(after_it.ek_name, before_it.ek_name);
      assert.notEqual(after_it.srk_name, before_it.srk_name);
    });
  });

  test('says nothing to a server of another organisation', async () => {
    const other = await Daemon.start();
    try {
      await with_device({ registration_id: 'meter-4', url: other.devices_url }, async (device) => {
        await device.enroll(server, 'meter-4');
        refused(await device.agent(['provision']), 1, /root|issuer|certificate/i);
        assert.doesNotMatch(other.log, /registrations/);
      });
    } finally {
      await other.stop();
    }
  });

  test('gives its secrets to its agent only', { skip: without_users }, async () => {
    await with_device({ registration_id: 'meter-5' }, async (device) => {
      refused(await device.agent(['random', '--size', '8'], { user: kStranger }), 1, /user|uid/i);
      must(await device.agent(['random', '--size', '8']), 'random');
      const opens_tpm = (user) => run('setpriv', ['--reuid', String(user), '--regid', String(user), '--clear-groups', 'socat', '-u', '/dev/null', `UNIX-CONNECT:${device.tpm.socket_path}`]);
      assert.notEqual((await opens_tpm(kAgentUser)).code, 0, 'the agent reaches the TPM past the TCB');
    });
  });

  test('runs as two users that are confined, and ends in order', { skip: without_users }, async () => {
    await with_device({ registration_id: 'meter-6' }, async (device) => {
      await device.enroll(server, 'meter-6');
      device.start_agent();
      await eventually(() => /provisioned/i.test(device.agent_log), 'the agent provisioned the device', 20_000, () => device.agent_log);
      const names = ['Uid', 'Gid', 'Groups', 'NoNewPrivs', 'Seccomp', 'CapEff', 'CapPrm'];
      for (const [pid, user] of [[device.tcb_pid, kTcbUser], [device.agent_pid, kAgentUser]]) {
        const found = status_lines(pid, names);
        assert.equal(found.Uid, Array(4).fill(user).join('\t'));
        assert.equal(found.Groups, '');
        assert.equal(found.NoNewPrivs, '1');
        assert.equal(found.Seccomp, '2', 'a seccomp filter is active');
        assert.match(found.CapEff, /^0+$/);
        assert.match(found.CapPrm, /^0+$/);
      }
      assert.equal(await device.stop_agent(), 0);
      assert.equal(await device.stop_tcb(), 0);
      await device.start_tcb();
      const status = JSON.parse(must(await device.administrator(['--json', 'tpm', 'status']), 'tpm status'));
      assert.equal(status.orderly, true);
      assert.equal(status.lockout_counter, 0);
    });
  });

  for (const [program, check] of [['warifu-tcb', 'check_tcb_confinement'], ['warifu-agent', 'check_agent_confinement']]) {
    test(`${program} cannot do what its confinement forbids`, { skip: without_users }, async () => {
      await with_device({}, async (device) => {
        await device.stop_tcb();
        const lines = must(await device[check](), program).trim().split('\n');
        assert.equal(lines.length, 8, lines.join('\n'));
        for (const line of lines) assert.match(line, / refused/);
        // What fails for everybody shows nothing.
        assert.ok(lines.filter((line) => / refused$/.test(line)).length >= 5, lines.join('\n'));
      });
    });
  }
});
