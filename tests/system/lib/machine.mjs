// A machine that boots: what firmware and kernel measured comes from the logs of a real boot (tests/logs), into a software TPM.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { binary } from '../../interop/lib/server.mjs';
import { Swtpm } from '../../interop/lib/swtpm.mjs';
import { CC, TpmChannel, plain_command, response_code } from '../../interop/lib/tpm_channel.mjs';
import { must_run } from './daemon.mjs';
import { Device } from './device.mjs';

export function log_of(boot, name = 'event-log') {
  return new URL(`../../logs/${boot}/${name}`, import.meta.url).pathname;
}

function u32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
}

function sized(bytes) {
  return Buffer.concat([u32(bytes.length), bytes]);
}

/** A measurement of a file as Linux' ima-ng template has it, into PCR 10. */
export function ima_entry(file, content) {
  const digest = createHash('sha256').update(content).digest();
  const data = Buffer.concat([sized(Buffer.concat([Buffer.from('sha256:\0'), digest])), sized(Buffer.from(`${file}\0`))]);
  const template_digest = createHash('sha1').update(data).digest();
  return Buffer.concat([u32(10), template_digest, sized(Buffer.from('ima-ng')), sized(data)]);
}

export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

export class Machine {
  /** Enrolled and provisioned, its TPM in `state`, nothing booted yet. */
  static async prepare(server, registration_id) {
    const machine = new Machine();
    machine.tpm_ = await Swtpm.start();
    machine.device = await Device.prepare(server, { registration_id, tpm: machine.tpm_ });
    machine.entries_ = 0;
    await machine.write_config_();
    return machine;
  }

  /** As prepare(), booted and enrolled: it is there while `work` is at it. */
  static async live(server, registration_id, boot, work) {
    const machine = await Machine.prepare(server, registration_id);
    try {
      await machine.boot(boot);
      await machine.device.enroll(server, registration_id);
      await work(machine);
    } finally {
      await machine.stop();
    }
  }

  /** Power on: another boot of the TPM and of the kernel. `boot` is a folder of tests/logs; an initramfs that `records` is as ours. */
  async boot(boot, { records = true } = {}) {
    await this.device.stop_tcb();
    await this.reset_tpm();
    await rm(this.device.file('null-name'), { force: true });
    if (records) await writeFile(this.device.file('null-name'), await this.null_name());
    await copyFile(log_of(boot), this.device.file('event-log'));
    await copyFile(log_of(boot, 'ima-list'), this.device.file('ima-list'));
    this.boots_ = (this.boots_ ?? 0) + 1;
    await writeFile(this.device.file('boot-id'), `boot-${this.boots_}`);
    await this.replay_(['--event-log', this.device.file('event-log'), '--ima-list', this.device.file('ima-list')]);
    this.entries_ = 1;
    await this.device.start_tcb();
  }

  /** The kernel measures one more file. */
  async measure(file, content) {
    const list = this.device.file('ima-list');
    await writeFile(list, Buffer.concat([await readFile(list), ima_entry(file, content)]));
    await this.device.stop_tcb();
    await this.replay_(['--ima-list', list, '--ima-from', String(this.entries_)]);
    this.entries_ += 1;
    await this.device.start_tcb();
  }

  /** What an interposer does: the TPM is reset under the running system, and told again what it was told before. */
  async interpose() {
    await this.device.stop_tcb();
    await this.reset_tpm();
    await this.replay_(['--event-log', this.device.file('event-log'), '--ima-list', this.device.file('ima-list')]);
    await this.device.start_tcb();
  }

  /** TPM2_Shutdown(CLEAR), _TPM_Init and TPM2_Startup(CLEAR): an orderly one, after which the TPM's clock is safe. */
  async reset_tpm() {
    const control = `${this.tpm_.socket_path}.ctrl`;
    const before = new TpmChannel(this.tpm_.address);
    await before.transmit(plain_command(CC.Shutdown, Buffer.from([0, 0])));
    await before.release();
    await must_run('swtpm_ioctl', ['--unix', control, '--stop']);
    await must_run('swtpm_ioctl', ['--unix', control, '-i']);
    const channel = new TpmChannel(this.tpm_.address);
    const response = await channel.transmit(plain_command(CC.Startup, Buffer.from([0, 0])));
    assert.equal(response_code(response), 0, 'TPM2_Startup');
    await channel.release();
  }

  /** The Name of the NULL hierarchy's primary, as an initramfs asks for it. */
  null_name() {
    return must_run(binary('warifu-tcb'), ['null-name', '--tcti', `swtpm:path=${this.tpm_.socket_path}`]);
  }

  /** A copy of the TPM's state, as a backup of its host has it. */
  async copy_state() {
    const copy = this.device.file('tpm-copy');
    await cp(this.tpm_.state_dir, copy, { recursive: true });
    return copy;
  }

  /** The TPM's host puts an old copy of its state back. */
  async put_state_back(copy) {
    await this.device.stop_tcb();
    await this.tpm_.stop();
    this.tpm_ = await Swtpm.start({ state_dir: copy });
    this.device.tpm = this.tpm_;
    this.device.give_tpm();
    await this.write_config_();
  }

  /** `warifu-agent attest`: what the server told the device. */
  async attest() {
    const { code, stdout, stderr } = await this.device.agent(['--json', 'attest']);
    assert.ok(code === 0 || code === 1, `exit ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }

  async stop() {
    await this.device.stop();
    await this.tpm_.stop();
  }

  replay_(args) {
    return must_run(binary('boot-replay'), ['--tcti', `swtpm:path=${this.tpm_.socket_path}`, ...args]);
  }

  async write_config_() {
    const text = await readFile(this.device.config, 'utf8');
    const logs = ['event_log', 'ima_list', 'boot_id', 'null_name'].map((name) => `${name} = "${this.device.file(name.replace('_', '-'))}"`);
    const without = text.replace(/\[attestation\][^]*$/, '').replace(/tcti = "[^"]*"/, `tcti = "swtpm:path=${this.tpm_.socket_path}"`);
    await writeFile(this.device.config, `${without}[attestation]\n${logs.join('\n')}\nuserspace_log = "${this.device.file('none')}"\n`);
  }
}

/** The events of a boot as `warifu eventlog show` has them. */
export async function events_of(boot) {
  const { events } = JSON.parse(await must_run('warifu', ['--json', 'eventlog', 'show', log_of(boot)]));
  return events;
}

/** What of a register the one boot measured and the other did not: digests of SHA-256. */
export async function measured_only_in(boot, other, register) {
  const digests = async (name) => (await events_of(name)).filter((event) => event.register === register).map((event) => event.digests.sha256);
  const others = await digests(other);
  return (await digests(boot)).filter((digest) => !others.includes(digest));
}

