// `warifud serve` as an init system and an administrator see it: its one line, its signals, its exit codes, its settings.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, rename, truncate, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, remove, run, without } from './lib/daemon.mjs';
import { get, secure } from './lib/sockets.mjs';

const kReady = /^warifud ready devices=https:\/\/127\.0\.0\.1:([1-9]\d*) operators=https:\/\/127\.0\.0\.1:([1-9]\d*)\n$/;

/** Another process that is writing to the database until release(). */
async function hold_database(daemon) {
  const child = spawn('sqlite3', ['-batch', daemon.database], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write('.timeout 5000\nBEGIN IMMEDIATE;\nSELECT 1;\n');
  await once(child.stdout, 'data');
  return {
    async release() {
      child.stdin.end('ROLLBACK;\n');
      await once(child, 'exit');
    },
  };
}

describe('A running server', () => {
  let daemon;
  before(async () => (daemon = await Daemon.start()));
  after(() => daemon?.stop());

  test('PicksFreePortsForPort0', () => {
    const [, devices, operators] = kReady.exec(daemon.stdout);
    assert.notEqual(devices, operators);
  });

  test('KeepsASecondOneFromItsDataDirectoryAndNamesItself', async () => {
    const { code, stderr } = await daemon.try_serve();
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`\\bprocess ${daemon.pid}\\b`));
    assert.equal((await daemon.operator(['id-scope', 'show'])).code, 0, 'the first goes on');
  });

  test('KeepsConnectionsAndTakesNewOnesAfterSighup', async () => {
    const kept = await secure(daemon, daemon.operators_url);
    assert.equal((await kept.send(get()).answer()).status, 200);
    for (let i = 1; i <= 5; i++) daemon.signal('SIGHUP');
    await daemon.log_has(/certificate loaded/);
    assert.equal((await kept.send(get()).answer()).status, 200);
    assert.equal((await daemon.operator(['id-scope', 'show'])).code, 0);
    kept.destroy();
  });

  test('FinishesTheRequestThatIsBeingSentWhenSigtermComes', async () => {
    const sending = await secure(daemon, daemon.operators_url);
    const body = JSON.stringify({ bootstrap_token: 'x' });
    sending.send(`POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    const idle = await secure(daemon, daemon.operators_url);
    assert.equal((await idle.send(get()).answer()).status, 200);
    daemon.signal('SIGTERM');
    await idle.ended; // it has begun to drain
    await assert.rejects(secure(daemon, daemon.operators_url), 'new connections are refused');
    const answer = await sending.send(body.slice(5)).answer();
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.headers.connection, 'close');
    sending.destroy();
    assert.equal(await daemon.ended, 0);
    assert.match(daemon.stdout, kReady, 'exactly one line was printed on stdout');
    await daemon.serve();
  });

  test('FinishesTheWriteThatWaitsForTheDatabaseWhenSigtermComes', { skip: without('sqlite3') }, async () => {
    const token = await daemon.new_bootstrap_token();
    const other = await hold_database(daemon);
    const client = await secure(daemon, daemon.operators_url);
    const body = JSON.stringify({ bootstrap_token: token, name: 'late' });
    client.send(`POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await sleep(300); // the writer waits for the other process now
    daemon.signal('SIGTERM');
    await daemon.log_has(/stopping/);
    assert.equal(client.received, '', 'nothing is answered before it is on disk');
    await other.release();
    const answer = await client.answer();
    assert.equal(answer.status, 201, answer.text);
    client.destroy();
    assert.equal(await daemon.ended, 0);
    assert.equal((await daemon.sqlite("SELECT count(*) FROM access_tokens WHERE name = 'late';")).trim(), '1');
    await daemon.serve();
  });

  test('EndsWith0OnSigintToo', async () => {
    daemon.signal('SIGINT');
    assert.equal(await daemon.ended, 0);
    await daemon.serve();
  });

  test('CutsOffWhoDoesNotEndBeforeTheDeadline', async () => {
    const stuck = await secure(daemon, daemon.operators_url);
    stuck.send('POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{');
    await sleep(100);
    const begin = Date.now();
    daemon.signal('SIGTERM');
    assert.equal(await daemon.ended, 0);
    assert.ok(Date.now() - begin < 15_000, `took ${Date.now() - begin} ms`);
    stuck.destroy();
    await daemon.serve();
  });
});

