// A software TPM 2.0 of its own for a test: swtpm 0.7.1 on a state folder, raw commands on a short UNIX socket.
import { spawn } from 'node:child_process';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CC, TpmChannel, plain_command } from './tpm_channel.mjs';

const kStartDeadlineMs = 10_000;

export class Swtpm {
  /** Starts swtpm on `state_dir` (made when missing; a new one is a new TPM), by default in a folder that stop() removes. */
  static async start({ state_dir } = {}) {
    const folder = await mkdtemp('/tmp/wswtpm-'); // sun_path holds 108 bytes, so not below a long TMPDIR.
    const swtpm = new Swtpm(folder, state_dir ?? path.join(folder, 'state'));
    await mkdir(swtpm.state_dir, { recursive: true });
    try {
      await swtpm.spawn_();
    } catch (error) {
      swtpm.child_?.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return swtpm;
  }

  constructor(folder, state_dir) {
    this.folder_ = folder;
    this.state_dir = state_dir;
    this.socket_path = path.join(folder, 'tpm');
    this.errors_ = '';
  }

  get address() {
    return { path: this.socket_path };
  }

  /** TPM2_Shutdown first: without it, three hard stops lock out every key under dictionary-attack protection. */
  async stop() {
    if (this.child_.exitCode === null && this.child_.signalCode === null) {
      const channel = new TpmChannel(this.address);
      await channel.transmit(plain_command(CC.Shutdown, Buffer.from([0, 0])));
      await channel.release();
      this.child_.kill('SIGTERM');
      await this.ended_;
    }
    await rm(this.folder_, { recursive: true, force: true });
  }

  /** Orderly off and on (TPM Reset): PCRs are what they are after a start. Nobody may be connected. */
  async reset() {
    const channel = new TpmChannel(this.address);
    await channel.transmit(plain_command(CC.Shutdown, Buffer.from([0, 0])));
    await channel.release();
    this.child_.kill('SIGTERM');
    await this.ended_;
    await this.spawn_();
  }

  /** As if it had been pulled out. stop() removes what is left. */
  async kill() {
    this.child_.kill('SIGKILL');
    await this.ended_;
  }

  async spawn_() {
    // The control socket must be exactly PATH.ctrl for tpm2-tss clients (--tcti swtpm:path=PATH).
    // It ends with us, however we end.
    this.child_ = spawn('setpriv', [
      '--pdeathsig', 'KILL', 'swtpm', 'socket', '--tpm2', '--tpmstate', `dir=${this.state_dir}`,
      '--server', `type=unixio,path=${this.socket_path}`, '--ctrl', `type=unixio,path=${this.socket_path}.ctrl`,
      '--flags', 'not-need-init,startup-clear',
    ], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child_.stderr.on('data', (text) => (this.errors_ += text));
    this.ended_ = new Promise((resolve) => this.child_.once('exit', resolve).once('error', resolve));
    let failed = null;
    this.ended_.then((outcome) => (failed = outcome instanceof Error ? outcome.message : `exit ${outcome}: ${this.errors_}`));
    const deadline = Date.now() + kStartDeadlineMs;
    while (!(await this.answers_())) {
      if (failed !== null) throw new Error(`swtpm did not start: ${failed}`);
      if (Date.now() > deadline) throw new Error(`swtpm did not answer within ${kStartDeadlineMs} ms`);
      await sleep(5);
    }
  }

  /** Its socket file is there before its state is read and locked, so only an answer tells that it runs. */
  async answers_() {
    const channel = new TpmChannel(this.address);
    try {
      await channel.transmit(plain_command(CC.GetRandom, Buffer.from([0, 8])));
      return true;
    } catch {
      return false;
    } finally {
      await channel.release();
    }
  }
}
