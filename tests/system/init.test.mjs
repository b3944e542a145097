// `warifud init` on a real disk: what it makes, what it keeps to itself, and what it refuses.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, must_run, names_in, places_of, remove, run, tree, without } from './lib/daemon.mjs';

const kRoles = ['code-signing', 'endpoint-identity', 'escrow', 'lifecycle-command', 'peer-communication', 'server-communication'];
const kFiles = [
  'database/warifu.sqlite3', 'node/identity.pem', ...kRoles.map((role) => `roles/${role}.pem`),
  'root/bundles/00000001.json', 'root/journal/journal-00000001.jsonl', 'root/keys-1/revocation.key', 'root/keys-1/root.key', 'root/passphrase', 'root/root.json', 'root/root.pem',
  'secrets/master.key',
  'signer/bundles/00000001.json', 'signer/journal/journal-00000001.jsonl', ...kRoles.map((role) => `signer/keys/${role}.1.key`), ...kRoles.map((role) => `signer/roles/${role}.pem`),
  'signer/root.pem', 'signer/signer.json', 'signer/unlock.key', 'trust/bundles/00000001.json', 'trust/root.pem',
];
const kPublic = /roles\/[^/]*\.pem$|root\.pem$|bundles\/\d+\.json$/;

/** The content of every file, by name. */
async function contents(folder) {
  const files = (await tree(folder)).filter(({ is_folder }) => !is_folder);
  return Object.fromEntries(files.map(({ name, file }) => [name, crypto.createHash('sha256').update(readFileSync(file)).digest('hex')]));
}

describe('A new data directory', () => {
  let daemon;
  let printed;
  before(async () => {
    daemon = await Daemon.prepare();
    printed = await must_run('warifud', ['init', '--data-dir', daemon.data_dir, '--org', 'Example Power', '--server-name', 'dps.example.com', '--server-name', '192.0.2.7', '--json']);
  });
  after(() => daemon && remove(daemon.folder));

  test('IsToldAsOneJsonObject', () => {
    const json = JSON.parse(printed);
    assert.deepEqual(Object.keys(json).sort(), ['bootstrap_token', 'id_scope', 'root_certificate']);
    assert.match(json.id_scope, /^[A-Za-z0-9]{4,}$/);
    assert.match(json.bootstrap_token, /^warifu_bootstrap_[\w-]{43}$/);
    assert.equal(json.root_certificate, path.join(daemon.data_dir, 'trust/root.pem'));
    assert.equal(printed.trim().split('\n').length, 1);
  });

  test('HasItsDocumentedFilesAndNoOthers', async () => {
    const files = (await tree(daemon.data_dir)).filter(({ is_folder }) => !is_folder).map(({ name }) => name);
    assert.deepEqual(files, kFiles);
  });

  test('OpensToItsOwnerOnly', async () => {
    assert.equal(statSync(daemon.data_dir).mode & 0o777, 0o700);
    for (const { name, mode, is_folder } of await tree(daemon.data_dir)) {
      if (is_folder) assert.equal(mode, 0o700, `${name} has mode ${mode.toString(8)}`);
      else if (kPublic.test(name)) assert.ok([0o600, 0o644].includes(mode), `${name} has mode ${mode.toString(8)}`);
      else assert.equal(mode, 0o600, `${name} has mode ${mode.toString(8)}`);
    }
  });

  test('HoldsNoPrivateKeyInTheClear', async () => {
    const secrets = { 'a PKCS #8 key': '-----BEGIN PRIVATE KEY', 'an EC key': '-----BEGIN EC PRIVATE KEY', 'an RSA key': '-----BEGIN RSA PRIVATE KEY' };
    assert.deepEqual(await places_of(secrets, daemon.data_dir), []);
    assert.match(await readFile(path.join(daemon.data_dir, 'node/identity.pem'), 'latin1'), /-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const keys = kFiles.filter((file) => /keys(-1)?\/.*\.key$/.test(file));
    assert.equal(keys.length, kRoles.length + 2);
    for (const name of keys) {
      const file = JSON.parse(await readFile(path.join(daemon.data_dir, name), 'utf8'));
      assert.equal(file.format, 'warifu.key.v1', name);
      assert.ok(file.sealed.length > 200, name);
    }
  });

  test('HoldsTheMasterKeyInOnePlaceOnly', async () => {
    const key = readFileSync(path.join(daemon.data_dir, 'secrets/master.key'));
    assert.equal(key.length, 32);
    assert.deepEqual(await places_of({ 'the master key': key }, daemon.data_dir), ['secrets/master.key holds the master key (as it is)']);
  });

  test('DoesNotHoldTheBootstrapTokenEvenWhileServed', async () => {
    const token = JSON.parse(printed).bootstrap_token;
    const secrets = { 'the token': token, 'its random part': token.slice('warifu_bootstrap_'.length), 'its bytes': Buffer.from(token.slice('warifu_bootstrap_'.length), 'base64url') };
    assert.deepEqual(await places_of(secrets, daemon.data_dir), []);
    await daemon.serve();
    try {
      const made_later = await daemon.new_bootstrap_token();
      assert.ok(existsSync(`${daemon.database}-wal`), 'the write-ahead log is there while the server runs');
      assert.deepEqual(await places_of({ ...secrets, 'a later token': made_later }, daemon.data_dir), []);
    } finally {
      await daemon.halt();
    }
    assert.deepEqual(names_in(secrets, daemon.log), []);
  });

  test('HasACertificateChainThatOpensslVerifies', async () => {
    const role = path.join(daemon.data_dir, 'roles/server-communication.pem');
    const leaf = await daemon.write('leaf.pem', /-----BEGIN CERTIFICATE[^]*?END CERTIFICATE-----\n/.exec(await readFile(path.join(daemon.data_dir, 'node/identity.pem'), 'utf8'))[0]);
    const verify = ['verify', '-x509_strict', '-CAfile', daemon.ca, '-untrusted', role, '-purpose', 'sslserver'];
    for (const name of [['-verify_hostname', 'dps.example.com'], ['-verify_hostname', 'localhost'], ['-verify_ip', '192.0.2.7'], ['-verify_ip', '127.0.0.1'], ['-verify_ip', '::1']])
      await must_run('openssl', [...verify, ...name, leaf]);
    for (const name of [['-verify_hostname', 'other.example.com'], ['-verify_ip', '192.0.2.8']])
      assert.notEqual((await run('openssl', [...verify, ...name, leaf])).code, 0, `${name} is not this server's`);
    const { subjectAltName, ca } = new crypto.X509Certificate(readFileSync(leaf));
    assert.deepEqual(subjectAltName.split(', ').sort(), ['DNS:dps.example.com', 'DNS:localhost', 'IP Address:0:0:0:0:0:0:0:1', 'IP Address:127.0.0.1', 'IP Address:192.0.2.7']);
    assert.equal(ca, false);
    assert.equal(new crypto.X509Certificate(readFileSync(role)).ca, true);
  });

  test('IsNotMadeTwice', async () => {
    const before_it = await contents(daemon.data_dir);
    const { code, stdout, stderr } = await run('warifud', ['init', '--data-dir', daemon.data_dir, '--org', 'Another', '--json']);
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /holds an organisation already/);
    assert.deepEqual(await contents(daemon.data_dir), before_it);
  });
});

