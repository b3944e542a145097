// A machine of QEMU: firmware with Secure Boot, a TPM, a disk to start from, a root file system that outlives a boot, and a shell on a
// serial port. It reaches this machine's loopback as 10.0.2.2.
import { spawn } from 'node:child_process';
import { copyFileSync, constants, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { eventually } from '../../system/lib/daemon.mjs';
import { SoftwareTpm } from './software_tpm.mjs';

const kImage = process.env.WARIFU_VM_IMAGE;
const kAccel = process.env.WARIFU_VM_ACCEL ?? 'tcg';
const kFirmware = '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd';
const kVariables = '/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd';
const kBootDeadlineMs = 150_000;
const kCommandDeadlineMs = 60_000;
const kTicksPerSecond = 100; // of /proc/PID/stat, on every Linux that we know

/** What a machine is started with, as arguments of QEMU. */
export const kGoodImage = disk(`${kImage}/good.disk`);
export const kOtherCommandLine = disk(`${kImage}/other.disk`);
/** QEMU hands the kernel to firmware itself, with the command line of the good image. */
export const kKernelOfQemu = ['-kernel', `${kImage}/vmlinuz`, '-initrd', `${kImage}/initramfs`, '-append', readFileSync(`${kImage}/command-line`, 'utf8')];

function disk(file) {
  return ['-drive', `if=none,id=boot,format=raw,readonly=on,file=${file}`, '-device', 'virtio-blk-pci,drive=boot,bootindex=0'];
}

export class Machine {
  static async make() {
    const machine = new Machine(await mkdtemp('/tmp/wvm-')); // sun_path holds 108 bytes
    machine.tpm = await SoftwareTpm.make(machine.folder);
    copyFileSync(kVariables, machine.file('variables'));
    copyFileSync(`${kImage}/root.ext4`, machine.file('root'), constants.COPYFILE_FICLONE);
    return machine;
  }

  constructor(folder) {
    this.folder = folder;
  }

  file(name) {
    return path.join(this.folder, name);
  }

  /** Power on, until the guest takes commands. */
  async boot(start_with) {
    this.begun_ = Date.now();
    await this.tpm.start();
    this.qemu_ = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...this.arguments_(), ...start_with], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.errors_ = '';
    this.answer_ = '';
    this.outcome_ = undefined;
    this.qemu_.stderr.on('data', (text) => (this.errors_ += text));
    this.ended_ = new Promise((resolve) => this.qemu_.once('exit', (code, signal) => resolve(signal ?? code)).once('error', resolve));
    this.ended_.then((outcome) => (this.outcome_ = outcome));
    this.shell_ = await eventually(() => this.connect_(), 'QEMU opens the serial port', 10_000, () => this.state_());
    this.shell_.on('data', (text) => (this.answer_ += text));
    await this.until_(/READY\n/, 'the guest boots', kBootDeadlineMs);
    return this.seconds_();
  }

  /** One line of shell, as root of the guest: {code, stdout}. If it failed, stdout ends in what it said on standard error. */
  async run(command, { deadline = kCommandDeadlineMs } = {}) {
    if (command.includes('\n')) throw new Error(`one line: ${command}`);
    this.answer_ = '';
    this.shell_.write(`${command}\n`);
    const [whole, code] = await this.until_(/\nEND (\d+)\n$/, command, deadline);
    return { code: Number(code), stdout: this.answer_.slice(0, -whole.length) };
  }

  async must_run(command, options) {
    const { code, stdout } = await this.run(command, options);
    if (code !== 0) throw new Error(`in the guest: ${command}: exit ${code}: ${stdout}`);
    return stdout;
  }

  write(name, content) {
    return this.must_run(`echo ${Buffer.from(content).toString('base64')} | base64 -d > ${name}`);
  }

  /** An orderly end, in which the kernel tells the TPM: without it the TPM's clock is not safe at the next boot. Resolves to {wall, cpu} in seconds. */
  async power_off() {
    await this.must_run('sync; mount -o remount,ro /');
    const cpu = this.cpu_seconds_();
    this.shell_.write('poweroff -f\n');
    await eventually(() => this.outcome_ !== undefined, 'the guest is off', kCommandDeadlineMs, () => this.state_());
    await this.tpm.ended;
    return { wall: this.seconds_(), cpu };
  }

  async stop() {
    this.qemu_?.kill('SIGKILL');
    await this.ended_;
    await this.tpm?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  arguments_() {
    return ['-accel', kAccel, '-cpu', kAccel === 'kvm' ? 'host' : 'max', '-machine', 'q35,smm=on', '-smp', '1', '-m', '512', '-nodefaults', '-display', 'none', '-no-reboot',
      '-global', 'driver=cfi.pflash01,property=secure,value=on', '-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${kFirmware}`,
      '-drive', `if=pflash,format=raw,unit=1,file=${this.file('variables')}`,
      '-chardev', `socket,id=tpm,path=${this.tpm.control}`, '-tpmdev', 'emulator,id=tpm0,chardev=tpm', '-device', 'tpm-crb,tpmdev=tpm0',
      '-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile=',
      '-drive', `if=none,id=root,format=raw,file=${this.file('root')}`, '-device', 'virtio-blk-pci,drive=root',
      '-chardev', `file,id=console,path=${this.file('console')}`, '-serial', 'chardev:console',
      '-chardev', `socket,id=shell,path=${this.file('shell')},server=on,wait=off`, '-serial', 'chardev:shell'];
  }

  connect_() {
    if (this.outcome_ !== undefined) throw new Error(`QEMU ended with ${this.outcome_}\n${this.state_()}`);
    return new Promise((resolve) => {
      const socket = net.connect(this.file('shell')).setEncoding('utf8');
      socket.once('connect', () => resolve(socket)).on('error', () => resolve(undefined));
    });
  }

  async until_(pattern, what, deadline) {
    return eventually(() => {
      const match = pattern.exec(this.answer_);
      if (match) return match;
      if (this.outcome_ !== undefined) throw new Error(`QEMU ended with ${this.outcome_}: ${what}\n${this.state_()}`);
      return undefined;
    }, `in the guest: ${what}`, deadline, () => this.state_());
  }

  /** For whoever must find out why: what QEMU said, and the end of the guest's console. */
  state_() {
    let console = '';
    try {
      console = readFileSync(this.file('console'), 'latin1').replace(/\x1b\[[0-9;?]*[A-Za-z]|[^\n\x20-\x7e]/g, '').split('\n').slice(-60).join('\n');
    } catch { /* it never began */ }
    return `QEMU: ${this.errors_}\nthe shell: ${this.answer_.slice(-2000)}\nthe end of the console:\n${console}`;
  }

  seconds_() {
    return (Date.now() - this.begun_) / 1000;
  }

  cpu_seconds_() {
    const fields = readFileSync(`/proc/${this.qemu_.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
  }
}
