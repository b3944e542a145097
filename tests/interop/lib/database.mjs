// A database for one server: a file in its data directory, or an empty database of the PostgreSQL that `run` has started.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';

const kDeadlineMs = 30_000;

/** What the tests run on: "sqlite" or "postgresql". */
export const kDatabase = process.env.WARIFU_TEST_DATABASE ?? 'sqlite';
if (!['sqlite', 'postgresql'].includes(kDatabase)) throw new Error(`WARIFU_TEST_DATABASE is sqlite or postgresql, not ${kDatabase}`);

/** One statement by psql, as the owner of the cluster. */
async function run_sql(statement) {
  const { WARIFU_TEST_POSTGRESQL: folder, WARIFU_TEST_POSTGRESQL_BIN: bin } = process.env;
  if (!folder || !bin) throw new Error('start these tests with tests/interop/run --database postgresql: it starts a PostgreSQL of their own');
  const args = ['--no-psqlrc', '--quiet', '--host', folder, '--username', 'warifu', '--dbname', 'postgres', '--command', statement];
  await promisify(execFile)(path.join(bin, 'psql'), args, { timeout: kDeadlineMs });
}

/** {environment: for every command of warifud, drop: removes it}. */
export async function new_database() {
  if (kDatabase === 'sqlite') return { environment: {}, drop: async () => {} };
  const name = `warifu_${randomBytes(6).toString('hex')}`;
  await run_sql(`CREATE DATABASE ${name}`);
  const url = `postgresql://warifu@/${name}?host=${encodeURIComponent(process.env.WARIFU_TEST_POSTGRESQL)}`;
  return { environment: { WARIFU_DATABASE: url }, drop: () => run_sql(`DROP DATABASE ${name} WITH (FORCE)`) };
}
