// A swtpm as a maker of virtual machines gives it out: made once with an endorsement key and its certificate, started anew for each boot by QEMU's
// control channel.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { must_run, eventually } from '../../system/lib/daemon.mjs';

export class SoftwareTpm {
  /** Made in `folder`, by an authority of its own: the one of this machine is neither needed nor changed. */
  static async make(folder) {
    const tpm = new SoftwareTpm(folder);
    for (const name of ['state', 'ca', 'certificates']) mkdirSync(path.join(folder, name));
    const file = (name) => path.join(folder, 'ca', name);
    writeFileSync(file('localca.conf'), `statedir = ${file('')}\nsigningkey = ${file('key.pem')}\nissuercert = ${file('ca.pem')}\ncertserial = ${file('serial')}\n`);
    writeFileSync(file('options'), '--platform-manufacturer Test\n--platform-version 1\n--platform-model Test\n');
    writeFileSync(file('setup.conf'), `create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = ${file('localca.conf')}\ncreate_certs_tool_options = ${file('options')}\nactive_pcr_banks = sha256\n`);
    await must_run('swtpm_setup', ['--tpm2', '--tpmstate', path.join(folder, 'state'), '--create-ek-cert', '--create-platform-cert', '--lock-nvram',
      '--write-ek-cert-files', path.join(folder, 'certificates'), '--config', file('setup.conf'), '--logfile', path.join(folder, 'setup.log')]);
    return tpm;
  }

  constructor(folder) {
    this.folder_ = folder;
    this.control = path.join(folder, 'control');
    this.certificate = path.join(folder, 'certificates/ek-rsa2048.crt');
    this.authorities = ['ca/ca.pem', 'ca/swtpm-localca-rootca-cert.pem'].map((name) => path.join(folder, name));
  }

  /** Runs until the machine that uses it ends. */
  async start() {
    const args = ['socket', '--tpm2', '--tpmstate', `dir=${path.join(this.folder_, 'state')}`, '--ctrl', `type=unixio,path=${this.control}`];
    const child = this.child_ = spawn('setpriv', ['--pdeathsig', 'KILL', 'swtpm', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    this.ended = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
    await eventually(() => must_run('swtpm_ioctl', ['--unix', this.control, '-c']).then(() => true, () => false), 'swtpm answers', 10_000, () => errors);
  }

  async stop() {
    this.child_?.kill('SIGKILL');
    await this.ended;
  }
}
