// The organisation's root at a desk of its own: a passphrase or shares, roles certified for a signer that is elsewhere, restored from any of the people.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, must_run, places_of, remove, run, tree } from './lib/daemon.mjs';

const kOrganisation = 'Example Power';
const kRoles = ['code-signing', 'endpoint-identity', 'escrow', 'lifecycle-command', 'peer-communication', 'server-communication'];

describe('A root of five people', { timeout: 120_000 }, () => {
  let daemon;
  const root = () => daemon.file('root');
  const signer = () => path.join(daemon.data_dir, 'signer');
  const requests = () => path.join(signer(), 'requests');
  const shares = (...numbers) => numbers.flatMap((number) => ['--share-file', daemon.file(`shares/share-${number}.txt`)]);
  const sign = (secret, out) => run('warifu', ['root', 'sign', '--dir', root(), ...secret, '--requests', requests(), '--out', daemon.file(out)]);
  before(async () => {
    daemon = await Daemon.prepare();
    await must_run('warifu', ['root', 'init', '--dir', root(), '--org', kOrganisation, '--shares', '3/5', '--shares-out', daemon.file('shares')]);
    await mkdir(daemon.data_dir, { mode: 0o700 });
    await must_run('warifu-signer', ['init', '--dir', signer(), '--org', kOrganisation, '--server-name', 'localhost', '--offline-root']);
  });
  after(() => daemon?.stop());

  test('LeavesEachPersonAShareAndNothingThatOpensItWithFewer', async () => {
    assert.deepEqual(await readdir(daemon.file('shares')), [1, 2, 3, 4, 5].map((number) => `share-${number}.txt`));
    for (const { name, mode, is_folder } of [...await tree(root()), ...await tree(daemon.file('shares'))])
      assert.equal(mode, is_folder ? 0o700 : /root\.pem$|bundles\/\d+\.json$/.test(name) ? 0o644 : 0o600, name);
    const too_few = await sign(shares(1, 5), 'too-few');
    assert.equal(too_few.code, 2, too_few.stderr);
    assert.match(too_few.stderr, /\[share\.too_few\]/);
    const twice = await sign(shares(1, 1, 2), 'twice');
    assert.match(twice.stderr, /\[share\.twice\]/);
    const typed = readFileSync(daemon.file('shares/share-2.txt'), 'utf8');
    await writeFile(daemon.file('shares/mistyped.txt'), typed.replace(/[0-9a-f](?=\n)/, (digit) => (digit === '0' ? '1' : '0')));
    const mistyped = await sign([...shares(1, 3), '--share-file', daemon.file('shares/mistyped.txt')], 'mistyped');
    assert.match(mistyped.stderr, /mistyped\.txt.*\[share\.check\]/);
    for (const out of ['too-few', 'twice', 'mistyped']) assert.ok(!existsSync(daemon.file(out)), out);
  });

  test('IsWaitedForByTheSigner', async () => {
    assert.deepEqual((await readdir(requests())).sort(), kRoles.map((role) => `${role}.csr`));
    await must_run('openssl', ['req', '-verify', '-noout', '-in', path.join(requests(), 'escrow.csr')]);
    const { code, stderr } = await run('warifu-signer', ['status', '--dir', signer()]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[signer\.waiting\]/);
  });

  test('CertifiesTheSignersRolesByAnyThree', async () => {
    for (const [out, numbers] of [['roles-a', [1, 2, 3]], ['roles-b', [5, 3, 1]]]) {
      const signed = await sign(shares(...numbers), out);
      assert.equal(signed.code, 0, signed.stderr);
      for (const role of kRoles)
        await must_run('openssl', ['verify', '-x509_strict', '-CAfile', path.join(root(), 'root.pem'), daemon.file(`${out}/roles/${role}.pem`)]);
    }
    const { journal_entries } = JSON.parse(await must_run('warifu', ['root', 'status', '--dir', root(), '--json']));
    assert.equal(journal_entries, 2 + 2 * (kRoles.length + 1), 'the root, each certificate, each bundle');
  });

  test('PublishesATrustBundleWithEachChange', async () => {
    assert.deepEqual((await readdir(daemon.file('roles-b/bundles'))).sort(), [1, 2, 3].map((number) => `0000000${number}.json`));
    const { payload, signatures } = JSON.parse(readFileSync(daemon.file('roles-b/bundles/00000003.json'), 'utf8'));
    const bundle = JSON.parse(Buffer.from(payload, 'base64'));
    assert.equal(bundle.organisation, kOrganisation);
    assert.deepEqual(bundle.roles.map(({ role }) => role).sort(), kRoles);
    assert.equal(signatures.length, 1);
    // The signature, by openssl alone.
    const type = 'application/vnd.warifu.trust-bundle.v1+json';
    const body = Buffer.from(payload, 'base64');
    await writeFile(daemon.file('signed'), Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} `), body]));
    await writeFile(daemon.file('signature'), Buffer.from(signatures[0].sig, 'base64'));
    await writeFile(daemon.file('root-key.pem'), await must_run('openssl', ['x509', '-noout', '-pubkey', '-in', path.join(root(), 'root.pem')]));
    await must_run('openssl', ['dgst', '-sha384', '-verify', daemon.file('root-key.pem'), '-signature', daemon.file('signature'), daemon.file('signed')]);
  });

  test('RevokesAStolenRoleKeyByTheRevocationKeyAloneAndGoesOn', async () => {
    const desk = daemon.file('desk');
    await cp(root(), desk, { recursive: true });
    const at_root = async (verb, ...args) => JSON.parse(await must_run('warifu', ['root', verb, '--dir', desk, ...shares(1, 2, 3), '--out', daemon.file('after'), '--json', ...args])).bundle;
    assert.equal((await at_root('revoke', '--role', 'lifecycle-command', '--reason', 'key-compromise')).revoked, 1);
    const newest = JSON.parse(readFileSync(daemon.file('after/bundles/00000004.json'), 'utf8'));
    const bundle = JSON.parse(Buffer.from(newest.payload, 'base64'));
    assert.deepEqual(newest.signatures.map(({ keyid }) => keyid), bundle.revocation.keys.map((key) => createHash('sha256').update(Buffer.from(key, 'base64')).digest('hex')));
    assert.deepEqual(bundle.revoked.map(({ role, reason }) => [role, reason]), [['lifecycle-command', 'key-compromise']]);
    const again = await run('warifu', ['root', 'revoke', '--dir', desk, ...shares(1, 2, 3), '--role', 'lifecycle-command', '--reason', 'key-compromise']);
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stderr, /\[root\.role\]/);
    const renewed = await at_root('publish', '--days', '30');
    assert.deepEqual([renewed.version, renewed.revoked], [5, 1]);
    assert.ok(Date.parse(renewed.expires_at) < Date.now() + 31 * 86_400_000);
  });

  test('NoticesABundleThatIsMissingOrWasChanged', async () => {
    const copy = daemon.file('spoiled');
    await cp(root(), copy, { recursive: true });
    const file = path.join(copy, 'bundles/00000003.json');
    const good = readFileSync(file, 'utf8');
    const spoiled = JSON.parse(good);
    spoiled.payload = Buffer.from(Buffer.from(spoiled.payload, 'base64').toString().replace(kOrganisation, 'Another Power')).toString('base64');
    await writeFile(file, JSON.stringify(spoiled));
    assert.match((await run('warifu', ['root', 'status', '--dir', copy])).stderr, /\[bundle\.organisation\]/);
    await writeFile(file, good);
    await rm(path.join(copy, 'bundles/00000002.json'));
    assert.match((await run('warifu', ['root', 'status', '--dir', copy])).stderr, /\[root\.bundles\]/);
  });

  test('SignsNothingForAnotherOrganisation', async () => {
    const other = daemon.file('other-signer');
    await must_run('warifu-signer', ['init', '--dir', other, '--org', 'Another', '--offline-root']);
    const { code, stderr } = await run('warifu', ['root', 'sign', '--dir', root(), ...shares(1, 2, 3), '--requests', path.join(other, 'requests'), '--out', daemon.file('out')]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[root\.requests\]/);
    assert.ok(!existsSync(daemon.file('out')));
    const installed = await run('warifu-signer', ['install', '--dir', other, '--from', daemon.file('roles-a')]);
    assert.equal(installed.code, 1, installed.stderr);
    assert.match(installed.stderr, /\[signer\.install\]/);
    assert.ok(!existsSync(path.join(other, 'root.pem')));
  });

  test('MakesAnOrganisationThatHasNoRootKey', async () => {
    await must_run('warifud', ['init', '--data-dir', daemon.data_dir, '--org', kOrganisation, '--roles-from', daemon.file('roles-a'), '--json']);
    assert.ok(!existsSync(path.join(daemon.data_dir, 'root')));
    assert.equal(readFileSync(path.join(daemon.data_dir, 'trust/root.pem'), 'utf8'), readFileSync(path.join(root(), 'root.pem'), 'utf8'));
    await daemon.serve();
    const renewed = await daemon.warifud('certificate renew');
    assert.equal(renewed.code, 0, renewed.stderr);
    await daemon.halt();
  });

  test('IsRestoredFromItsSharesOnAnotherMachine', async () => {
    const copy = daemon.file('copy-of-the-stick');
    await cp(root(), copy, { recursive: true });
    const all = [2, 4, 5].map((number) => readFileSync(daemon.file(`shares/share-${number}.txt`), 'utf8')).join('');
    const { code, stderr } = await run('warifu', ['root', 'sign', '--dir', copy, '--share-file', '-', '--requests', requests(), '--out', daemon.file('restored')], { input: all });
    assert.equal(code, 0, stderr);
    await must_run('openssl', ['verify', '-CAfile', path.join(root(), 'root.pem'), daemon.file('restored/roles/escrow.pem')]);
  });

  test('GetsNewSharesAndTheOldOnesOpenNothing', async () => {
    await must_run('warifu', ['root', 'passphrase', '--dir', root(), ...shares(1, 2, 3), '--shares', '2/3', '--shares-out', daemon.file('new-shares')]);
    const old = await sign(shares(1, 2, 3), 'by-old');
    assert.equal(old.code, 1, old.stderr);
    assert.match(old.stderr, /\[key_file\.passphrase\]/);
    const mixed = await sign([...shares(1), '--share-file', daemon.file('new-shares/share-2.txt')], 'by-mixed');
    assert.match(mixed.stderr, /\[share\.set\]/);
    const by_new = [1, 3].flatMap((number) => ['--share-file', daemon.file(`new-shares/share-${number}.txt`)]);
    assert.equal((await sign(by_new, 'by-new')).code, 0);
  });

  test('IsNotLostWithSharesThatNobodyReceives', async () => {
    const secret = [1, 2].flatMap((number) => ['--share-file', daemon.file(`new-shares/share-${number}.txt`)]);
    const over = await run('warifu', ['root', 'passphrase', '--dir', root(), ...secret, '--shares', '2/3', '--shares-out', daemon.file('new-shares')]);
    assert.equal(over.code, 1, over.stderr);
    assert.match(over.stderr, /\[root\.shares\]/);
    const into_nothing = await run('sh', ['-c', 'exec "$0" "$@" >/dev/full', binary('warifu'), 'root', 'passphrase', '--dir', root(), ...secret, '--shares', '2/3']);
    assert.equal(into_nothing.code, 3, into_nothing.stderr);
    assert.equal((await sign(secret, 'still')).code, 0, 'the shares of before open it');
  });

  test('CertifiesNoRevokedKeyAgainAndOneKeyARole', async () => {
    const secret = [1, 2].flatMap((number) => ['--share-file', daemon.file(`new-shares/share-${number}.txt`)]);
    await must_run('warifu', ['root', 'revoke', '--dir', root(), ...secret, '--role', 'escrow', '--reason', 'superseded']);
    const again = await sign(secret, 'revoked');
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stderr, /\[root\.revoked\]/);
    assert.ok(!existsSync(daemon.file('revoked')));
    await cp(path.join(requests(), 'code-signing.csr'), path.join(requests(), 'code-signing-2.csr'));
    assert.match((await sign(secret, 'double')).stderr, /two requests are for the role code-signing.*\[root\.requests\]/);
  });

  test('HasItsSharesNowhereInTheClear', async () => {
    const parts = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`share ${number}`, readFileSync(daemon.file(`shares/share-${number}.txt`), 'utf8').trim().split('-')[7]]));
    for (const folder of [root(), daemon.data_dir]) assert.deepEqual(await places_of(parts, folder), []);
  });
});

describe('A root on the server\'s machine', () => {
  let daemon;
  before(async () => (daemon = await Daemon.init()));
  after(() => daemon && remove(daemon.folder));
  const root = () => path.join(daemon.data_dir, 'root');

  test('SaysThatItsPassphraseLiesBesideIt', async () => {
    assert.match(await must_run('warifu', ['root', 'status', '--dir', root()]), /Its passphrase lies beside it/);
    assert.equal(JSON.parse(await must_run('warifu', ['root', 'status', '--dir', root(), '--json'])).passphrase_beside_it, true);
  });

  test('IsSharedAndCarriedAwayAndTheServerGoesOn', async () => {
    const printed = await must_run('warifu', ['root', 'passphrase', '--dir', root(), '--passphrase-file', path.join(root(), 'passphrase'), '--shares', '2/2']);
    assert.equal(printed.match(/^warifu-share-v1-/gm).length, 2);
    assert.ok(!existsSync(path.join(root(), 'passphrase')));
    assert.equal(JSON.parse(await must_run('warifu', ['root', 'status', '--dir', root(), '--json'])).passphrase_beside_it, false);
    await cp(root(), daemon.file('safe'), { recursive: true });
    await rm(root(), { recursive: true });
    assert.equal((await daemon.warifud('certificate renew')).code, 0);
    await daemon.write('passphrase', 'correct horse battery staple');
    assert.equal((await daemon.warifud('backup', ['--output', daemon.file('backup'), '--passphrase-file', daemon.file('passphrase')])).code, 0);
    assert.equal(statSync(daemon.file('safe/root.json')).mode & 0o777, 0o600);
  });
});

describe('A change of the root at its desk', () => {
  let daemon;
  before(async () => (daemon = await Daemon.init()));
  after(() => daemon && remove(daemon.folder));
  const root = () => path.join(daemon.data_dir, 'root');
  const at_root = (verb, ...args) => run('warifu', ['root', verb, '--dir', root(), '--passphrase-file', path.join(root(), 'passphrase'), ...args]);
  const status = () => must_run('warifu', ['root', 'status', '--dir', root()]);

  test('IsAsBeforeWhenItCannotBeHandedOver', async () => {
    const untouched = await status();
    const { code, stderr } = await at_root('rotate', '--out', await daemon.write('file', ''));
    assert.notEqual(code, 0, stderr);
    assert.equal(await status(), untouched);
  });

  test('IsHandedOverAgainAndNotChangedAgain', async () => {
    assert.equal((await at_root('rotate')).code, 0);
    const again = await at_root('rotate', '--out', daemon.file('again'));
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stderr, /\[root\.rotate\]/);
    assert.equal((await at_root('publish', '--out', daemon.file('out'))).code, 0);
    assert.equal(readFileSync(daemon.file('out/root.pem'), 'utf8'), readFileSync(path.join(root(), 'root.pem'), 'utf8'));
    assert.deepEqual((await readdir(daemon.file('out/bundles'))).sort(), (await readdir(path.join(root(), 'bundles'))).sort());
    assert.equal((await at_root('rotate', '--finish')).code, 0);
    assert.equal((await at_root('rotate', '--out', daemon.file('out'))).code, 0, 'a second change');
  });
});

describe('warifu root', () => {
  let daemon;
  before(async () => (daemon = await Daemon.prepare()));
  after(() => daemon && remove(daemon.folder));

  for (const [what, args, code] of [
    ['no secret', [], 'root.secret'],
    ['two secrets', ['--shares', '2/3', '--passphrase-file', 'x'], 'root.secret'],
    ['one of one', ['--shares', '1/1'], 'share.scheme'],
    ['three of two', ['--shares', '3/2'], 'share.scheme'],
    ['many', ['--shares', 'most'], 'share.scheme'],
    ['a curve that is none', ['--shares', '2/3', '--curve', 'P-521'], 'key.curve'],
  ]) {
    test(`Is not made with ${what}`, async () => {
      const { code: exit, stdout, stderr } = await run('warifu', ['root', 'init', '--dir', daemon.file(what), '--org', 'x', ...args]);
      assert.equal(exit, 2, stderr);
      assert.equal(stdout, '', 'no share is shown');
      assert.ok(stderr.includes(`[${code}]`), stderr);
      assert.ok(!existsSync(daemon.file(what)));
    });
  }

  test('TakesAPassphraseOfTwelveCharactersAndIsMadeOnce', async () => {
    const init = (passphrase) => run('warifu', ['root', 'init', '--dir', daemon.file('made'), '--org', 'x', '--passphrase-file', '-'], { input: passphrase });
    assert.match((await init('too short\n')).stderr, /\[root\.passphrase\.short\]/);
    const made = await init('long enough for us\n');
    assert.equal(made.code, 0, made.stderr);
    assert.match((await init('long enough for us\n')).stderr, /\[root\.exists\]/);
  });
});
