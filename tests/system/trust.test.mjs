// Trust bundles, from the root's desk to a server that hands them out: from init on, at SIGHUP, and what a revoked role means for the server itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OperatorClient } from '../interop/lib/operator_http.mjs';
import { Daemon, eventually, must_run, remove, run } from './lib/daemon.mjs';
import { operator_client } from './lib/fleet.mjs';
import { operator_of } from './lib/operator.mjs';

const contents_of = (envelope) => JSON.parse(Buffer.from(envelope.payload, 'base64').toString());

describe('A server with trust bundles', { timeout: 120_000 }, () => {
  let daemon;
  let client;
  const root = () => path.join(daemon.data_dir, 'root');
  const at_root = (verb, ...args) => must_run('warifu', ['root', verb, '--dir', root(), '--passphrase-file', path.join(root(), 'passphrase'), ...args]);
  const get = (suffix = '', headers = {}) => client.send('GET', `/api/v1/device/trust-bundle${suffix}`, { token: null, headers });
  const install = () => daemon.warifud('trust install', ['--from', daemon.file('out')]);
  before(async () => {
    daemon = await Daemon.start();
    client = new OperatorClient({ url: daemon.devices_url, ca: daemon.ca });
  });
  after(async () => {
    client?.close();
    await daemon?.stop();
  });

  test('HandsOutTheOneThatInitMade', async () => {
    const { status, json, headers } = await get();
    assert.equal(status, 200);
    assert.deepEqual(json, JSON.parse(readFileSync(path.join(root(), 'bundles/00000001.json'), 'utf8')));
    assert.equal(contents_of(json).version, 1);
    assert.equal(contents_of(json).roles.length, 6);
    assert.equal((await get('', { 'If-None-Match': headers.etag })).status, 304);
    assert.deepEqual((await get('/1')).json, json);
    assert.equal((await get('/2')).status, 404);
  });

  test('TakesTheNextOneAtSIGHUPAndNotBefore', async () => {
    await at_root('publish', '--days', '20', '--out', daemon.file('out'));
    const installed = await install();
    assert.equal(installed.code, 0, installed.stderr);
    assert.match(installed.stdout, /^Trust bundle 2, until /);
    assert.equal((await get('/2')).status, 404);
    daemon.signal('SIGHUP');
    await eventually(async () => (await get('/2')).status === 200, 'the second is served');
    assert.equal(contents_of((await get()).json).version, 2);
    await daemon.log_has(/trust bundle 2 ends at .*publish the next one/);
    const operators = operator_client(daemon);
    const end = Math.floor(Date.parse(contents_of((await get()).json).expires_at) / 1000);
    // It is set after the bundles are handed out.
    const shown = async () => Number(/^warifu_trust_bundle_expiry_seconds (\S+)$/m.exec(await operators.metrics())?.[1]);
    await eventually(async () => (await shown()) === end, 'the metric tells when it ends');
    operators.close();
  });

  test('GoesBackToNoOlderOneAndTakesNothingOfAnotherLine', async () => {
    await rm(daemon.file('out/bundles/00000002.json'));
    assert.equal((await install()).code, 0, 'there is nothing new in it');
    assert.deepEqual(await readdir(path.join(daemon.data_dir, 'trust/bundles')), ['00000001.json', '00000002.json']);
    const other = await Daemon.init();
    await cp(path.join(other.data_dir, 'trust/bundles'), daemon.file('other/bundles'), { recursive: true });
    const { code, stderr } = await daemon.warifud('trust install', ['--from', daemon.file('other')]);
    await remove(other.folder);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[bundle\.pinned-root\]/);
  });

  test('GoesOnWithThoseItHasWhenOneIsSpoiled', async () => {
    const file = path.join(daemon.data_dir, 'trust/bundles/00000002.json');
    const good = readFileSync(file);
    await rm(file);
    await cp(path.join(daemon.data_dir, 'trust/bundles/00000001.json'), path.join(daemon.data_dir, 'trust/bundles/00000003.json'));
    daemon.signal('SIGHUP');
    await daemon.log_has(/reload: .*expected 00000002\.json/);
    assert.equal(contents_of((await get()).json).version, 2);
    await rm(path.join(daemon.data_dir, 'trust/bundles/00000003.json'));
    await daemon.write('good', good);
    await cp(daemon.file('good'), file);
  });

  test('TellsOfItsOwnRevocationAndDoesNotStartWithIt', async () => {
    await at_root('revoke', '--role', 'server-communication', '--reason', 'key-compromise', '--out', daemon.file('out'));
    assert.equal((await install()).code, 0);
    daemon.signal('SIGHUP');
    await daemon.log_has(/trust bundle 3 revokes the key of .*server-communication/);
    assert.equal(contents_of((await get()).json).revoked.length, 1, 'devices must learn of it, from this server too');
    await daemon.halt();
    const { code, stderr } = await daemon.try_serve();
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[trust\.revoked\]/);
  });

  test('IsMadeFromABackupWithThem', async () => {
    await daemon.write('passphrase', 'correct horse battery staple');
    assert.equal((await daemon.warifud('backup', ['--output', daemon.file('backup'), '--passphrase-file', daemon.file('passphrase')])).code, 0);
    assert.deepEqual(await readdir(daemon.file('backup/trust/bundles')), [1, 2, 3].map((number) => `0000000${number}.json`));
  });
});

