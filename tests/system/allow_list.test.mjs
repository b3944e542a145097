// Allow lists of Debian packages that dpkg-deb builds, from files and from a repository that a throw-away key signs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, copyFile, link, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { binary } from '../interop/lib/server.mjs';
import { must_run, run, without } from './lib/daemon.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const digest = (content) => `sha256:${sha256(content)}`;
const skip = without('dpkg-deb') || without('gpg') || without('gpgv');

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-list-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const at = (...parts) => path.join(folder, ...parts);
async function put(where, content) {
  await mkdir(path.dirname(where), { recursive: true });
  await writeFile(where, content);
}

/** A .deb of these files: {"bin/x": content}. */
async function build(name, version, files, { compression = 'xz', more = async () => {} } = {}) {
  const root = await mkdtemp(at('root-'));
  await chmod(root, 0o755);
  await put(path.join(root, 'DEBIAN/control'), `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: T <t@example.com>\nDescription: a test\n`);
  await chmod(path.join(root, 'DEBIAN'), 0o755);
  for (const [file, content] of Object.entries(files)) await put(path.join(root, file), content);
  await more(root);
  const deb = at(`${name}_${version}_amd64.deb`);
  await must_run('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', root, deb]);
  return deb;
}

async function allow_list(...args) {
  const { code, stdout, stderr } = await run('warifu', ['policy', 'allow-list', ...args]);
  assert.equal(code, 0, stderr);
  const told = JSON.parse(stdout);
  assert.equal(told.format, 'warifu.evidence-policy.v1');
  return { files: Object.fromEntries((told.ima?.files ?? []).map(({ path: name, digests }) => [name, digests])), stdout, stderr };
}
async function refused(code, pattern, ...args) {
  const outcome = await run('warifu', ['policy', 'allow-list', ...args]);
  assert.equal(outcome.code, code, outcome.stdout + outcome.stderr);
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, pattern);
}

describe('warifu policy allow-list, of files', { skip }, () => {
  test('HasWhatTheKernelMeasuresWhateverCompressionWasTaken', async () => {
    for (const compression of ['none', 'gzip', 'xz', 'zstd']) {
      const deb = await build('tool', `1-${compression}`, { 'bin/tool': 'tool', 'usr/lib/two words': 'words', 'etc/tool.conf': '' }, {
        compression,
        more: async (root) => {
          await link(path.join(root, 'bin/tool'), path.join(root, 'bin/other'));
          await symlink('tool', path.join(root, 'bin/soft'));
        },
      });
      const { files, stderr } = await allow_list(deb);
      assert.deepEqual(files, {
        '/usr/bin/tool': [digest('tool')], '/usr/bin/other': [digest('tool')], '/usr/lib/two_words': [digest('words')], '/etc/tool.conf': [digest('')],
      }, compression);
      assert.match(stderr, /tool_1-\w+_amd64\.deb: 4 files/);
      const unmerged = await allow_list('--unmerged-usr', '--quiet', deb);
      assert.ok(unmerged.files['/bin/tool'] && !unmerged.files['/usr/bin/tool']);
      assert.equal(unmerged.stderr, '');
    }
  });

  test('SeveralVersionsAreGoodTogetherAndThePolicyIsTaken', async () => {
    const [one, two] = [await build('v', '1', { 'usr/bin/v': 'one', 'usr/bin/w': 'w' }), await build('v', '2', { 'usr/bin/v': 'two', 'usr/bin/w': 'w' })];
    const { files, stdout } = await allow_list(one, two);
    assert.deepEqual(files['/usr/bin/v'].toSorted(), [digest('one'), digest('two')].toSorted());
    assert.deepEqual(files['/usr/bin/w'], [digest('w')]);
    await writeFile(at('list.json'), stdout);
    assert.equal((await run('warifu', ['policy', 'check', at('list.json')])).code, 0);
  });

  test('WhatIsNoPackageOrATruncatedOneIsRefusedByName', async () => {
    const whole = await readFile(await build('cut', '1', { 'usr/bin/cut': 'x'.repeat(100_000) }));
    for (const size of [0, 7, 100, whole.length - 100]) {
      await writeFile(at('cut.deb'), whole.subarray(0, size));
      await refused(2, /cut\.deb.*deb\.format/, at('cut.deb'));
    }
    await refused(2, /file\.read/, at('absent.deb'));
    await refused(2, /debian\.packages/);
  });
});

