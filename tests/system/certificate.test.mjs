// The server's own certificate: it is renewed before it ends, by a program of its own, and nobody who is connected notices.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, eventually, must_run, remove, without } from './lib/daemon.mjs';
import { get, secure } from './lib/sockets.mjs';

// A certificate is backdated by 300 s and renewed at 2/3 of its life: (300 + 160) * 2/3 - 300 = 6.7 s after it was made.
const kLifetimeSeconds = 160;
const kRoleKeys = /\/(signer|root)\/(keys|unlock|passphrase)[^"]*/;

/** What a new connection sees: {serial, not_after}. */
async function certificate_of(daemon, url = daemon.operators_url) {
  const wire = await secure(daemon, url);
  const { serialNumber, valid_to } = wire.socket.getPeerCertificate();
  wire.destroy();
  return { serial: serialNumber, not_after: Date.parse(valid_to) };
}

async function renew(daemon, ...args) {
  const { code, stdout, stderr } = await daemon.warifud('certificate renew', args);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, / certificate of localhost renewed until \d{4}-/);
}

describe('A certificate', () => {
  let daemon;
  let first;
  let kept;
  const traces = () => readdirSync(daemon.file('traces')).map((name) => readFileSync(daemon.file(`traces/${name}`), 'utf8'));
  before(async () => {
    daemon = await Daemon.init();
    await renew(daemon, '--lifetime-seconds', String(kLifetimeSeconds));
    await mkdir(daemon.file('traces'));
    // -D: the server keeps its process ID; -ff: a file for each thread and child.
    const wrapper = ['strace', '-D', '-ff', '-o', daemon.file('traces/t'), '-s', '4096', '-e', 'trace=open,openat,openat2,execve,execveat'];
    await daemon.serve({ wrapper: without('strace') ? [] : wrapper });
    first = await certificate_of(daemon);
    kept = await Promise.all([daemon.operators_url, daemon.devices_url].map((url) => secure(daemon, url)));
    for (const wire of kept) assert.ok((await wire.send(get()).answer()).status > 0);
  });
  after(async () => {
    for (const wire of kept ?? []) wire.destroy();
    await daemon?.stop();
  });

  async function assert_renewed(before_it, ms) {
    const now = await eventually(async () => {
      const seen = await certificate_of(daemon);
      return seen.serial !== before_it.serial && seen;
    }, 'new connections see a new certificate', ms, () => daemon.log);
    assert.ok(now.not_after > before_it.not_after, `${new Date(now.not_after)} is not after ${new Date(before_it.not_after)}`);
    assert.equal((await certificate_of(daemon, daemon.devices_url)).serial, now.serial, 'both listeners have it');
    for (const wire of kept) {
      assert.ok(!wire.closed, 'a connection from before was dropped');
      assert.ok((await wire.send(get()).answer()).status > 0);
      assert.equal(wire.socket.getPeerCertificate().serialNumber, first.serial, 'it goes on with the certificate that it began with');
    }
    return now;
  }

  test('IsRenewedByItselfAtTwoThirdsOfItsLifeAndNoConnectionIsDropped', async () => {
    const renewed = await assert_renewed(first, 20_000);
    assert.ok(renewed.not_after > Date.now() + 80 * 86_400_000, 'the new one lives for 90 days');
    assert.match(daemon.log, /certificate of localhost renewed until/);
  });

  test('IsReplacedByHandWithSighupAndNoConnectionIsDropped', async () => {
    const before_it = await certificate_of(daemon);
    await sleep(1100); // notAfter counts seconds
    await renew(daemon);
    assert.deepEqual(await certificate_of(daemon), before_it, 'not before SIGHUP');
    daemon.signal('SIGHUP');
    await assert_renewed(before_it, 5_000);
  });

  test('GetsANameOnceThatIsAllowedWhereTheKeysAre', async () => {
    const wanted = ['--server-name', 'new.example.com'];
    const refused = await daemon.warifud('certificate renew', wanted);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /warifu-signer allow .*\[signer\.name\]/s);
    await must_run('warifu-signer', ['allow', '--dir', path.join(daemon.data_dir, 'signer'), ...wanted]);
    const { code, stderr } = await daemon.warifud('certificate renew', wanted);
    assert.equal(code, 0, stderr);
    daemon.signal('SIGHUP');
    await eventually(async () => {
      const wire = await secure(daemon, daemon.operators_url);
      const { subjectaltname } = wire.socket.getPeerCertificate();
      wire.destroy();
      return subjectaltname.includes('DNS:new.example.com');
    }, 'the new name is in the certificate');
  });

  test('IsNotReplacedByOneThatCannotBeRead', async () => {
    const before_it = await certificate_of(daemon);
    const identity = path.join(daemon.data_dir, 'node/identity.pem');
    const good = readFileSync(identity);
    await must_run('sh', ['-c', 'echo broken > "$0"', identity]);
    daemon.signal('SIGHUP');
    await daemon.log_has(/reload: .*/);
    assert.deepEqual(await certificate_of(daemon), before_it);
    await must_run('sh', ['-c', 'cat > "$0"', identity], { input: good });
    daemon.signal('SIGHUP');
    await sleep(200);
    assert.ok((await certificate_of(daemon)).serial);
  });

  test('WasCertifiedByTheSignerAndTheServerNeverOpenedARoleKey', { skip: without('strace') }, async () => {
    await daemon.halt();
    const is_signer = (trace) => /execve\("[^"]*\/warifu-signer", \["[^"]*", "serve"/.test(trace);
    await eventually(() => traces().some(is_signer), 'strace saw the signer');
    const signers = traces().filter(is_signer);
    assert.equal(signers.length, 1, 'it is started once');
    assert.match(signers[0], kRoleKeys, 'the signer opens the key, so the trace would show it');
    const own = traces().filter((trace) => !is_signer(trace));
    assert.ok(own.length >= 3, `${own.length} threads were traced`);
    assert.ok(own.some((trace) => trace.includes('/node/identity.pem')), 'the trace shows what the server opens');
    for (const trace of own) assert.ok(!kRoleKeys.test(trace), `the server opened ${kRoleKeys.exec(trace)?.[0]}`);
  });
});