describe('A server whose escrow role is revoked', { timeout: 60_000 }, () => {
  test('StartsAndGivesDevicesNoEscrowCertificate', async () => {
    const daemon = await Daemon.init();
    try {
      const root = path.join(daemon.data_dir, 'root');
      await must_run('warifu', ['root', 'revoke', '--dir', root, '--passphrase-file', path.join(root, 'passphrase'), '--role', 'escrow', '--reason', 'superseded', '--out', daemon.file('out')]);
      assert.equal((await daemon.warifud('trust install', ['--from', daemon.file('out')])).code, 0);
      await daemon.serve();
      const asked = new OperatorClient({ url: daemon.devices_url, ca: daemon.ca });
      assert.equal((await asked.send('GET', '/api/v1/device/escrow-certificate', { token: null })).status, 404);
      asked.close();
      await daemon.log_has(/devices are given no escrow certificate: trust bundle 2 revokes/);
    } finally {
      await daemon.stop();
    }
  });
});

describe('A server whose signer is switched off', { timeout: 60_000 }, () => {
  test('TakesTheBundlesAllTheSameWhileItsRootIsListed', async () => {
    const daemon = await Daemon.init();
    try {
      const root = path.join(daemon.data_dir, 'root');
      const at_root = (verb, ...args) => must_run('warifu', ['root', verb, '--dir', root, '--passphrase-file', path.join(root, 'passphrase'), '--out', daemon.file('out'), ...args]);
      const install = (...args) => daemon.warifud('trust install', ['--from', daemon.file('out'), ...args]);
      const install_without = () => install('--signer', daemon.file('nobody.sock'));
      const shelf = () => readdir(path.join(daemon.data_dir, 'trust/bundles'));
      const pinned = readFileSync(daemon.ca, 'utf8');
      for (const [version, verb] of [[2, 'publish'], [3, 'rotate']]) {
        await at_root(verb);
        const { code, stdout, stderr } = await install_without();
        assert.equal(code, 0, `${verb}: ${stderr}`);
        assert.match(stdout, new RegExp(`^Trust bundle ${version}, until `), verb);
        assert.match(stderr, /^warning: the signer cannot be asked: .*\[signer\.unreachable\].*repeat this command.*--signer/, verb);
        assert.equal((await shelf()).length, version, verb);
      }
      await at_root('rotate', '--finish');
      const { code, stdout, stderr } = await install_without();
      assert.equal(code, 3, 'its own root is gone, and only the signer knows the next');
      assert.match(stderr, /\[signer\.unreachable\]/);
      assert.equal(stdout, '');
      assert.equal((await shelf()).length, 4, 'here all the same');
      assert.equal(readFileSync(daemon.ca, 'utf8'), pinned);
      const repeated = await install();
      assert.equal(repeated.code, 0, repeated.stderr);
      assert.match(repeated.stdout, /The root is now "Interop root 2"/);
      assert.doesNotMatch(repeated.stderr, /cannot be asked/);
    } finally {
      await daemon.stop();
    }
  });
});

describe('A server whose endpoint-identity role is revoked', { timeout: 60_000 }, () => {
  test('StartsAndGivesDevicesNoCertificate', async () => {
    const daemon = await Daemon.start();
    const { done, json } = operator_of(() => daemon);
    // With a secret that is good, for a key of its own.
    async function asks(id) {
      await done('enrollment', 'create', '--registration-id', id, '--symmetric', '--allow-software-keys');
      const { reference, secret } = await json('certificate', 'secret', '--registration-id', id);
      await must_run('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', daemon.file(`${id}.key`), '-subj', `/CN=${id}`, '-outform', 'DER', '-out', daemon.file(`${id}.der`)]);
      await must_run('openssl', ['base64', '-in', daemon.file(`${id}.der`), '-out', daemon.file(`${id}.b64`)]);
      return async () => {
        const url = `${daemon.devices_url.replace('127.0.0.1', 'localhost')}/.well-known/est/simpleenroll`;
        const { stdout } = await run('curl', ['-sS', '--cacert', daemon.ca, '-w', '\n%{http_code}', '-H', 'Content-Type: application/pkcs10', '--data-binary', `@${daemon.file(`${id}.b64`)}`, '-u', `${reference}:${secret}`, url]);
        return stdout;
      };
    }
    try {
      assert.match(await (await asks('meter-1'))(), /\n200$/, 'before');
      const ask = await asks('meter-2');
      const root = path.join(daemon.data_dir, 'root');
      await must_run('warifu', ['root', 'revoke', '--dir', root, '--passphrase-file', path.join(root, 'passphrase'), '--role', 'endpoint-identity', '--reason', 'key-compromise', '--out', daemon.file('out')]);
      assert.equal((await daemon.warifud('trust install', ['--from', daemon.file('out')])).code, 0);
      await daemon.halt();
      await daemon.serve();
      await daemon.log_has(/no certificates for devices: trust bundle 2 revokes/);
      assert.match(await ask(), /\[signer\.role\][^]*\n404$/);
    } finally {
      await daemon.stop();
    }
  });
});
