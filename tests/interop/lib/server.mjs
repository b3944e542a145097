// warifud and warifu as an operator would use them, on a data folder of their own. See design.md section 9 for the command lines.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { new_database } from './database.mjs';

const kRepository = fileURLToPath(new URL('../../../', import.meta.url));
const kBinaries = path.resolve(process.env.WARIFU_BIN_DIR ?? path.join(kRepository, 'build/release/bin'));
const kDeadlineMs = 30_000;
const kReadyLine = /^warifud ready devices=(https:\/\/\S+) operators=(https:\/\/\S+?)(?: compat=(https:\/\/\S+))?(?: http=(http:\/\/\S+))?$/m;

export function binary(name) {
  const file = path.join(kBinaries, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: run make build, or point WARIFU_BIN_DIR at the programs`);
  return file;
}

/** Our environment without what would tell the programs about another server. */
function clean_environment(more = {}) {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WARIFU_'))), ...more };
}

/** Runs a program to its end; resolves to {code, stdout, stderr}. `environment` is added to ours. */
export function run_program(name, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: clean_environment(environment), timeout: kDeadlineMs };
    execFile(binary(name), args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(new Error(`${name} ${args.join(' ')}: ${error.message}`));
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

async function must_run(name, args, environment) {
  const outcome = await run_program(name, args, environment);
  if (outcome.code === 0) return outcome.stdout;
  throw new Error(`${name} ${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
}

function parse_json(text, what) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what} --json did not print JSON but: ${text}`);
  }
}

export class Server {
  /**
   * Initialises a new organisation and serves it; `devices`, `operators` and `compat` are the ADDR:PORT of these listeners, `config` the
   * text of a configuration file.
   */
  static async start({ devices = '127.0.0.1:443', operators = '127.0.0.1:0', compat, config } = {}) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-interop-'));
    const server = new Server(folder, devices);
    server.listen_operators_ = operators;
    server.listen_compat_ = compat;
    try {
      if (config !== undefined) await server.configure_(config);
      await server.init_();
      await server.serve();
    } catch (error) {
      await server.stop().catch(() => {});
      throw error;
    }
    return server;
  }

  constructor(folder, devices) {
    this.folder_ = folder;
    this.listen_devices_ = devices;
    this.config_args_ = [];
    this.data_dir = path.join(folder, 'data');
    this.ca = path.join(this.data_dir, 'trust/root.pem');
  }

  async serve() {
    const args = ['serve', '--data-dir', this.data_dir, '--listen-devices', this.listen_devices_, '--listen-operators', this.listen_operators_, ...this.config_args_];
    if (this.listen_compat_) args.push('--listen-compat', this.listen_compat_);
    this.child_ = spawn('setpriv', ['--pdeathsig', 'TERM', binary('warifud'), ...args], { env: clean_environment(this.database_.environment), stdio: ['ignore', 'pipe', 'pipe'] });
    this.log_ = '';
    this.child_.stderr.on('data', (text) => (this.log_ = (this.log_ + text).slice(-20_000)));
    this.ended_ = new Promise((resolve) => this.child_.once('exit', (code, signal) => resolve(signal ?? code)).once('error', resolve));
    [this.devices_url, this.operators_url, this.compat_url] = await this.ready_();
  }

  /** Ends the server as an init system would; throws unless it drained and said 0. */
  async halt() {
    this.child_.kill('SIGTERM');
    const late = setTimeout(() => this.child_.kill('SIGKILL'), kDeadlineMs);
    const outcome = await this.ended_;
    clearTimeout(late);
    if (outcome !== 0) throw new Error(`warifud ended with ${outcome} after SIGTERM\n${this.log_}`);
  }

  async restart() {
    await this.halt();
    await this.serve();
  }

  /** A new key and certificate, and the signal to take them. */
  async renew_certificate() {
    await must_run('warifud', ['certificate', 'renew', '--data-dir', this.data_dir], this.database_.environment);
    this.child_.kill('SIGHUP');
  }

  async stop() {
    const running = this.child_ && this.child_.exitCode === null && this.child_.signalCode === null;
    try {
      if (running) await this.halt();
      await this.database_?.drop();
    } finally {
      await rm(this.folder_, { recursive: true, force: true });
    }
  }

  /** Runs `warifu` as the logged-in operator; with --json in the arguments, returns the value. */
  async warifu(...args) {
    const stdout = await must_run('warifu', ['--server', this.operators_url, '--ca', this.ca, ...args], this.operator_environment_());
    return args.includes('--json') ? parse_json(stdout, `warifu ${args.join(' ')}`) : stdout;
  }

  /** Like warifu(), but returns {code, stdout, stderr}. */
  try_warifu(...args) {
    return run_program('warifu', ['--server', this.operators_url, '--ca', this.ca, ...args], this.operator_environment_());
  }

  async login() {
    const file = path.join(this.folder_, 'bootstrap-token');
    await writeFile(file, this.bootstrap_token, { mode: 0o600 });
    await this.warifu('login', '--token-file', file);
    await rm(file);
  }

  /** What the server has written to its log, the end of it. */
  get log() {
    return this.log_;
  }

  /** Whether `secret` (a Buffer) stands in the data directory or the database: as it is, in hex or in base64. */
  async has_on_disk(secret) {
    const names = await readdir(this.data_dir, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(path.join(entry.parentPath ?? entry.path, entry.name), 'latin1'));
    const texts = [await this.database_.dump(), ...await Promise.all(files)];
    const forms = ['latin1', 'hex', 'base64', 'base64url'].map((form) => secret.toString(form).replace(/=+$/, ''));
    return texts.some((text) => forms.some((form) => text.includes(form)));
  }

  /** Enrolls `ek` (TPM2B_PUBLIC) under an id. */
  async enroll(registration_id, ek) {
    const file = path.join(this.folder_, 'ek.b64');
    await writeFile(file, ek.toString('base64'));
    return this.warifu('enrollment', 'create', '--registration-id', registration_id, '--tpm-ek', file, '--json');
  }

  delete_enrollment(registration_id) {
    return this.warifu('enrollment', 'delete', '--registration-id', registration_id);
  }

  /** Every route: [{listener, method, path, access}]. */
  async routes() {
    const routes = parse_json(await must_run('warifud', ['routes', '--json'], { WARIFU_DATA_DIR: this.data_dir, ...this.database_.environment }), 'warifud routes');
    if (!Array.isArray(routes) || routes.length === 0) throw new Error('warifud routes --json printed no routes');
    for (const route of routes) for (const field of ['listener', 'method', 'path', 'access']) {
      if (typeof route[field] !== 'string') throw new Error(`warifud routes --json: no ${field} in ${JSON.stringify(route)}`);
    }
    return routes;
  }

  /** The device's key for its hub, which only an operator with hub-key:read may see. */
  async hub_key(registration_id) {
    const { primary_key } = await this.warifu('device', 'hub-key', '--registration-id', registration_id, '--json');
    return Buffer.from(primary_key, 'base64');
  }

  async configure_(text) {
    const file = path.join(this.folder_, 'server.toml');
    await writeFile(file, text);
    this.config_args_ = ['--config', file];
  }

  async init_() {
    this.database_ = await new_database();
    const args = ['init', '--data-dir', this.data_dir, '--org', 'Interop', '--server-name', 'localhost', '--json'];
    const printed = parse_json(await must_run('warifud', args, this.database_.environment), 'warifud init');
    this.id_scope = printed.id_scope;
    this.bootstrap_token = printed.bootstrap_token;
    if (!this.id_scope || !this.bootstrap_token) throw new Error('warifud init --json printed no id_scope or no bootstrap_token');
  }

  operator_environment_() {
    const home = path.join(this.folder_, 'home');
    return { HOME: home, XDG_CONFIG_HOME: path.join(home, '.config'), XDG_STATE_HOME: path.join(home, '.state') };
  }

  async ready_() {
    let printed = '';
    const found = new Promise((resolve) => {
      this.child_.stdout.on('data', (text) => {
        printed += text;
        const match = kReadyLine.exec(printed);
        if (match && printed.includes('\n')) resolve(match.slice(1, 5));
      });
    });
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(() => resolve('still running'), kDeadlineMs)));
    const outcome = await Promise.race([found, this.ended_, late]);
    clearTimeout(timer);
    if (Array.isArray(outcome)) return outcome;
    this.child_.kill('SIGKILL');
    throw new Error(`warifud printed no readiness line (${outcome}); stdout: ${printed}; stderr: ${this.log_}`);
  }
}
