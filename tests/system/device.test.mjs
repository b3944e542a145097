// Our own device half, as it is installed: two programs, two users, a real TPM emulator, a real server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { Swtpm } from '../interop/lib/swtpm.mjs';
import { Daemon, eventually, run } from './lib/daemon.mjs';
import { Device, kAgentUser, kStranger, kTcbUser, without_users } from './lib/device.mjs';
import { make_ecc_srk } from './lib/operating_system.mjs';

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

/** A server that takes connections and says nothing. */
class MuteServer {
  static async start() {
    const mute = new MuteServer();
    await new Promise((resolve) => mute.listener_.listen(0, '127.0.0.1', resolve));
    return mute;
  }

  constructor() {
    this.callers = [];
    this.listener_ = net.createServer((socket) => {
      socket.on('error', () => {}).resume();
      this.callers.push(socket);
    });
  }

  get url() {
    return `https://localhost:${this.listener_.address().port}`;
  }

  /**
   * The uid of whoever opened the connection, as the kernel tells it (proc(5), /proc/net/tcp). Both ports are asked for: another
   * connection's remains (TIME_WAIT, which the kernel shows as root's) may have the same local port.
   */
  user_of(socket) {
    const ends_with = (address, port) => address?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`);
    const line = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((text) => text.trim().split(/\s+/))
      .find((fields) => ends_with(fields[1], socket.remotePort) && ends_with(fields[2], socket.localPort));
    return Number(line[7]);
  }

  stop() {
    for (const socket of this.callers) socket.destroy();
    return new Promise((resolve) => this.listener_.close(resolve));
  }
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

  test('provisions itself under the ECC storage root key that its operating system made', async () => {
    const tpm = await Swtpm.start();
    try {
      const srk_name = await make_ecc_srk(tpm);
      await with_device({ registration_id: 'meter-ecc', tpm }, async (device) => {
        await device.enroll(server, 'meter-ecc');
        must(await device.agent(['provision']), 'provision');
        const shown = JSON.parse(must(await server.operator(['device', 'show', 'meter-ecc', '--json']), 'device show'));
        assert.equal(shown.srk_name, srk_name);
        await device.restart_tcb();
        must(await device.agent(['token']), 'token');
        const sealed = must(await device.administrator(['seal', '--pcr', '7'], { input: 'secret' }), 'seal');
        assert.equal(must(await device.administrator(['unseal'], { input: sealed }), 'unseal'), 'secret');
      });
    } finally {
      await tpm.stop();
    }
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
      const { file, opened } = await lockout_auth_of(server, device, 'meter-3');
      refused(await device.agent(['tpm', 'clear', '--lockout-auth-file', file, '--yes']), 1, /administrator/i);
      await writeFile(file, JSON.stringify(opened)); // as `warifud escrow open` prints it
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

  async function with_mute_server(work) {
    const mute = await MuteServer.start();
    try {
      await with_device({ registration_id: 'meter-7', url: mute.url }, (device) => work(device, mute));
    } finally {
      await mute.stop();
    }
  }

  for (const command of [['status'], ['provision'], ['run'], ['tpm', 'own']]) {
    test(`\`${command.join(' ')}\` started by root meets the network as the agent's user, confined`, { skip: without_users }, async () => {
      await with_mute_server(async (device, mute) => {
        const child = spawn(binary('warifu-agent'), ['--config', device.config, ...command], { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
        let said = '';
        child.stderr.on('data', (text) => (said += text));
        const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
        try {
          await eventually(() => mute.callers.length > 0, 'it connected', 20_000, () => said);
          assert.equal(mute.user_of(mute.callers[0]), kAgentUser);
          const found = status_lines(child.pid, ['Uid', 'Gid', 'Groups', 'NoNewPrivs', 'Seccomp', 'CapEff', 'CapPrm']);
          assert.equal(found.Uid, Array(4).fill(kAgentUser).join('\t'));
          assert.equal(found.Gid, Array(4).fill(kAgentUser).join('\t'));
          assert.equal(found.Groups, '');
          assert.equal(found.NoNewPrivs, '1');
          assert.equal(found.Seccomp, '2', 'a seccomp filter is active');
          assert.match(found.CapEff + found.CapPrm, /^0+$/);
          child.kill('SIGTERM');
          // Long before a request ends by itself, which is after a minute.
          const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000);
          assert.equal(await ended, command[0] === 'run' ? 0 : 3, said);
          clearTimeout(deadline);
        } finally {
          child.kill('SIGKILL');
        }
      });
    });
  }

  test('tells root what needs no server without one', { skip: without_users }, async () => {
    await with_mute_server(async (device, mute) => {
      must(await device.administrator(['tpm', 'status']), 'tpm status');
      must(await device.administrator(['tpm', 'ek']), 'tpm ek');
      must(await device.administrator(['random', '--size', '8']), 'random');
      refused(await device.administrator(['token']), 1, /provision/i);
      const sealed = must(await device.administrator(['seal'], { input: 'secret' }), 'seal');
      assert.equal(must(await device.administrator(['unseal'], { input: sealed }), 'unseal'), 'secret');
      await writeFile(device.file('auth'), '');
      must(await device.administrator(['tpm', 'reset-lockout', '--lockout-auth-file', device.file('auth')]), 'reset-lockout');
      must(await device.administrator(['tpm', 'clear', '--lockout-auth-file', device.file('auth'), '--yes']), 'clear');
      assert.equal(mute.callers.length, 0);
    });
  });

  test('owns its TPM for root too', async () => {
    await with_device({ registration_id: 'meter-8' }, async (device) => {
      must(await device.administrator(['tpm', 'own']), 'tpm own');
      assert.equal(JSON.parse(must(await device.administrator(['--json', 'tpm', 'status']), 'tpm status')).lockout_auth_set, true);
    });
  });

  test('is provisioned by one at a time, who cleans up what a power cut left', async () => {
    await with_device({ registration_id: 'meter-9' }, async (device) => {
      await device.enroll(server, 'meter-9');
      const left = device.file('agent/registration.json.abcdef.new');
      await writeFile(left, '{');
      device.start_agent();
      await eventually(() => /provisioned/i.test(device.agent_log), 'the agent provisioned the device', 20_000, () => device.agent_log);
      assert.equal(existsSync(left), false);
      for (const command of ['provision', 'run']) refused(await device.agent([command]), 1, /reload.*\[agent\.running\]/);
      must(await device.agent(['status']), 'status');
      assert.equal(await device.stop_agent(), 0);
      must(await device.agent(['provision']), 'provision');
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
