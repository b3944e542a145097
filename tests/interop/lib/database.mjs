// A database for one server: a file in its data directory, or an empty database of the PostgreSQL that `run` has started.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';

const kDeadlineMs = 30_000;

/** What the tests run on: "sqlite" or "postgresql". */
export const kDatabase = process.env.WARIFU_TEST_DATABASE ?? 'sqlite';
if (!['sqlite', 'postgresql'].includes(kDatabase)) throw new Error(`WARIFU_TEST_DATABASE is sqlite or postgresql, not ${kDatabase}`);

/** A program of the PostgreSQL that `run` has started, as the owner of the cluster; resolves to what it prints. */
async function run_client(program, ...args) {
  const { WARIFU_TEST_POSTGRESQL: folder, WARIFU_TEST_POSTGRESQL_BIN: bin } = process.env;
  if (!folder || !bin) throw new Error('start these tests with tests/interop/run --database postgresql: it starts a PostgreSQL of their own');
  const options = { timeout: kDeadlineMs, maxBuffer: 64 << 20 };
  const { stdout } = await promisify(execFile)(path.join(bin, program), ['--host', folder, '--username', 'warifu', ...args], options);
  return stdout;
}

const run_sql = (statement) => run_client('psql', '--no-psqlrc', '--quiet', '--dbname', 'postgres', '--command', statement);

/** {environment: for every command of warifud, dump: what is in it, beside the files of the data directory; drop: removes it}. */
export async function new_database() {
  if (kDatabase === 'sqlite') return { environment: {}, dump: async () => '', drop: async () => {} };
  const name = `warifu_${randomBytes(6).toString('hex')}`;
  await run_sql(`CREATE DATABASE ${name}`);
  const url = `postgresql://warifu@/${name}?host=${encodeURIComponent(process.env.WARIFU_TEST_POSTGRESQL)}`;
  return { environment: { WARIFU_DATABASE: url }, dump: () => run_client('pg_dump', name), drop: () => run_sql(`DROP DATABASE ${name} WITH (FORCE)`) };
}