describe('warifu policy allow-list, of a repository', { skip }, () => {
  const home = () => at('gpg');
  const gpg = (...args) => must_run('gpg', ['--homedir', home(), '--batch', '--yes', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args]);
  const repository = () => at('mirror');
  const release_file = () => path.join(repository(), 'dists/bookworm/Release');
  let debs;

  async function sign(text, key = 'archive@example.com') {
    await writeFile(release_file(), text);
    await gpg('--local-user', key, '--clearsign', '--output', path.join(repository(), 'dists/bookworm/InRelease'), release_file());
  }
  const release = (indices, more = '') => `Suite: stable\nCodename: bookworm\n${more}SHA256:\n${
    Object.entries(indices).map(([name, content]) => ` ${sha256(content)} ${content.length} ${name}`).join('\n')}\n`;
  async function index(edit = (text) => text) {
    const stanzas = await Promise.all(debs.map(async (deb) => {
      const [name, version] = path.basename(deb).split('_');
      const content = await readFile(deb);
      await put(path.join(repository(), 'pool', path.basename(deb)), content);
      return `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nFilename: pool/${path.basename(deb)}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`;
    }));
    const packed = gzipSync(Buffer.from(edit(stanzas.join('\n'))));
    await put(path.join(repository(), 'dists/bookworm/main/binary-amd64/Packages.gz'), packed);
    return packed;
  }
  /** The repository as it should be. */
  async function publish(more = '') {
    await sign(release({ 'main/binary-amd64/Packages.gz': await index() }, more));
  }
  const options = (...more) => ['--mirror', repository(), '--suite', 'bookworm', '--keyring', at('keyring.gpg'), ...more];

  before(async () => {
    await mkdir(home(), { mode: 0o700 });
    for (const key of ['archive@example.com', 'stranger@example.com']) await gpg('--quick-generate-key', key, 'ed25519', 'sign', 'never');
    await gpg('--output', at('keyring.gpg'), '--export', 'archive@example.com');
    debs = [
      await build('alpha', '1.0-1', { 'usr/bin/alpha': 'alpha 1' }), await build('alpha', '1.0-2', { 'usr/bin/alpha': 'alpha 2' }),
      await build('beta', '2+b1', { 'lib/beta.so': 'beta' }), await build('gamma', '3', { 'usr/bin/gamma': 'gamma' }),
    ];
    await publish();
  });
  after(() => run('gpgconf', ['--homedir', home(), '--kill', 'all']));

  test('TakesThePackagesThatAreNamed', async () => {
    const { files, stderr } = await allow_list(...options('--package', 'alpha', '--package', 'beta=2+b1'));
    assert.deepEqual(files, { '/usr/bin/alpha': [digest('alpha 1'), digest('alpha 2')].toSorted(), '/usr/lib/beta.so': [digest('beta')] });
    assert.match(stderr, /bookworm: 4 packages[^]*\[1\/3\] alpha_1\.0-1_amd64\.deb: 1 files/);
    await refused(1, /nothing=1.*debian\.missing/, ...options('--package', 'nothing=1', '--package', 'beta'));
    await refused(1, /debian\.release/, ...options('--package', 'beta', '--component', 'contrib'));
  });

  test('TakesWhatADeviceHasInstalled', async () => {
    const entry = (name, version, status = 'install ok installed') => `Package: ${name}\nStatus: ${status}\nVersion: ${version}\nArchitecture: amd64\nConffiles:\n /etc/x 0123\n\n`;
    await writeFile(at('status'), entry('alpha', '1.0-2') + entry('gamma', '3', 'deinstall ok config-files') + entry('beta', '2+b1'));
    const { files } = await allow_list(...options('--dpkg-status', at('status')));
    assert.deepEqual(files, { '/usr/bin/alpha': [digest('alpha 2')], '/usr/lib/beta.so': [digest('beta')] });
    await writeFile(at('status'), entry('alpha', '1.0-3') + entry('beta', '2+b1'));
    await refused(1, /alpha=1\.0-3 \(amd64\).*debian\.missing/, ...options('--dpkg-status', at('status')));
    const skipped = await allow_list(...options('--dpkg-status', at('status'), '--skip-missing'));
    assert.deepEqual(Object.keys(skipped.files), ['/usr/lib/beta.so']);
    assert.match(skipped.stderr, /warning: 1 packages are in none/);
  });

  test('NothingIsTakenThatNobodySigned', async () => {
    const good = release({ 'main/binary-amd64/Packages.gz': await index() });
    await sign(good, 'stranger@example.com');
    await refused(1, /debian\.signature/, ...options('--package', 'beta'));
    await sign(good);
    const in_release = path.join(repository(), 'dists/bookworm/InRelease');
    const signed = await readFile(in_release, 'utf8');
    await writeFile(in_release, signed.replace('Codename: bookworm', 'Codename: bullseye'));
    await refused(1, /debian\.signature/, ...options('--package', 'beta'));
    await writeFile(in_release, good);
    await refused(1, /debian\.signature/, ...options('--package', 'beta'));
    // What stands around the signed text is not of it.
    await writeFile(in_release, `${release({ 'main/binary-amd64/Packages.gz': Buffer.from('forged') })}\n${signed}`);
    const around = await run('warifu', ['policy', 'allow-list', ...options('--package', 'beta')]);
    if (around.code === 0) assert.deepEqual(JSON.parse(around.stdout).ima.files.map(({ path: name }) => name), ['/usr/lib/beta.so']);
    else assert.match(around.stderr, /debian\.signature/);
    await publish();
    await refused(2, /debian\.keyring/, '--mirror', repository(), '--suite', 'bookworm', '--keyring', at('absent.gpg'), '--package', 'beta');
    await allow_list(...options('--package', 'beta'));
  });

  test('AnotherSuiteOrAnOldReleaseIsRefused', async () => {
    const packages = { 'main/binary-amd64/Packages.gz': await index() };
    await sign(release(packages).replace('bookworm', 'bullseye'));
    await refused(1, /debian\.release/, ...options('--package', 'beta'));
    await sign(release(packages, 'Valid-Until: Sat, 15 Nov 2025 09:52:17 UTC\n'));
    await refused(1, /debian\.expired/, ...options('--package', 'beta'));
    await allow_list(...options('--package', 'beta', '--ignore-valid-until'));
    await sign(release(packages, 'Valid-Until: Fri, 15 Nov 2097 09:52:17 UTC\n'));
    await allow_list(...options('--package', 'beta'));
    await publish();
  });

  test('AnIndexOrAPackageThatIsAnotherIsRefused', async () => {
    const pool = path.join(repository(), 'pool', 'beta_2+b1_amd64.deb');
    const good = await readFile(pool);
    const other = Buffer.from(good);
    other[other.length - 200] ^= 1;
    for (const content of [other, await readFile(debs[3]), good.subarray(1), Buffer.concat([good, Buffer.from('x')])]) {
      await writeFile(pool, content);
      await refused(1, /beta_2\+b1_amd64\.deb.*debian\.(digest|size)/, ...options('--package', 'beta'));
    }
    await writeFile(pool, good);
    const packages = path.join(repository(), 'dists/bookworm/main/binary-amd64/Packages.gz');
    const signed = await readFile(packages);
    await writeFile(packages, Buffer.from(signed.toReversed()));
    await refused(1, /Packages\.gz.*debian\.digest/, ...options('--package', 'beta'));
    // A path that leads elsewhere, though it is signed.
    await sign(release({ 'main/binary-amd64/Packages.gz': await index((text) => text.replace('pool/beta', '../../beta')) }));
    await refused(2, /debian\.path/, ...options('--package', 'beta'));
    await publish();
  });

  test('WithoutGpgvItSaysSo', async () => {
    const { code, stderr } = await run('warifu', ['policy', 'allow-list', ...options('--package', 'beta')], { environment: { PATH: '/nowhere' } });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /apt-get install gpgv.*debian\.gpgv/);
  });

  test('ACacheSparesFetchingAndIsNotBelieved', async () => {
    await mkdir(at('cache'), { recursive: true });
    const cached = options('--package', 'gamma', '--cache', at('cache'));
    const first = await allow_list(...cached);
    const [name] = await readdir(at('cache'));
    const pool = path.join(repository(), 'pool', 'gamma_3_amd64.deb');
    const content = await readFile(pool);
    await rm(pool);
    assert.deepEqual((await allow_list(...cached)).files, first.files);
    await copyFile(debs[2], at('cache', name));
    await refused(3, /debian\.fetch/, ...cached);
    await writeFile(pool, content);
    assert.deepEqual((await allow_list(...cached)).files, first.files);
    assert.equal((await stat(at('cache', name))).size, content.length);
  });

  test('ACacheIsReadOnceAndWhatWasHashedIsUnpacked', { skip: without('strace') }, async () => {
    const cache = at('once');
    await mkdir(cache);
    const cached = options('--package', 'gamma', '--cache', cache);
    const first = await allow_list(...cached);
    const [name] = await readdir(cache);
    const trace = at('opened');
    const { code, stdout, stderr } = await run('strace', ['-f', '-e', 'trace=open,openat', '-o', trace, binary('warifu'), 'policy', 'allow-list', ...cached]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(Object.fromEntries(JSON.parse(stdout).ima.files.map((file) => [file.path, file.digests])), first.files);
    const opened = (await readFile(trace, 'utf8')).split('\n').filter((line) => line.includes(name));
    assert.equal(opened.length, 1, opened.join('\n'));
  });

  test('ComesOverHttpAndEndsWhereMoreComesThanWasSaid', async () => {
    const asked = [];
    let answer = async (where) => readFile(where);
    const server = http.createServer(async (request, response) => {
      asked.push(request.url);
      try {
        response.end(await answer(path.join(repository(), decodeURIComponent(request.url))));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
    try {
      const mirror = ['--mirror', `http://127.0.0.1:${server.address().port}/`, '--suite', 'bookworm', '--keyring', at('keyring.gpg'), '--package', 'beta'];
      assert.deepEqual((await allow_list(...mirror)).files, { '/usr/lib/beta.so': [digest('beta')] });
      assert.deepEqual(asked, ['/dists/bookworm/InRelease', '/dists/bookworm/main/binary-amd64/Packages.gz', '/pool/beta_2+b1_amd64.deb']);
      answer = async (where) => (where.endsWith('.deb') ? Buffer.alloc(50 << 20) : readFile(where));
      await refused(1, /debian\.size/, ...mirror);
      answer = async () => Promise.reject(new Error('gone'));
      await refused(3, /404.*debian\.fetch/, ...mirror);
    } finally {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
    for (const wrong of ['ftp://127.0.0.1/', 'file://relative']) await refused(2, /debian\.mirror/, '--mirror', wrong, '--suite', 'x', '--package', 'y');
    await refused(2, /debian\.mirror/, '--mirror', repository(), '--mirror', repository(), '--suite', 'bookworm', '--package', 'y');
    await refused(2, /debian\.packages/, '--mirror', repository(), '--suite', 'bookworm');
  });
});
