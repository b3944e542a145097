// The systemd units: systemd understands every line, and they leave the programs as little as they should.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const kPackaging = fileURLToPath(new URL('../../packaging/', import.meta.url));
// systemd's own scale from 0 (sealed) to 10.
const kExposureMax = { 'warifu-tcb.service': 1.2, 'warifu-agent.service': 2.0 };

function has(program, args) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const without_systemd = has('systemd-analyze', ['--version']) ? false : 'needs systemd-analyze';
const without_sysusers = has('systemd-sysusers', ['--version']) ? false : 'needs systemd-sysusers';

function run(program, args) {
  return new Promise((resolve) => {
    execFile(program, args, { env: { ...process.env, SYSTEMD_COLORS: '0' } }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, output: stdout + stderr }));
  });
}

describe('The systemd units', { skip: without_systemd }, () => {
  let folder;
  before(async () => { folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-units-')); });
  after(() => rm(folder, { recursive: true }));

  /** A copy whose program is there. */
  async function unit(name, change = (text) => text) {
    const text = await readFile(path.join(kPackaging, 'systemd', name), 'utf8');
    const file = path.join(folder, name);
    await writeFile(file, change(text.replaceAll(/^ExecStart=\S+/gm, 'ExecStart=/bin/true')));
    return file;
  }
  // Lines about our file; systemd also complains about units of the machine it runs on.
  async function complaints(name, change) {
    for (const other of Object.keys(kExposureMax)) await unit(other);
    const { output } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', await unit(name, change)]);
    return output.split('\n').filter((line) => line.includes(name));
  }
  async function exposure(name, change) {
    const { output } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', await unit(name, change)]);
    return Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(output)?.[1]);
  }

  for (const [name, most] of Object.entries(kExposureMax)) {
    test(`AreUnderstoodBySystemd (${name})`, async () => {
      assert.deepEqual(await complaints(name), []);
      const with_an_error = await complaints(name, (text) => text.replace('[Service]', '[Service]\nNoSuchSetting=yes'));
      assert.match(with_an_error.join('\n'), /NoSuchSetting/);
    });

    test(`LeaveLittleToAnAttacker (${name})`, async () => {
      const found = await exposure(name);
      assert.ok(found <= most, `exposure ${found}, at most ${most}`);
      const open = await exposure(name, (text) => text.replaceAll(/^(SystemCallFilter|CapabilityBoundingSet|ProtectSystem|NoNewPrivileges)=.*$/gm, ''));
      assert.ok(open > most, `without its protections the exposure is ${open}`);
    });
  }

  test('LetTheTcbReachNoNetworkAndOneDevice', async () => {
    const text = await readFile(path.join(kPackaging, 'systemd/warifu-tcb.service'), 'utf8');
    assert.match(text, /^PrivateNetwork=yes$/m);
    assert.match(text, /^RestrictAddressFamilies=AF_UNIX$/m);
    assert.deepEqual(text.match(/^DeviceAllow=.*$/gm), ['DeviceAllow=/dev/tpmrm0 rw']);
    // In a user namespace of its own it would see the agent's user as nobody (SO_PEERCRED).
    assert.doesNotMatch(text, /^PrivateUsers=yes/m);
  });

  test('RunTheTwoProgramsAsTwoUsers', async () => {
    const user = async (name) => /^User=(.*)$/m.exec(await readFile(path.join(kPackaging, 'systemd', name), 'utf8'))[1];
    const [tcb, agent] = [await user('warifu-tcb.service'), await user('warifu-agent.service')];
    assert.notEqual(tcb, agent);
    const made = await readFile(path.join(kPackaging, 'sysusers.d/warifu.conf'), 'utf8');
    for (const name of [tcb, agent]) assert.match(made, new RegExp(`^u ${name} `, 'm'));
  });
});

describe('The users', { skip: without_sysusers }, () => {
  test('AreMadeBySystemdSysusers', async () => {
    const { code, output } = await run('systemd-sysusers', ['--dry-run', path.join(kPackaging, 'sysusers.d/warifu.conf')]);
    assert.equal(code, 0, output);
  });
});
