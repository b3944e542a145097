// A root beside which other people sign, and whose revocation key is in other hands: from the desk to the server.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, must_run, places_of, run } from './lib/daemon.mjs';

const kOrganisation = 'Example Power';

describe('Several people', { timeout: 120_000 }, () => {
  let daemon;
  const root = () => daemon.file('root');
  const out = () => daemon.file('out');
  const signer = () => path.join(daemon.data_dir, 'signer');
  const secret = () => ['--passphrase-file', daemon.file('passphrase')];
  const at_root = (verb, ...args) => run('warifu', ['root', verb, '--dir', root(), ...args]);
  const person = (name, verb, ...args) => run('warifu', ['bundle-key', verb, '--dir', daemon.file(name), ...args]);
  const json_of = ({ code, stdout, stderr }) => {
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const status = async () => json_of(await at_root('status', '--json'));
  const sign = async (name) => {
    const { proposed } = json_of(await person(name, 'show', '--from', out(), '--json'));
    return json_of(await person(name, 'sign', ...secret(), '--from', out(), '--sha256', proposed.sha256, '--json'));
  };
  // With what this person tells of it.
  const key = (name) => `${daemon.file(`${name}/key.pem`)}=${told.get(name)}`;
  const told = new Map();

  before(async () => {
    daemon = await Daemon.prepare();
    await daemon.write('passphrase', 'correct horse battery staple');
    await must_run('warifu', ['root', 'init', '--dir', root(), '--org', kOrganisation, ...secret()]);
    for (const name of ['sato', 'mori', 'kato']) told.set(name, JSON.parse(await must_run('warifu', ['bundle-key', 'init', '--dir', daemon.file(name), '--org', kOrganisation, ...secret(), '--json'])).sha256);
    await mkdir(daemon.data_dir, { mode: 0o700 });
    await must_run('warifu-signer', ['init', '--dir', signer(), '--org', kOrganisation, '--server-name', 'localhost', '--offline-root']);
  });
  after(() => daemon?.stop());

  test('AreComparedBeforeTheyAreListed', async () => {
    const keys = (...value) => at_root('keys', ...secret(), '--revocation', '1', '--revocation-key', ...value);
    const untold = await keys(daemon.file('kato/key.pem'));
    assert.equal(untold.code, 2, untold.stderr);
    assert.match(untold.stderr, new RegExp(`has the SHA-256 ${told.get('kato')}: ask.*\\[root\\.keys\\]`));
    const exchanged = await keys(`${daemon.file('mori/key.pem')}=${told.get('kato')}`);
    assert.equal(exchanged.code, 1, exchanged.stderr);
    assert.match(exchanged.stderr, /\[root\.keys\]/);
    assert.equal((await status()).bundle.version, 1);
  });

  test('SignABundleThatWaitsForThem', async () => {
    const keys = ['--signing', '2', '--signing-key', key('sato'), '--signing-key', key('mori'), '--revocation', '1', '--revocation-key', key('kato')];
    const waiting = json_of(await at_root('keys', ...secret(), ...keys, '--out', out(), '--json'));
    assert.equal(waiting.bundle.version, 1);
    assert.equal(waiting.proposed.version, 2);
    assert.deepEqual(waiting.proposed.lacking.map(({ threshold, signed_by, not_yet }) => [threshold, signed_by.length, not_yet.length]), [[2, 1, 2]]);
    assert.match((await at_root('status')).stdout, /proposed +trust bundle 2, SHA-256/);
    const shown = await person('sato', 'show', '--from', out());
    assert.match(shown.stdout, /\+ signing keys that must sign: 2 of 3/);
    assert.match(shown.stdout, /first one.*compare all of it/);
    assert.match(shown.stdout, new RegExp(`root CN=Example Power.*SHA-256 ${(await status()).sha256}`));
    assert.match(shown.stdout, new RegExp(waiting.proposed.sha256));
    assert.ok(existsSync(path.join(root(), 'keys-1/revocation.key')), 'until others count');
    assert.equal((await sign('sato')).bundle.version, 2);
    assert.equal(json_of(await at_root('accept', '--from', out(), '--json')).accepted, 1);
    assert.ok(!existsSync(path.join(root(), 'keys-1/revocation.key')));
    const { bundle, proposed, revocation_key_here: here } = await status();
    assert.deepEqual([bundle.version, proposed, here], [2, undefined, false]);
  });

  test('LetAServerBeginWhenTheyHaveSigned', async () => {
    const signed = await at_root('sign', ...secret(), '--requests', path.join(signer(), 'requests'), '--out', out());
    assert.equal(signed.code, 0, signed.stderr);
    assert.match(signed.stderr, /Trust bundle 3 waits for signatures/);
    await cp(out(), daemon.file('early'), { recursive: true });
    const early = await run('warifu-signer', ['install', '--dir', signer(), '--from', daemon.file('early')]);
    assert.equal(early.code, 1, early.stderr);
    assert.match(early.stderr, /wait for signatures.*\[signer\.install\]/);
    assert.equal((await sign('mori')).proposed, undefined);
    await must_run('warifu', ['root', 'accept', '--dir', root(), '--from', out(), '--out', out()]);
    await must_run('warifud', ['init', '--data-dir', daemon.data_dir, '--org', kOrganisation, '--roles-from', out(), '--json']);
    await daemon.serve();
  });

  test('RevokeWithoutTheRoot', async () => {
    const at_desk = await at_root('revoke', ...secret(), '--role', 'code-signing', '--reason', 'key-compromise');
    assert.equal(at_desk.code, 1, at_desk.stderr);
    assert.match(at_desk.stderr, /\[root\.revocation\]/);
    const by_another = await person('sato', 'revoke', ...secret(), '--from', out(), '--role', 'code-signing', '--reason', 'key-compromise');
    assert.match(by_another.stderr, /\[bundle_key\.not-asked\]/);
    const { bundle } = json_of(await person('kato', 'revoke', ...secret(), '--from', out(), '--role', 'code-signing', '--reason', 'key-compromise', '--json'));
    assert.deepEqual([bundle.version, bundle.revoked], [4, 1]);
    const installed = await daemon.warifud('trust install', ['--from', out()]);
    assert.equal(installed.code, 0, installed.stderr);
    assert.ok((await readdir(path.join(daemon.data_dir, 'trust/bundles'))).includes('00000004.json'));
    await must_run('warifu', ['root', 'accept', '--dir', root(), '--from', out()]);
    assert.equal((await status()).bundle.version, 4);
  });

  test('LetANewRootComeWhenTheyHaveSigned', async () => {
    const before_it = readFileSync(path.join(root(), 'root.pem'), 'utf8');
    const rotated = await at_root('rotate', ...secret(), '--out', out());
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stderr, /once enough have signed/);
    for (const folder of [root(), out()]) assert.equal(readFileSync(path.join(folder, 'root.pem'), 'utf8'), before_it, 'nobody is to pin the new one yet');
    for (const [verb, args] of [['publish', secret()], ['rotate', secret()], ['passphrase', [...secret(), '--shares', '2/3', '--shares-out', daemon.file('shares')]]]) {
      const refused = await at_root(verb, ...args);
      assert.equal(refused.code, 1, refused.stderr);
      assert.match(refused.stderr, /\[root\.proposed\]/, verb);
    }
    await sign('sato');
    await must_run('warifu', ['root', 'accept', '--dir', root(), '--from', out(), '--out', out()]);
    assert.ok(!existsSync(daemon.file('shares')), 'nobody has shares that open nothing');
    for (const folder of [root(), out()]) assert.notEqual(readFileSync(path.join(folder, 'root.pem'), 'utf8'), before_it);
    const installed = await daemon.warifud('trust install', ['--from', out()]);
    assert.equal(installed.code, 0, installed.stderr);
  });

  test('LoseNothingToTheDesk', async () => {
    await must_run('warifu', ['bundle-key', 'revoke', '--dir', daemon.file('kato'), ...secret(), '--from', out(), '--role', 'lifecycle-command', '--reason', 'superseded']);
    const over = await at_root('publish', ...secret(), '--out', out());
    assert.equal(over.code, 1, over.stderr);
    assert.match(over.stderr, /\[root\.handover\]/);
    assert.equal((await status()).proposed, undefined, 'nothing was signed');
    await must_run('warifu', ['root', 'accept', '--dir', root(), '--from', out()]);
  });

  test('SignOnlyWhatTheyCompared', async () => {
    await must_run('warifu', ['root', 'publish', '--dir', root(), ...secret(), '--out', out()]);
    const other = await person('sato', 'sign', ...secret(), '--from', out(), '--sha256', '0'.repeat(64));
    assert.equal(other.code, 1, other.stderr);
    assert.match(other.stderr, /\[bundle_key\.digest\]/);
    assert.equal((await person('sato', 'sign', ...secret(), '--from', out(), '--sha256', 'x')).code, 2);
    await must_run('warifu', ['root', 'withdraw', '--dir', root()]);
    assert.match((await at_root('withdraw')).stderr, /\[root\.proposed\]/);
    const left = json_of(await person('sato', 'status', '--json'));
    assert.ok(left.journal_entries >= 3, 'the key, and each bundle that it signed');
  });

  test('HaveTheirPassphrasesNowhere', async () => {
    for (const folder of [root(), out(), daemon.file('sato'), daemon.data_dir]) assert.deepEqual(await places_of({ passphrase: 'correct horse battery staple' }, folder), []);
  });
});
