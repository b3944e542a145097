// The systemd units: systemd understands every line, and they leave the programs as little as they should. The initramfs script: it
// records what it should, as initramfs-tools puts it together.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { binary } from '../interop/lib/server.mjs';
import { Swtpm } from '../interop/lib/swtpm.mjs';

const kPackaging = fileURLToPath(new URL('../../packaging/', import.meta.url));
// systemd's own scale from 0 (sealed) to 10.
const kExposureMax = { 'warifu-tcb.service': 1.2, 'warifu-agent.service': 2.0, 'warifu-signer.service': 1.2 };

function has(program, args) {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const without_systemd = has('systemd-analyze', ['--version']) ? false : 'needs systemd-analyze';
const without_initramfs = process.getuid() === 0 && existsSync('/usr/share/initramfs-tools/hook-functions') ? false : 'needs root and initramfs-tools-core';
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

describe('The initramfs', { skip: without_initramfs }, () => {
  let root;
  let tpm;
  before(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'warifu-initramfs-'));
    tpm = await Swtpm.start();
  });
  after(async () => {
    await tpm?.stop();
    await rm(root, { recursive: true });
  });

  /** As mkinitramfs calls hooks, with the functions of initramfs-tools; then what a shell needs, by the same functions. */
  async function make(program = binary('warifu-tcb')) {
    const hook = (await readFile(path.join(kPackaging, 'initramfs-tools/hooks/warifu'), 'utf8')).replace('copy_exec /usr/bin/warifu-tcb', `copy_exec ${program} /usr/bin/warifu-tcb`);
    const tools = ['sh', 'grep', 'mkdir', 'mv', 'rm', 'sleep', 'modprobe'].map((name) => `copy_exec "$(command -v ${name})" /bin/${name}`).join('\n');
    const folders = 'for name in bin sbin lib lib64; do mkdir -p usr/$name; [ -e $name ] || ln -s usr/$name $name; done';
    const swtpm = 'for file in /usr/lib/*/libtss2-tcti-swtpm.so.0; do copy_exec "$file"; done';
    const made = await run('sh', ['-c', `export DESTDIR=${root} version=none verbose=n; PATH=$PATH:/sbin; cd ${root} && ${folders} && (${hook}\n${tools}\n${swtpm}\n) && mkdir -p ${root}/run ${root}/dev ${root}/scripts`]);
    assert.equal(made.code, 0, made.output);
    const script = await readFile(path.join(kPackaging, 'initramfs-tools/scripts/init-premount/warifu'), 'utf8');
    await writeFile(path.join(root, 'scripts/warifu'), script.replace('tpm=/dev/tpmrm0', 'tpm=/dev/tpm').replace('device:$tpm', 'swtpm:path=$tpm'), { mode: 0o755 });
    return made.output;
  }
  /** The TPM's sockets, where the machine has its device. */
  async function plug() {
    for (const end of ['', '.ctrl']) {
      await rm(path.join(root, `dev/tpm${end}`), { force: true });
      await link(`${tpm.socket_path}${end}`, path.join(root, `dev/tpm${end}`));
    }
  }
  const boot = () => run('chroot', [root, '/bin/sh', '/scripts/warifu']);
  const recorded = () => readFile(path.join(root, 'run/warifu-boot/null-name'), 'utf8').catch(() => undefined);

  test('RecordsTheNameOfTheNullPrimary', async () => {
    assert.doesNotMatch(await make(), /warifu/, 'nothing was missing');
    assert.ok((await readdir(path.join(root, 'usr/lib'), { recursive: true })).some((name) => name.endsWith('libtss2-tcti-device.so.0')));
    const alone = await boot();
    assert.equal(alone.code, 0, 'without a TPM the boot goes on');
    assert.equal(await recorded(), undefined);
    await plug();
    const { code, output } = await boot();
    assert.equal(code, 0, output);
    assert.equal(output, '');
    const name = await recorded();
    assert.match(name, /^000b[0-9a-f]{64}\n$/);
    assert.equal((await boot()).code, 0);
    assert.equal(await recorded(), name, 'the same in the same boot of the TPM');
    await run('swtpm_ioctl', ['--unix', `${tpm.socket_path}.ctrl`, '--stop']);
    await run('swtpm_ioctl', ['--unix', `${tpm.socket_path}.ctrl`, '-i']);
    await boot();
    assert.notEqual(await recorded(), name, 'after a reset it is another one');
  });

  test('LeavesItToAKernelThatDoesSoByItselfAndNeverStopsABoot', async () => {
    await make();
    await plug();
    await rm(path.join(root, 'run/warifu-boot'), { recursive: true, force: true });
    const kernels = path.join(root, 'sys/class/tpm/tpm0');
    await mkdir(kernels, { recursive: true });
    await writeFile(path.join(kernels, 'null_name'), `000b${'a'.repeat(64)}\n`);
    assert.equal((await boot()).code, 0);
    assert.equal(await recorded(), undefined);
    await writeFile(path.join(kernels, 'null_name'), `${'0'.repeat(68)}\n`);
    await boot();
    assert.match(await recorded(), /^000b/, 'a kernel that could not make the key recorded nothing');
    await rm(path.join(root, 'run/warifu-boot'), { recursive: true });
    await writeFile(path.join(root, 'usr/bin/warifu-tcb'), '#!/bin/sh\necho 000b\nexit 3\n');
    const failed = await boot();
    assert.equal(failed.code, 0);
    assert.match(failed.output, /was not recorded/);
    assert.deepEqual(await readdir(path.join(root, 'run/warifu-boot')), []);
  });
});

describe('The users', { skip: without_sysusers }, () => {
  test('AreMadeBySystemdSysusers', async () => {
    const { code, output } = await run('systemd-sysusers', ['--dry-run', path.join(kPackaging, 'sysusers.d/warifu.conf')]);
    assert.equal(code, 0, output);
  });
});