describe('A server is refused', () => {
  let daemon;
  before(async () => (daemon = await Daemon.init()));
  after(() => daemon && remove(daemon.folder));

  async function refuses(code, pattern, options) {
    const outcome = await daemon.try_serve(options);
    assert.equal(outcome.code, code, `exit ${outcome.code}: ${outcome.stderr}`);
    assert.match(outcome.stderr, pattern);
  }

  /** Another data directory that is a copy of the first. */
  async function copy_of(name) {
    const data_dir = daemon.file(name);
    await cp(daemon.data_dir, data_dir, { recursive: true });
    return { data_dir, database: `${data_dir}/database/warifu.sqlite3`, args: daemon.serve_args([], data_dir) };
  }

  test('WithoutADataDirectory', async () => {
    await refuses(2, /warifud init --data-dir \/nowhere --org NAME/, { args: ['serve', '--data-dir', '/nowhere'] });
    await refuses(2, /--data-dir/, { args: ['serve'] });
  });

  test('WithASchemaFromTheFuture', { skip: without('sqlite3') }, async () => {
    const copy = await copy_of('future');
    await run('sqlite3', [copy.database, "INSERT INTO schema_migrations (version, sha256, applied_at) VALUES (999, 'x', 0)"]);
    await refuses(1, /schema version 999.*start a newer program/, copy);
    const version = await run('sqlite3', [copy.database, 'SELECT max(version) FROM schema_migrations']);
    assert.equal(version.stdout.trim(), '999', 'and it is left as it is');
  });

  test('WithADatabaseThatAnotherProgramMade', { skip: without('sqlite3') }, async () => {
    const copy = await copy_of('foreign');
    await rename(copy.database, `${copy.database}.away`);
    await run('sqlite3', [copy.database, 'CREATE TABLE t (x)']);
    await refuses(1, /was not made by warifud/, copy);
  });

  for (const [what, pattern, spoil] of [
    ['of random bytes', /restore a backup/, (file) => writeFile(file, Buffer.alloc(65536, 0xa5))],
    ['with a damaged first page', /restore a backup/, async (file) => writeFile(file, Buffer.concat([readFileSync(file).subarray(0, 100), Buffer.alloc(3996, 0x77), readFileSync(file).subarray(4096)]))],
    ['that lost its second half', /restore a backup/, (file) => truncate(file, 4096)],
    ['that is empty', /restore a backup/, (file) => truncate(file, 0)],
  ]) {
    test(`WithADatabase ${what}`, async () => {
      const copy = await copy_of(`corrupt ${what}`);
      await spoil(copy.database);
      const { code, stderr } = await daemon.try_serve(copy);
      assert.ok([1, 2].includes(code), `exit ${code}: ${stderr}`);
      assert.match(stderr, pattern);
    });
  }

  test('WithAMasterKeyThatIsNotThisOnes', async () => {
    const copy = await copy_of('other-key');
    await writeFile(`${copy.data_dir}/secrets/master.key`, Buffer.alloc(32, 1));
    const { code, stderr } = await daemon.try_serve(copy);
    assert.ok([1, 2].includes(code), `exit ${code}: ${stderr}`);
    await writeFile(`${copy.data_dir}/secrets/master.key`, Buffer.alloc(31, 1));
    await refuses(2, /32 bytes/, copy);
  });

  test('WhenTheClockIsBeforeTheLastAuditEntry', { skip: without('sqlite3') }, async () => {
    const copy = await copy_of('clock');
    const tomorrow = (Date.now() + 86_400_000) * 1000;
    await run('sqlite3', [copy.database, `INSERT INTO audit_entries SELECT scope_id, x'ffffffffffffffffffffffffffffffff', ${tomorrow}, 'system', 'test', 'test', '{}' FROM scopes`]);
    const day = new Date(tomorrow / 1000).toISOString().slice(0, 10);
    await refuses(3, new RegExp(`clock says .* until ${day}.*set the clock`), copy);
  });

  test('OnAPortThatIsTaken', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const where = `127.0.0.1:${taken.address().port}`;
    for (const flag of ['--listen-devices', '--listen-operators']) {
      const args = ['serve', '--data-dir', daemon.data_dir, '--listen-devices', '127.0.0.1:0', '--listen-operators', '127.0.0.1:0', flag, where];
      args.splice(args.indexOf(flag), 2);
      await refuses(3, new RegExp(`cannot listen on ${where}`), { args });
    }
    taken.close();
  });

  for (const address of ['8443', 'localhost:0', '127.0.0.1:65536', '127.0.0.1:-1', ':8443', '127.0.0.1:http', '']) {
    test(`OnTheAddress "${address}"`, () => refuses(2, /ADDRESS:PORT|numeric address/, { args: ['serve', '--data-dir', daemon.data_dir, '--listen-operators', '127.0.0.1:0', '--listen-devices', address] }));
  }
});

