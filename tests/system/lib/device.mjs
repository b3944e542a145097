// A device as it is installed: warifu-tcb and warifu-agent as two users, a TPM that only the first may open, one configuration file
// that neither may change.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { binary } from '../../interop/lib/server.mjs';
import { Swtpm } from '../../interop/lib/swtpm.mjs';
import { eventually, run } from './daemon.mjs';

const kReadyLine = /^warifu-tcb ready socket=(\S+) ek-name=([0-9a-f]+)$/m;
const kDeadlineMs = 30_000;

/** Users that nobody is: numbers are enough for the kernel. */
export const kTcbUser = 61001;
export const kAgentUser = 61002;
export const kStranger = 61003;

/** Whether this process may become another user. In a user namespace without mapped users it may not. */
export const can_change_user = process.getuid() === 0 && readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).at(-1) !== '1';
export const without_users = can_change_user ? false : 'needs root: two users are started';

function user_flags(user) {
  return can_change_user ? ['--reuid', String(user), '--regid', String(user), '--clear-groups'] : [];
}

/** A program that runs as `user` and ends with us. */
function start(user, command, stdio) {
  return spawn('setpriv', [...user_flags(user), '--pdeathsig', 'TERM', ...command], { env: {}, stdio });
}

export class Device {
  /** A TPM and a configuration for `server` (a Daemon); nothing runs yet but the TPM. `tpm_socket` puts something between. */
  static async prepare(server, { registration_id = '', url = server.devices_url, tpm = undefined, config = '' } = {}) {
    const folder = await mkdtemp('/tmp/wdevice-'); // sun_path holds 108 bytes
    const device = new Device(folder, tpm ?? await Swtpm.start(), tpm === undefined);
    chmodSync(folder, 0o755);
    for (const [name, user] of [['tcb', kTcbUser], ['agent', kAgentUser], ['run', kTcbUser]]) {
      mkdirSync(device.file(name), { mode: name === 'run' ? 0o755 : 0o700 });
      if (can_change_user) chownSync(device.file(name), user, user);
    }
    device.give_tpm();
    await copyFile(server.ca, device.file('root.pem'));
    await writeFile(device.config, `[server]
url = "${url.replace('127.0.0.1', 'localhost')}"
root = "${device.file('root.pem')}"
[device]
id_scope = "${server.id_scope}"
registration_id = "${registration_id}"
[agent]
state = "${device.file('agent')}"
[tcb]
socket = "${device.socket}"
state = "${device.file('tcb')}"
tcti = "swtpm:path=${device.tpm.socket_path}"
agent_user = "${can_change_user ? kAgentUser : process.getuid()}"
${config}`);
    return device;
  }

  constructor(folder, tpm, owns_tpm) {
    this.folder_ = folder;
    this.owns_tpm_ = owns_tpm;
    this.tpm = tpm;
    this.config = this.file('device.toml');
    this.socket = this.file('run/tcb.sock');
  }

  file(name) {
    return path.join(this.folder_, name);
  }

  /** The TPM is the TCB's alone: of its two sockets, and of the folder that they are in. */
  give_tpm() {
    if (!can_change_user) return;
    for (const name of [path.dirname(this.tpm.socket_path), this.tpm.socket_path, `${this.tpm.socket_path}.ctrl`]) chownSync(name, kTcbUser, kTcbUser);
  }

  async start_tcb(args = []) {
    this.tcb_ = start(kTcbUser, [binary('warifu-tcb'), '--config', this.config, ...args], ['ignore', 'pipe', 'pipe']);
    this.tcb_log = '';
    let printed = '';
    this.tcb_.stderr.on('data', (text) => (this.tcb_log += text));
    this.tcb_.stdout.on('data', (text) => (printed += text));
    this.tcb_ended_ = new Promise((resolve) => this.tcb_.once('close', (code, signal) => resolve(signal ?? code)).once('error', resolve));
    let outcome;
    this.tcb_ended_.then((value) => (outcome = value));
    const match = await eventually(() => {
      if (outcome !== undefined) throw new Error(`warifu-tcb ended with ${outcome}: ${this.tcb_log}`);
      return kReadyLine.exec(printed);
    }, 'warifu-tcb is ready', kDeadlineMs, () => this.tcb_log);
    this.ek_name = match[2];
    return this;
  }

  get tcb_pid() {
    return this.tcb_.pid;
  }

  /** Resolves to the exit code or the signal's name. */
  async stop_tcb(signal = 'SIGTERM') {
    if (this.tcb_ === undefined) return undefined;
    this.tcb_.kill(signal);
    const outcome = await this.tcb_ended_;
    this.tcb_ = undefined;
    return outcome;
  }

  async restart_tcb(args) {
    const outcome = await this.stop_tcb();
    if (outcome !== 0) throw new Error(`warifu-tcb ended with ${outcome}: ${this.tcb_log}`);
    return this.start_tcb(args);
  }

  /** `warifu-agent VERB…` to its end, as the agent's user: {code, stdout, stderr}. */
  agent(args, { user = kAgentUser, input } = {}) {
    return run('setpriv', [...user_flags(user), binary('warifu-agent'), '--config', this.config, ...args], { input });
  }

  /** The same as the machine's administrator. */
  administrator(args, options) {
    return run(binary('warifu-agent'), ['--config', this.config, ...args], options);
  }

  check_tcb_confinement() {
    return run('setpriv', [...user_flags(kTcbUser), binary('warifu-tcb'), '--config', this.config, '--check-confinement']);
  }

  check_agent_confinement() {
    return this.agent(['check-confinement']);
  }

  /** `warifu-agent run`, until stop_agent(). */
  start_agent(args = []) {
    this.agent_ = start(kAgentUser, [binary('warifu-agent'), '--config', this.config, ...args, 'run'], ['ignore', 'ignore', 'pipe']);
    this.agent_log = '';
    this.agent_.stderr.on('data', (text) => (this.agent_log += text));
    this.agent_ended_ = new Promise((resolve) => this.agent_.once('close', (code, signal) => resolve(signal ?? code)).once('error', resolve));
  }

  get agent_pid() {
    return this.agent_.pid;
  }

  async stop_agent(signal = 'SIGTERM') {
    if (this.agent_ === undefined) return undefined;
    this.agent_.kill(signal);
    const outcome = await this.agent_ended_;
    this.agent_ = undefined;
    return outcome;
  }

  /** The operator's statement that this device may come; `terms` are further options. */
  async enroll(server, registration_id, ...terms) {
    const file = this.file('ek.b64');
    const { code, stdout, stderr } = await this.administrator(['tpm', 'ek']);
    if (code !== 0) throw new Error(`warifu-agent tpm ek: exit ${code}: ${stderr}`);
    await writeFile(file, stdout);
    await server.warifu('enrollment', 'create', '--registration-id', registration_id, '--tpm-ek', file, ...terms, '--json');
  }

  async stop() {
    await this.stop_agent('SIGKILL');
    await this.stop_tcb('SIGKILL');
    if (this.owns_tpm_) await this.tpm.stop();
    await rm(this.folder_, { recursive: true, force: true });
  }
}
