// warifud as the interop tests run it, with what these tests add: every flag and variable, all that it prints, and its end by force.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, lstat, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { require_isolation } from '../../interop/lib/isolation.mjs';
import { Server, binary } from '../../interop/lib/server.mjs';

const kDeadlineMs = 30_000;
export const kAnyPort = '127.0.0.1:0';

function clean_environment(more) {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WARIFU_'))), ...more };
}

/** Runs one of our programs, or any other, to its end; resolves to {code, stdout, stderr}. `code` is a signal's name if one ended it. */
export function run(name, args, { environment = {}, input = '' } = {}) {
  const program = ['warifud', 'warifu', 'warifu-signer'].includes(name) ? binary(name) : name;
  return new Promise((resolve, reject) => {
    const options = { env: clean_environment(environment), timeout: kDeadlineMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error && error.code !== undefined && typeof error.code !== 'number') return reject(new Error(`${name}: ${error.message}`));
      resolve({ code: error ? error.code ?? error.signal : 0, stdout, stderr });
    });
    child.stdin.on('error', () => {}); // it ended without reading
    child.stdin.end(input);
  });
}

export async function must_run(name, args, options) {
  const outcome = await run(name, args, options);
  if (outcome.code !== 0) throw new Error(`${name} ${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

/** false, or why a test that needs the program is skipped: for the option `skip`. */
export function without(program) {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is missing: apt-get install ${program}`;
  }
}

/** Every file and folder below `folder`: [{name, file, mode, is_folder}], name relative to it. */
export async function tree(folder, prefix = '') {
  const found = [];
  for (const name of (await readdir(path.join(folder, prefix))).sort()) {
    const relative = path.join(prefix, name);
    const status = await lstat(path.join(folder, relative));
    found.push({ name: relative, file: path.join(folder, relative), mode: status.mode & 0o7777, is_folder: status.isDirectory() });
    if (status.isDirectory()) found.push(...await tree(folder, relative));
  }
  return found;
}

/** The files below `folder` that hold one of the secrets, given as {name: Buffer or text}; raw, in hex and in base64. */
export async function places_of(secrets, folder) {
  const places = [];
  for (const { name, file, is_folder } of await tree(folder)) {
    if (is_folder) continue;
    for (const found of names_in(secrets, readFileSync(file))) places.push(`${name} holds ${found}`);
  }
  return places;
}

/** Which secrets stand in `bytes`, and how they are written there. */
export function names_in(secrets, bytes) {
  const text = Buffer.from(bytes).toString('latin1');
  const found = [];
  for (const [name, secret] of Object.entries(secrets)) {
    const raw = Buffer.from(secret);
    for (const form of ['latin1', 'hex', 'base64', 'base64url']) {
      if (text.includes(raw.toString(form).replace(/=+$/, ''))) found.push(`${name} (${form === 'latin1' ? 'as it is' : form})`);
    }
    if (text.includes(raw.toString('hex').toUpperCase())) found.push(`${name} (HEX)`);
  }
  return found;
}

export class Daemon extends Server {
  /** A folder for a server that is not there yet. `parent` holds it. */
  static async prepare({ parent = os.tmpdir() } = {}) {
    require_isolation();
    return new Daemon(await mkdtemp(path.join(parent, 'warifu-system-')), kAnyPort);
  }

  /** An organisation that nobody serves. */
  static async init(options) {
    const daemon = await Daemon.prepare(options);
    await daemon.init_();
    return daemon;
  }

  /** A server, with an operator logged in. */
  static async start(options = {}) {
    const daemon = await Daemon.init(options);
    try {
      await daemon.serve(options);
      await daemon.login();
    } catch (error) {
      await daemon.stop().catch(() => {});
      throw error;
    }
    return daemon;
  }

  get folder() {
    return this.folder_;
  }

  get home() {
    return path.join(this.folder_, 'home');
  }

  get pid() {
    return this.child_.pid;
  }

  get database() {
    return path.join(this.data_dir, 'database/warifu.sqlite3');
  }

  file(name) {
    return path.join(this.folder_, name);
  }

  serve_args(more = [], data_dir = this.data_dir) {
    return ['serve', '--data-dir', data_dir, '--listen-devices', kAnyPort, '--listen-operators', kAnyPort, ...more];
  }

  /** `args` replace the usual ones; `wrapper` is a command that runs the server in its own process, as prlimit does. */
  async serve({ args = this.serve_args(), environment = {}, wrapper = [] } = {}) {
    const command = ['--pdeathsig', 'TERM', ...wrapper, binary('warifud'), ...args];
    this.child_ = spawn('setpriv', command, { env: clean_environment(environment), stdio: ['ignore', 'pipe', 'pipe'] });
    this.log_ = '';
    this.stdout = '';
    this.child_.stderr.on('data', (text) => (this.log_ += text));
    this.child_.stdout.on('data', (text) => (this.stdout += text));
    this.ended_ = new Promise((resolve) => this.child_.once('close', (code, signal) => resolve(signal ?? code)).once('error', resolve));
    [this.devices_url, this.operators_url, this.compat_url, this.http_url] = await this.ready_();
  }

  get log() {
    return this.log_;
  }

  /** Resolves to the exit code or the signal's name. */
  get ended() {
    return this.ended_;
  }

  signal(name) {
    this.child_.kill(name);
  }

  async kill() {
    this.child_.kill('SIGKILL');
    await this.ended_;
  }

  /** For what must be refused: runs `warifud serve` and returns {code, stdout, stderr}; fails if it serves instead. */
  async try_serve({ args = this.serve_args(), environment } = {}) {
    const outcome = await run('timeout', ['-k', '1', '5', binary('warifud'), ...args], { environment });
    if (outcome.code === 124 || outcome.stdout !== '') throw new Error(`warifud served although it had to refuse: ${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  /** `warifud VERB --data-dir …` */
  warifud(verb, args = [], options) {
    return run('warifud', [...verb.split(' '), '--data-dir', this.data_dir, ...args], options);
  }

  async new_bootstrap_token() {
    return (await must_run('warifud', ['bootstrap-token', '--data-dir', this.data_dir])).trim();
  }

  /** `warifu` as the logged-in operator; what the options add or undefine wins. */
  operator(args, { environment = {}, input, server = this.operators_url, ca = this.ca } = {}) {
    return run('warifu', ['--server', server, '--ca', ca, ...args], { environment: { ...this.operator_environment_(), ...environment }, input });
  }

  /** The text of the operator's access token. */
  access_token(profile = 'default') {
    return JSON.parse(readFileSync(path.join(this.home, '.config/warifu', `${profile}.json`), 'utf8')).access_token;
  }

  sqlite(sql) {
    return must_run('sqlite3', ['-batch', '-bail', this.database], { input: `.timeout 5000\n${sql}\n` });
  }

  async write(name, content) {
    await writeFile(this.file(name), content);
    return this.file(name);
  }

  /** A line of /proc/PID/status, in its unit. */
  status_line(name) {
    const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(match[1]);
  }

  async log_has(pattern, ms = 10_000) {
    await eventually(() => pattern.test(this.log_), `the log shows ${pattern}`, ms, () => this.log_);
  }
}

/** Waits until `check` says something true, and returns it. */
export async function eventually(check, what, ms = 10_000, detail = () => '') {
  for (const deadline = Date.now() + ms; ; ) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}\n${detail()}`);
    await sleep(50);
  }
}

export async function remove(folder) {
  await rm(folder, { recursive: true, force: true });
}
