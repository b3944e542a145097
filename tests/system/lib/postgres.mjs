// A PostgreSQL server for tests: in a folder of its own, on a UNIX socket, by a user who is not root.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const kVersions = '/usr/lib/postgresql';

function newest_bin() {
  if (!existsSync(kVersions)) return undefined;
  return readdirSync(kVersions).map((version) => path.join(kVersions, version, 'bin')).filter((bin) => existsSync(path.join(bin, 'initdb'))).sort().at(-1);
}

/** false, or why a test that needs a server is skipped: for the option `skip`. */
export const without_postgres = newest_bin() ? false : 'postgresql is missing: apt-get install postgresql';

export class Postgres {
  static async start() {
    const server = new Postgres(mkdtempSync(path.join(os.tmpdir(), 'warifu-pg-')));
    server.bin_ = newest_bin();
    server.owner_ = [];
    if (process.getuid() === 0) {
      const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
      chownSync(server.folder, uid, gid);
      server.owner_ = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
    }
    const initdb = [path.join(server.bin_, 'initdb'), '-D', server.data_, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
    execFileSync('setpriv', [...server.owner_, ...initdb], { stdio: 'ignore' });
    await server.serve();
    return server;
  }

  constructor(folder) {
    this.folder = folder;
    this.data_ = path.join(folder, 'data');
  }

  get url() {
    return `postgresql://postgres@/postgres?host=${this.folder}`;
  }

  async serve() {
    const settings = ['-c', 'listen_addresses=', '-c', 'shared_buffers=32MB'];
    const command = ['--pdeathsig', 'QUIT', ...this.owner_, path.join(this.bin_, 'postgres'), '-D', this.data_, '-k', this.folder, ...settings];
    this.child_ = spawn('setpriv', command, { stdio: 'ignore' });
    this.ended_ = new Promise((resolve) => this.child_.once('exit', resolve));
    for (let i = 0; i < 200; i++) {
      try {
        return this.sql('SELECT 1');
      } catch {
        await sleep(50);
      }
    }
    throw new Error('the PostgreSQL server did not start');
  }

  sql(text) {
    return execFileSync(path.join(this.bin_, 'psql'), ['-X', '-A', '-t', '-q', this.url, '-c', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  }

  async crash() {
    this.child_.kill('SIGQUIT');
    await this.ended_;
  }

  async stop() {
    await this.crash();
    await rm(this.folder, { recursive: true, force: true });
  }
}