describe('init', () => {
  let daemon;
  before(async () => (daemon = await Daemon.prepare()));
  after(() => daemon && remove(daemon.folder));

  for (const [what, args] of [
    ['no name', ['--org', '']],
    ['a name that does not fit into a certificate', ['--org', 'x'.repeat(61)]],
    ['a name that does not fit beside the role', ['--org', 'x'.repeat(60)]],
    ['a name with a line break', ['--org', 'a\nb']],
    ['a wildcard', ['--org', 'x', '--server-name', '*.example.com']],
    ['an empty server name', ['--org', 'x', '--server-name', '']],
    ['a URL for a server name', ['--org', 'x', '--server-name', 'https://dps.example.com']],
    ['a server name with a space', ['--org', 'x', '--server-name', 'dps example']],
    ['no organisation', []],
    ['an unknown flag', ['--org', 'x', '--colour', 'red']],
  ]) {
    test(`Refuses ${what} and leaves nothing behind`, async () => {
      const data_dir = daemon.file(what);
      const { code, stdout, stderr } = await run('warifud', ['init', '--data-dir', data_dir, ...args, '--json']);
      assert.equal(code, 2, `exit ${code}: ${stderr}`);
      assert.equal(stdout, '');
      assert.notEqual(stderr.trim() , '', 'says why');
      assert.deepEqual(existsSync(data_dir) ? (await tree(data_dir)).map(({ name }) => name) : [], [], 'what is left');
    });
  }

  test('TakesTheLongestNameAndOtherScripts', async () => {
    for (const [i, org] of ['x'.repeat(43), '東京電力グリッド', 'Müller & Söhne "GmbH", Köln'].entries()) {
      const data_dir = daemon.file(`named-${i}`);
      await must_run('warifud', ['init', '--data-dir', data_dir, '--org', org, '--json']);
      const { subject } = new crypto.X509Certificate(readFileSync(path.join(data_dir, 'trust/root.pem')));
      assert.match(subject, /CN=/);
    }
  });

  test('ProtectsAFolderThatWasOpenToOthers', async () => {
    const data_dir = daemon.file('open-folder');
    await mkdir(data_dir);
    await chmod(data_dir, 0o755);
    await must_run('warifud', ['init', '--data-dir', data_dir, '--org', 'x']);
    assert.equal(statSync(data_dir).mode & 0o777, 0o700, 'the folder itself');
    for (const { name, mode, is_folder } of await tree(data_dir)) if (is_folder) assert.equal(mode, 0o700, name);
  });

  test('BringsTheFoldersOwnNameToTheDisk', { skip: without('strace') }, async () => {
    for (const [name, slash] of [['synced', ''], ['synced-too', '/']]) {
      const { code, stderr } = await run('strace', ['-f', '-y', '-e', 'trace=fsync', binary('warifud'), 'init', '--data-dir', daemon.file(name) + slash, '--org', 'x']);
      assert.equal(code, 0, stderr);
      assert.ok(stderr.includes(`<${daemon.file(name)}>)`), 'the trace shows what is synced');
      assert.ok(stderr.includes(`<${daemon.folder}>)`), `the folder that holds ${name}${slash} is synced`);
    }
  });

  test('SaysWhereItCannotWrite', async () => {
    const { code, stderr } = await run('warifud', ['init', '--data-dir', '/nowhere/to/be/found', '--org', 'x']);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /\/nowhere\/to\/be\/found/);
  });
});