describe('A certificate that ended while the server was off', () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.init();
    await renew(daemon, '--lifetime-seconds', '1');
    await sleep(2100);
  });
  after(() => daemon?.stop());

  test('IsRenewedBeforeTheServerIsReady', async () => {
    await daemon.serve();
    assert.ok((await certificate_of(daemon)).not_after > Date.now() + 80 * 86_400_000);
    await daemon.login();
  });
});

describe('A server whose program was replaced on disk', () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.init();
    await renew(daemon, '--lifetime-seconds', String(kLifetimeSeconds));
    const program = daemon.file('warifud-of-its-own');
    const signer = daemon.file('warifu-signer');
    await copyFile(binary('warifud'), program);
    await copyFile(binary('warifu-signer'), signer);
    await daemon.serve({ wrapper: ['sh', '-c', `shift; exec '${program}' "$@"`, 'sh'] });
    for (const replaced of [program, signer]) {
      await rm(replaced);
      await writeFile(replaced, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    }
  });
  after(() => daemon?.stop());

  test('StillRenewsItsCertificate', async () => {
    const { serial } = await certificate_of(daemon);
    await eventually(async () => (await certificate_of(daemon)).serial !== serial, 'a new certificate', 20_000, () => daemon.log);
  });
});

describe('A server that cannot renew its certificate', () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.init();
    await renew(daemon, '--lifetime-seconds', String(kLifetimeSeconds));
    await rename(path.join(daemon.data_dir, 'signer'), daemon.file('taken-away'));
    await daemon.serve();
  });
  after(() => daemon?.stop());

  test('SaysSoAndGoesOnWithTheOldOne', async () => {
    const before_it = await certificate_of(daemon);
    assert.match(daemon.log, /nothing can be certified now: warifu-signer closed the connection/);
    assert.match(daemon.log, /\[signer\.missing\]/);
    await daemon.log_has(/certificate renewal failed, the next try is in a minute: /, 20_000);
    await sleep(300);
    assert.doesNotMatch(daemon.log, /certificate loaded/);
    assert.deepEqual(await certificate_of(daemon), before_it);
  });
});

describe('A renewal', () => {
  let daemon;
  before(async () => (daemon = await Daemon.init()));
  after(() => daemon && remove(daemon.folder));

  for (const [what, args] of [
    ['a life that ended before it began', ['--lifetime-seconds', '0']],
    ['a negative life', ['--lifetime-seconds', '-5']],
    ['a life that is no number', ['--lifetime-seconds', 'long']],
    ['a name that is none', ['--server-name', 'a b']],
  ]) {
    test(`Refuses ${what} and keeps the old certificate`, async () => {
      const identity = path.join(daemon.data_dir, 'node/identity.pem');
      const before_it = readFileSync(identity, 'utf8');
      const { code, stderr } = await daemon.warifud('certificate renew', args);
      assert.equal(code, 2, stderr);
      assert.equal(readFileSync(identity, 'utf8'), before_it);
    });
  }

  test('ThatTheAuditLogCannotKnowOfIsNone', async () => {
    const identity = path.join(daemon.data_dir, 'node/identity.pem');
    const before_it = readFileSync(identity, 'utf8');
    for (const [what, content, expected] of [['no database', 'x'.repeat(50_000), 2], ['no organisation', '', 1]]) {
      const { code, stderr } = await daemon.warifud('certificate renew', ['--database', `sqlite:${await daemon.write('other.sqlite3', content)}`]);
      assert.equal(code, expected, `${what}: exit ${code}: ${stderr}`);
      assert.match(stderr, /^error: /m);
      assert.equal(readFileSync(identity, 'utf8'), before_it, what);
    }
  });

  test('LivesNoLongerThanTheSignerAllows', async () => {
    const before_it = readFileSync(path.join(daemon.data_dir, 'node/identity.pem'), 'utf8');
    for (const seconds of [90 * 86_400 + 1, '9000000000000000000']) {
      const { code, stderr } = await daemon.warifud('certificate renew', ['--lifetime-seconds', String(seconds)]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\[signer\.lifetime\]/);
    }
    assert.equal(readFileSync(path.join(daemon.data_dir, 'node/identity.pem'), 'utf8'), before_it);
  });
});
