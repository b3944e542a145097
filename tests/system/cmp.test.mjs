// CMP with a client that others wrote: `openssl cmp`, unmodified. Its messages go through TLS here; they protect themselves.
import assert from 'node:assert/strict';
import { writeFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, must_run, run } from './lib/daemon.mjs';
import { operator_of } from './lib/operator.mjs';

describe('CMP', () => {
  let daemon;
  const { done, json } = operator_of(() => daemon);
  before(async () => {
    daemon = await Daemon.start();
    await done('enrollment', 'create', '--registration-id', 'meter-1', '--symmetric', '--allow-software-keys');
    await done('enrollment', 'create', '--registration-id', 'meter-2', '--symmetric');
    await writeFile(daemon.file('chain.pem'), await readFile(path.join(daemon.data_dir, 'roles/endpoint-identity.pem'), 'utf8') + await readFile(daemon.ca, 'utf8'));
  });
  after(async () => daemon?.stop());

  const key_of = async (name) => {
    await must_run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', daemon.file(`${name}.key`)]);
    return daemon.file(`${name}.key`);
  };
  const where = () => ['-server', daemon.devices_url.replace('https://127.0.0.1', 'localhost'), '-path', '/.well-known/cmp', '-tls_used', '-tls_trusted', daemon.ca, '-tls_host', 'localhost'];
  const cmp = (command, ...args) => run('openssl', ['cmp', '-cmd', command, ...where(), '-trusted', daemon.ca, '-untrusted', daemon.file('chain.pem'), ...args]);
  const by_secret = async (id = 'meter-1') => {
    const { reference, secret } = await json('certificate', 'secret', '--registration-id', id);
    return ['-ref', reference, '-secret', `pass:${secret}`];
  };
  const by_certificate = (name) => ['-cert', daemon.file(`${name}.pem`), '-key', daemon.file(`${name}.key`)];
  const newest = async () => (await json('certificate', 'list', '--registration-id', 'meter-1'))[0];
  async function get(command, name, ...args) {
    const outcome = await cmp(command, '-subject', '/CN=meter-1', '-newkey', await key_of(name), '-certout', daemon.file(`${name}.pem`), ...args);
    assert.equal(outcome.code, 0, outcome.stderr);
    await must_run('openssl', ['verify', '-CAfile', daemon.ca, '-untrusted', daemon.file('chain.pem'), daemon.file(`${name}.pem`)]);
    return newest();
  }
  let current;

  test('ir: a first certificate for a one-time secret', async () => {
    // The signer certifies the key that answers just after the start.
    await eventually(async () => (await cmp('genm', '-infotype', 'caCerts', ...await by_secret())).code === 0, 'CMP answers', 10_000, () => daemon.log);
    const issued = await get('ir', 'first', ...await by_secret());
    assert.equal(issued.state, 'inactive', 'a software key waits for an operator');
    assert.equal(issued.door, 'cmp');
    assert.equal(issued.confirm_by, undefined, 'it was confirmed');
    await done('certificate', 'activate', issued.serial);
    current = issued.serial;
  });

  test('cr and p10cr, with another MAC', async () => {
    const issued = await get('cr', 'second', '-mac', 'hmacWithSHA256', ...await by_secret());
    assert.notEqual(issued.serial, current);
    const key = await key_of('third');
    await must_run('openssl', ['req', '-new', '-key', key, '-subj', '/CN=meter-1', '-out', daemon.file('third.csr')]);
    const outcome = await cmp('p10cr', '-csr', daemon.file('third.csr'), '-certout', daemon.file('third.pem'), ...await by_secret());
    assert.equal(outcome.code, 0, outcome.stderr);
    const third = await newest();
    assert.equal(third.state, 'inactive', 'a secret says nothing of the key, whatever else the device has');
    await done('certificate', 'activate', third.serial);
  });

  test('kur: renewed by the certificate that is renewed', async () => {
    const outcome = await cmp('kur', '-newkey', await key_of('fourth'), '-certout', daemon.file('fourth.pem'), ...by_certificate('third'));
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal((await newest()).state, 'active', 'it goes on from one that is active');
  });

  test('rr: a device revokes its own certificate, and no other', async () => {
    const before_it = await newest();
    await done('enrollment', 'create', '--registration-id', 'meter-3', '--symmetric', '--allow-software-keys');
    const another = await cmp('ir', '-subject', '/CN=meter-3', '-newkey', await key_of('another'), '-certout', daemon.file('another.pem'), ...await by_secret('meter-3'));
    assert.equal(another.code, 0, another.stderr);
    const strange = await cmp('rr', '-oldcert', daemon.file('another.pem'), ...by_certificate('fourth'));
    assert.notEqual(strange.code, 0);
    assert.match(strange.stdout + strange.stderr, /certificate\.not-own/);
    assert.notEqual((await json('certificate', 'list', '--registration-id', 'meter-3'))[0].state, 'revoked');
    for (const reason of ['6', '8']) {
      const odd = await cmp('rr', '-oldcert', daemon.file('fourth.pem'), '-revreason', reason, ...by_certificate('fourth'));
      assert.notEqual(odd.code, 0, `reason ${reason} is none for ever`);
      assert.match(odd.stdout + odd.stderr, /certificate\.reason/);
    }
    const outcome = await cmp('rr', '-oldcert', daemon.file('fourth.pem'), '-revreason', '4', ...by_certificate('fourth'));
    assert.equal(outcome.code, 0, outcome.stderr);
    const now = await json('certificate', 'show', before_it.serial);
    assert.equal(now.state, 'revoked');
    assert.equal(now.reason, 'superseded');
    const again = await cmp('kur', '-newkey', await key_of('fifth'), '-certout', daemon.file('fifth.pem'), '-unprotected_errors', ...by_certificate('fourth'));
    assert.notEqual(again.code, 0, 'a revoked certificate renews nothing');
  });

  test('a key that nobody proved gets nothing where the enrollment does not say so', async () => {
    const outcome = await cmp('ir', '-subject', '/CN=meter-2', '-newkey', await key_of('other'), '-certout', daemon.file('other.pem'), ...await by_secret('meter-2'));
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.stdout + outcome.stderr, /certificate\.key-unproven/);
  });

  test('a secret is for one key in one transaction, and a wrong one is told nothing', async () => {
    const secret = await by_secret();
    await get('ir', 'sixth', ...secret);
    const again = await cmp('ir', '-subject', '/CN=meter-1', '-newkey', await key_of('seventh'), '-certout', daemon.file('seventh.pem'), '-unprotected_errors', ...secret);
    assert.notEqual(again.code, 0);
    const wrong = await cmp('ir', '-subject', '/CN=meter-1', '-newkey', daemon.file('seventh.key'), '-certout', daemon.file('seventh.pem'), '-unprotected_errors', '-ref', secret[1], '-secret', 'pass:wrong');
    assert.notEqual(wrong.code, 0);
  });

  test('what the client does not want was never issued', async () => {
    const secret = await by_secret();
    // It trusts somebody else only, so it rejects what it gets.
    await must_run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', daemon.file('stranger.key'), '-out', daemon.file('stranger.pem'), '-subj', '/CN=stranger']);
    const outcome = await cmp('ir', '-subject', '/CN=meter-1', '-newkey', await key_of('eighth'), '-certout', daemon.file('eighth.pem'), '-out_trusted', daemon.file('stranger.pem'), ...secret);
    assert.notEqual(outcome.code, 0);
    const rejected = await newest();
    assert.equal(rejected.state, 'revoked', JSON.stringify(rejected));
  });
});