describe('An organisation whose database is elsewhere', () => {
  let daemon;
  let elsewhere;
  before(async () => {
    daemon = await Daemon.init();
    elsewhere = daemon.file('elsewhere.sqlite3');
    await rename(daemon.database, elsewhere);
    await daemon.write('passphrase', 'correct horse battery staple');
  });
  after(() => daemon && remove(daemon.folder));

  const commands = () => [
    ['bootstrap-token', []], ['routes', []], ['certificate renew', []],
    ['backup', ['--output', daemon.file('backup'), '--passphrase-file', daemon.file('passphrase')]],
  ];

  test('IsNotFoundWithoutBeingToldWhereAndNoEmptyDatabaseIsMade', async () => {
    const missing = daemon.file('missing.sqlite3');
    for (const [place, args] of [[daemon.database, []], [missing, ['--database', `sqlite:${missing}`]]]) {
      for (const [verb, more] of commands()) {
        const { code, stdout, stderr } = await daemon.warifud(verb, [...more, ...args]);
        assert.equal(code, 1, `${verb}: exit ${code}: ${stderr}`);
        assert.equal(stdout, '');
        assert.ok(stderr.includes(`there is no database at ${place}`), `${verb}: ${stderr}`);
      }
      const { code, stderr } = await daemon.try_serve({ args: daemon.serve_args(args) });
      assert.equal(code, 1, stderr);
      assert.ok(stderr.includes(`there is no database at ${place}`), stderr);
    }
    assert.ok(!existsSync(missing));
    assert.deepEqual(await readdir(path.dirname(daemon.database)), []);
  });

  test('IsFoundByEveryCommand', async () => {
    for (const [verb, more] of commands()) {
      const { code, stderr } = await daemon.warifud(verb, [...more, '--database', `sqlite:${elsewhere}`]);
      assert.equal(code, 0, `${verb}: ${stderr}`);
    }
    await daemon.serve({ args: daemon.serve_args(['--database', `sqlite:${elsewhere}`]) });
    await daemon.halt();
    assert.deepEqual(await readdir(path.dirname(daemon.database)), []);
  });

  test('IsNotMadeAgain', async () => {
    const { code, stderr } = await daemon.warifud('init', ['--org', 'Another']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /holds an organisation already/);
  });
});

describe('Every command', () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.init();
    await daemon.write('passphrase', 'correct horse battery staple');
  });
  after(() => daemon && remove(daemon.folder));

  test('ForbidsCoreDumpsBeforeItReadsAKey', { skip: without('strace') }, async () => {
    const backup = daemon.file('backup');
    const passphrase = ['--passphrase-file', daemon.file('passphrase')];
    for (const [verb, args, secret] of [
      ['init', ['--data-dir', daemon.file('new'), '--org', 'x'], /\/root\/passphrase/],
      ['bootstrap-token', ['--data-dir', daemon.data_dir], /master\.key"/],
      ['routes', ['--data-dir', daemon.data_dir], /master\.key"/],
      ['certificate renew', ['--data-dir', daemon.data_dir], /master\.key"/],
      ['backup', ['--data-dir', daemon.data_dir, '--output', backup, ...passphrase], /master\.key"/],
      ['restore', ['--input', backup, '--data-dir', daemon.file('restored'), ...passphrase], /passphrase"/],
    ]) {
      const { code, stderr } = await run('strace', ['-f', '-s', '4096', '-e', 'trace=prctl,openat', binary('warifud'), ...verb.split(' '), ...args]);
      assert.equal(code, 0, `${verb}: ${stderr.slice(-2000)}`);
      const forbidden = stderr.search(/prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) = 0/);
      assert.ok(stderr.search(secret) > 0, `${verb}: the trace shows the secret`);
      assert.ok(forbidden >= 0 && forbidden < stderr.search(secret), `${verb} forbids core dumps first`);
    }
  });

  test('SaysWhenItsOutputTakesNoMoreInsteadOfEndingByASignal', async () => {
    // Standard output is open for reading only, and has no buffer: each write fails, and raises no signal.
    const { code, stderr } = await run('sh', ['-c', 'exec stdbuf -o0 "$0" routes --json --data-dir "$1" 1</dev/null', binary('warifud'), daemon.data_dir]);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^error: .*Bad file descriptor.*\[exception\]/m);
  });
});