describe('The configuration file', () => {
  let daemon;
  before(async () => (daemon = await Daemon.init()));
  after(() => daemon && remove(daemon.folder));

  for (const [what, text, pattern] of [
    ['an unknown key', '[listen]\ndevices = "127.0.0.1:0"\ncolour = "red"\n', /listen\.colour.*line 3/],
    ['an unknown key on top', '\ncolour = "red"\n', /colour.*line 2/],
    ['an unknown table', '\n[colours]\n', /colours.*line 2/],
    ['a number for a text', '[listen]\n\ndevices = 8443\n', /listen\.devices.*text.*line 3/],
    ['a list for a text', 'data_dir = ["a", "b"]\n', /data_dir.*text.*line 1/],
    ['a text for a table', 'listen = "127.0.0.1:0"\n', /listen.*line 1/],
    ['a table for a text', '[data_dir]\nx = "y"\n', /data_dir.*line/],
    ['a syntax error', '[listen]\ndevices = "127.0.0.1:0\n', /line 2/],
    ['the same key twice', 'data_dir = "a"\ndata_dir = "b"\n', /line 2/],
    ['an unknown log level', '[log]\nlevel = "chatty"\n', /debug, info/],
    ...['pki.example.com', 'ftp://pki.example.com', 'http://', 'http://me@pki.example.com', 'http://pki.example.com/', 'http://pki.example.com?x=1', 'http://pki.example.com#x',
      'http://pki example.com', `http://${'a'.repeat(200)}.example.com`].map((url) => [
      `the place ${url.slice(0, 40)}`, `[certificates]\nbase_url = "${url}"\n`, /certificates\.base_url is like http:/]),
    ['bytes that are no UTF-8', Buffer.from('data_dir = "\xff\xfe"\n', 'latin1'), /line 1/],
  ]) {
    test(`MayNotHold ${what}`, async () => {
      const config = await daemon.write('bad.toml', text);
      for (const command of [['serve'], ['config', 'check']]) {
        const { code, stderr } = await run('timeout', ['5', binary('warifud'), ...command, '--data-dir', daemon.data_dir, '--config', config]);
        assert.equal(code, 2, `${command}: exit ${code}: ${stderr}`);
        assert.match(stderr, pattern);
        if (String(pattern).includes('line')) assert.ok(stderr.includes(config), `names the file: ${stderr}`);
      }
    });
  }

  test('MustBeThere', async () => {
    const { code, stderr } = await daemon.try_serve({ args: daemon.serve_args(['--config', '/nowhere.toml']) });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /\/nowhere\.toml/);
  });

  test('YieldsToTheEnvironmentAndThatToFlags', async () => {
    const hub_of = async (options) => {
      await daemon.serve(options);
      const hosts = daemon.stdout;
      await daemon.halt();
      return hosts;
    };
    const config = await daemon.write('good.toml', `data_dir = "${daemon.data_dir}"\n[listen]\ndevices = "127.0.0.2:0"\noperators = "127.0.0.2:0"\n[log]\nlevel = "error"\n`);
    const environment = { WARIFU_CONFIG: config, WARIFU_LISTEN_OPERATORS: '127.0.0.3:0' };
    assert.match(await hub_of({ args: ['serve', '--config', config] }), /devices=https:\/\/127\.0\.0\.2:\d+ operators=https:\/\/127\.0\.0\.2:/);
    assert.match(await hub_of({ args: ['serve'], environment }), /devices=https:\/\/127\.0\.0\.2:\d+ operators=https:\/\/127\.0\.0\.3:/);
    assert.match(await hub_of({ args: ['serve', '--listen-operators', '127.0.0.4:0'], environment }), /devices=https:\/\/127\.0\.0\.2:\d+ operators=https:\/\/127\.0\.0\.4:/);
    assert.equal(daemon.log, '', 'log.level = "error" is heard');
  });

  test('IsCalledGoodWhenItIs', async () => {
    const config = await daemon.write('good.toml', `data_dir = "${daemon.data_dir}"\n[listen]\nhttp = "127.0.0.1:0"\n[certificates]\nbase_url = "http://[::1]:8080/pki"\n`);
    const { code, stdout } = await run('warifud', ['config', 'check', '--config', config]);
    assert.equal(code, 0);
    assert.match(stdout, /good/);
  });
});
