// The keys of the organisation's roles are with warifu-signer and nowhere else: whoever takes the server over does not have them.
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { Swtpm } from '../interop/lib/swtpm.mjs';
import { Daemon, eventually, must_run, remove, run, tree, without } from './lib/daemon.mjs';
import { get, secure } from './lib/sockets.mjs';

const kServerRole = 'server-communication';
const kNobody = 65534;

/** By its journal, beside what it signs for devices. */
function nodes_certified_by(folder) {
  const journal = path.join(folder, 'journal');
  return readdirSync(journal).flatMap((name) => readFileSync(path.join(journal, name), 'utf8').split('\n')).filter((line) => line.includes('"action":"node.certify"')).length;
}

/** The children of a process: [{pid, command}]. */
function children_of(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const parent = / (?:\S) (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'latin1').replace(/^.*\)/, ''))[1];
      return Number(parent) === pid ? [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'latin1') }] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** Every way in which a key's number and its file may stand in memory or on a disk: {name: Buffer}. */
async function forms_of(folder, role) {
  const pem = await must_run(binary('open-key'), [path.join(folder, `keys/${role}.1.key`), path.join(folder, 'unlock.key')]);
  const number = Buffer.from(createPrivateKey(pem).export({ format: 'jwk' }).d, 'base64url');
  const body = pem.replace(/-----[^-]+-----|\n/g, '');
  return {
    'the number': number,
    'the number as OpenSSL keeps it': Buffer.from(number).reverse(), // limbs, the least one first
    'the number in hexadecimal': Buffer.from(number.toString('hex')),
    'its file in PEM': Buffer.from(body.slice(40, 104)), // from where the number begins
    'its file in DER': Buffer.from(body, 'base64').subarray(30, 90),
  };
}

/** The readable memory of a process, region by region. */
function* memory_of(pid) {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
      if (!match || /\[vvar\]|\[vsyscall\]/.test(line)) continue;
      const [from, to] = [BigInt(`0x${match[1]}`), BigInt(`0x${match[2]}`)];
      const region = Buffer.alloc(Number(to - from));
      try {
        const got = readSync(memory, region, 0, region.length, from);
        yield region.subarray(0, got);
      } catch {
        // Not all of what is mapped is there: a guard page, a file that was cut.
      }
    }
  } finally {
    closeSync(memory);
  }
}

function found_in_memory(pid, forms) {
  const found = new Set();
  for (const region of memory_of(pid)) for (const [name, bytes] of Object.entries(forms)) if (region.includes(bytes)) found.add(name);
  return [...found];
}

describe('The process that faces devices', () => {
  let daemon;
  let first_signer;
  let signer;
  let forms;
  before(async () => {
    daemon = await Daemon.init();
    // Due 7 s after it was made: the signer uses its key while the server serves.
    const renewed = await daemon.warifud('certificate renew', ['--lifetime-seconds', '160']);
    assert.equal(renewed.code, 0, renewed.stderr);
    await daemon.serve();
    first_signer = await find_signer();
    process.kill(first_signer.pid, 'SIGKILL'); // before the renewal that is due
    await daemon.login();
    forms = await forms_of(path.join(daemon.data_dir, 'signer'), kServerRole);
    await daemon.log_has(/certificate of localhost renewed until/, 20_000);
    signer = await find_signer();
  });
  after(() => daemon?.stop());
  const find_signer = () => eventually(() => children_of(daemon.pid).find(({ command }) => command.includes('warifu-signer')), 'the signer is there');

  test('StartedTheSignerAgainWhenItWasKilled', () => {
    assert.notEqual(signer.pid, first_signer.pid);
    assert.doesNotMatch(daemon.log, /certificate renewal failed/);
  });

  test('HasNoRoleKeyInItsMemory', () => {
    assert.ok(found_in_memory(signer.pid, forms).length > 0, 'the search finds the key where it is: in the signer');
    assert.deepEqual(found_in_memory(daemon.pid, forms), []);
    for (const role of ['escrow', 'endpoint-identity']) assert.ok(statSync(path.join(daemon.data_dir, `signer/keys/${role}.1.key`)).size > 0);
  });

  test('HasNothingOfTheSignerOpenOrMapped', () => {
    const opened = readdirSync(`/proc/${daemon.pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${daemon.pid}/fd/${name}`);
      } catch {
        return ''; // closed meanwhile
      }
    });
    assert.ok(opened.some((file) => file.startsWith(daemon.data_dir)), 'the database is open, so it would be seen');
    for (const file of [...opened, readFileSync(`/proc/${daemon.pid}/maps`, 'utf8')]) {
      assert.ok(!file.includes(path.join(daemon.data_dir, 'signer')), file);
      assert.ok(!file.includes(path.join(daemon.data_dir, 'root')), file);
    }
  });

  test('DoesNotLinkWhatOpensKeys', async () => {
    const needed_by = async (name) => (await must_run('readelf', ['-d', binary(name)])).match(/NEEDED.*/g).join(' ');
    const server = await needed_by('warifud');
    assert.match(server, /libcrypto/);
    for (const library of ['argon2', 'p11-kit', 'gfshare', 'tss2']) assert.ok(!server.includes(library), library);
    assert.match(await needed_by('warifu-signer'), /argon2.*p11-kit|p11-kit.*argon2/);
  });

  test('TakesTheSignerAlongWhenItEnds', async () => {
    const children = children_of(daemon.pid).map(({ pid }) => pid);
    await daemon.halt();
    await eventually(() => children.every((pid) => !readdirSync('/proc').includes(String(pid))), 'no signer is left');
  });
});

describe('A signer that runs by itself', { skip: process.getuid() !== 0 && 'needs root, to have two users' }, () => {
  let daemon;
  let signer;
  let log = '';
  const folder = () => daemon.file('signer-of-its-own');
  const socket = () => daemon.file('run/signer.sock');
  const with_signer = () => ({ WARIFU_SIGNER: socket() });

  async function start() {
    signer = spawn('setpriv', ['--reuid', '990', '--regid', '990', '--clear-groups', binary('warifu-signer'), 'serve', '--dir', folder(),
      '--socket', socket(), '--server-user', String(process.getuid())], { stdio: ['ignore', 'pipe', 'pipe'] });
    signer.stderr.on('data', (text) => (log += text));
    await new Promise((resolve, reject) => {
      signer.stdout.once('data', resolve);
      signer.once('exit', (code) => reject(new Error(`the signer ended with ${code}: ${log}`)));
    });
  }
  async function stop() {
    const ended = new Promise((resolve) => signer.once('exit', resolve));
    signer.kill('SIGTERM');
    return ended;
  }

  before(async () => {
    daemon = await Daemon.prepare();
    await chmod(daemon.folder, 0o755);
    await mkdir(daemon.file('run'));
    await chown(daemon.file('run'), 990, 990);
    await must_run('warifu-signer', ['init', '--dir', folder(), '--root-dir', daemon.file('root'), '--org', 'Example Power', '--server-name', 'localhost']);
    await must_run('chown', ['-R', '990:990', folder()]);
    await start();
    await must_run('warifud', ['init', '--data-dir', daemon.data_dir, '--signer', socket(), '--json']);
    await daemon.serve({ environment: with_signer() });
  });
  after(async () => {
    signer?.kill('SIGKILL');
    await daemon?.stop();
  });

  test('HasTheOrganisationsNameAndTheServerTakesIt', async () => {
    const files = (await tree(daemon.data_dir)).map(({ name }) => name);
    assert.ok(!files.includes('signer') && !files.includes('root'), 'no key of a role is in the data directory');
    assert.deepEqual(children_of(daemon.pid).filter(({ command }) => command.includes('warifu-signer')), []);
    const other = await run('warifud', ['init', '--data-dir', daemon.file('other'), '--signer', socket(), '--org', 'Another']);
    assert.equal(other.code, 1, other.stderr);
    assert.match(other.stderr, /is of "Example Power", not of "Another".*\[init\.org\]/);
  });

  test('CertifiesForTheServersUser', async () => {
    const renewed = await daemon.warifud('certificate renew', [], { environment: with_signer() });
    assert.equal(renewed.code, 0, renewed.stderr);
    assert.equal(nodes_certified_by(folder()), 2);
  });

  test('TellsAStrangerNothing', async () => {
    const copy = daemon.file('of-a-stranger');
    await cp(daemon.data_dir, copy, { recursive: true });
    await must_run('chown', ['-R', `${kNobody}:${kNobody}`, copy]);
    const { code, stderr } = await run('setpriv', ['--reuid', String(kNobody), '--regid', String(kNobody), '--clear-groups', binary('warifud'),
      'certificate', 'renew', '--data-dir', copy, '--signer', socket()]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[signer\.denied\]/);
    assert.match(log, new RegExp(`refused uid=${kNobody}`));
  });

  test('IsOfAnotherOrganisationThanADataDirectoryAndSaysSo', async () => {
    const other = await Daemon.init();
    try {
      const { code, stderr } = await other.warifud('certificate renew', [], { environment: with_signer() });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\[signer\.root\]/);
    } finally {
      await remove(other.folder);
    }
  });

  test('IsAskedAgainWhenItWasAway', async () => {
    assert.equal(await stop(), 0, log);
    const { code, stderr } = await daemon.warifud('certificate renew', [], { environment: with_signer() });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /warifu-signer is not running: .*systemctl start warifu-signer.*\[signer\.unreachable\]/);
    await start();
    assert.equal((await daemon.warifud('certificate renew', [], { environment: with_signer() })).code, 0);
  });

  test('DoesNothingThatItsJournalCannotKnowOf', async () => {
    const journal = path.join(folder(), 'journal');
    const file = path.join(journal, 'journal-00000001.jsonl');
    const good = readFileSync(file);
    await writeFile(file, good.toString().replace('"uid":0', '"uid":1'));
    try {
      const { code, stderr } = await daemon.warifud('certificate renew', [], { environment: with_signer() });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\[journal\.broken\]/);
      const status = await run('warifu-signer', ['status', '--dir', folder()]);
      assert.equal(status.code, 1);
      assert.match(status.stderr, /line 2 of .*journal-00000001\.jsonl.*\[journal\.broken\]/);
    } finally {
      await writeFile(file, good);
    }
  });

  test('HasGivenUpItsRights', () => {
    const status = readFileSync(`/proc/${signer.pid}/status`, 'utf8');
    assert.match(status, /^Seccomp:\s+2$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^CapEff:\s+0+$/m);
  });
});

/** Each place for keys that is no folder: what it is called for --key-backend, and the environment that it needs. */
const kPlaces = {
  async 'a PKCS #11 token'(daemon) {
    const configuration = await daemon.write('softhsm.conf', `directories.tokendir = ${daemon.file('tokens')}\nobjectstore.backend = file\n`);
    await mkdir(daemon.file('tokens'));
    const environment = { SOFTHSM2_CONF: configuration };
    const pin = await daemon.write('pin', '24680135');
    await must_run('softhsm2-util', ['--init-token', '--free', '--label', 'warifu', '--pin', '24680135', '--so-pin', '13572468'], { environment });
    return { backend: `pkcs11:token=warifu?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:${pin}`, environment, key_file: null, end: () => {} };
  },
  async 'a TPM'() {
    const swtpm = await Swtpm.start();
    return { backend: `tpm:swtpm:path=${swtpm.socket_path}`, environment: {}, key_file: `${kServerRole}.1.tpm-key`, end: () => swtpm.stop() };
  },
};

for (const [what, open] of Object.entries(kPlaces)) {
  describe(`Keys in ${what}`, { timeout: 120_000 }, () => {
    let daemon;
    let place;
    before(async () => {
      daemon = await Daemon.prepare();
      place = await open(daemon);
      await must_run('warifud', ['init', '--data-dir', daemon.data_dir, '--org', 'Example Power', '--key-backend', place.backend, '--json'], place);
      await daemon.serve(place);
    });
    after(async () => {
      await daemon?.stop();
      await place?.end();
    });

    test('AreInNoFileButTheEscrows', async () => {
      const files = (await tree(path.join(daemon.data_dir, 'signer/keys'))).map(({ name }) => name);
      assert.ok(files.includes('escrow.1.key'));
      assert.equal(files.filter((name) => name.endsWith('.key')).length, 1);
      assert.equal(files.includes(`${kServerRole}.1.tpm-key`), place.key_file !== null);
    });

    test('CertifyNodes', async () => {
      const renewed = await daemon.warifud('certificate renew', [], place);
      assert.equal(renewed.code, 0, renewed.stderr);
      const leaf = await daemon.write('leaf.pem', /-----BEGIN CERTIFICATE[^]*?END CERTIFICATE-----\n/.exec(readFileSync(path.join(daemon.data_dir, 'node/identity.pem'), 'utf8'))[0]);
      await must_run('openssl', ['verify', '-x509_strict', '-CAfile', daemon.ca, '-untrusted', path.join(daemon.data_dir, `roles/${kServerRole}.pem`), leaf]);
      const { key_backend } = JSON.parse(await must_run('warifu-signer', ['status', '--dir', path.join(daemon.data_dir, 'signer'), '--json'], place));
      assert.deepEqual([key_backend, nodes_certified_by(path.join(daemon.data_dir, 'signer'))], [place.backend, 2]);
    });

    test('AreNotThoseOfAnotherSignerInTheSamePlace', async () => {
      await must_run('warifu-signer', ['init', '--dir', daemon.file('second'), '--root-dir', daemon.file('second-root'), '--org', 'Staging', '--key-backend', place.backend], place);
      const renewed = await daemon.warifud('certificate renew', [], place);
      assert.equal(renewed.code, 0, renewed.stderr);
    });

    test('AreMissedWhenTheyAreTakenAwayAndTheServerGoesOn', async () => {
      await place.end();
      const environment = { ...place.environment, SOFTHSM2_CONF: await daemon.write('nothing.conf', `directories.tokendir = ${daemon.folder}\n`) };
      const { code, stderr } = await daemon.warifud('certificate renew', [], { environment });
      assert.equal(code, 3, stderr);
      assert.match(stderr, /error: .*\[(pkcs11|tpm)\.[a-z.-]+\]/);
      const wire = await secure(daemon, daemon.operators_url);
      assert.ok((await wire.send(get()).answer()).status > 0);
      wire.destroy();
    });
  });
}

describe('warifu-signer', () => {
  let daemon;
  before(async () => (daemon = await Daemon.prepare()));
  after(() => daemon && remove(daemon.folder));

  const init = (name, ...args) => run('warifu-signer', ['init', '--dir', daemon.file(name), '--root-dir', daemon.file(`${name}-root`), '--org', 'x', ...args]);

  test('IsMadeOnceAndGoesOnAfterAnAttemptThatDidNotEnd', async () => {
    assert.equal((await init('once')).code, 0);
    const again = await init('once');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /\[signer\.exists\]/);
    const root = readFileSync(daemon.file('once-root/root.pem'), 'utf8');
    await rm(daemon.file('once/signer.json'));
    await rename(daemon.file('once/keys/escrow.1.key'), daemon.file('taken-away'));
    assert.equal((await init('once')).code, 0);
    assert.equal(readFileSync(daemon.file('once-root/root.pem'), 'utf8'), root, 'the root of the first attempt');
    for (const role of [kServerRole, 'escrow'])
      await must_run('openssl', ['verify', '-x509_strict', '-CAfile', daemon.file('once/root.pem'), daemon.file(`once/roles/${role}.pem`)]);
  });

  for (const [what, args, code] of [
    ['a place that is none', ['--key-backend', 'floppy'], 'key.backend'],
    ['a curve that is none', ['--curve', 'P-521'], 'key.curve'],
    ['a server name that is none', ['--server-name', 'a b'], 'server_name'],
    ['a token that is not there', ['--key-backend', 'pkcs11:token=none'], 'pkcs11.token'],
  ]) {
    test(`Refuses ${what}`, async () => {
      const { code: exit, stderr } = await init(what, ...args);
      assert.ok([2, 3].includes(exit), `exit ${exit}: ${stderr}`);
      assert.ok(stderr.includes(`[${code}]`), stderr);
    });
  }

  test('HasItsRootElsewhere', async () => {
    for (const args of [[], ['--root-dir', daemon.file('s/root')], ['--root-dir', daemon.file('s')]]) {
      const { code, stderr } = await run('warifu-signer', ['init', '--dir', daemon.file('s'), '--org', 'x', ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /\[signer\.root_dir\]/);
      assert.ok(!existsSync(daemon.file('s')));
    }
  });

  test('DoesNotMixTwoOrganisations', async () => {
    assert.equal((await init('alpha')).code, 0);
    await rm(daemon.file('alpha/signer.json'));
    const beta = await run('warifu-signer', ['init', '--dir', daemon.file('alpha'), '--root-dir', daemon.file('alpha-root'), '--org', 'Beta']);
    assert.equal(beta.code, 1, beta.stderr);
    assert.match(beta.stderr, /holds the root of "x".*\[root\.exists\]/);
    const other_place = await run('warifud', ['init', '--data-dir', daemon.file('taken'), '--org', 'x', '--key-backend', 'file', '--json']);
    assert.equal(other_place.code, 0, other_place.stderr);
    await rm(daemon.file('taken/node'), { recursive: true });
    await rm(daemon.file('taken/database'), { recursive: true });
    const again = await run('warifud', ['init', '--data-dir', daemon.file('taken'), '--org', 'x', '--key-backend', 'pkcs11:token=none']);
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stderr, /\[signer\.exists\]/);
    assert.equal((await run('warifud', ['init', '--data-dir', daemon.file('taken'), '--org', 'x'])).code, 0, 'the same goes on');
  });

  test('IsOneUsersAlone', { skip: process.getuid() !== 0 && 'needs root, to have two users' }, async () => {
    assert.equal((await init('theirs')).code, 0);
    await must_run('chown', ['-R', '990:990', daemon.file('theirs')]);
    const { code, stderr } = await run('warifu-signer', ['allow', '--dir', daemon.file('theirs'), '--server-name', 'a']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[signer\.user\]/);
    assert.equal(statSync(daemon.file('theirs/signer.json')).uid, 990);
  });

  test('MayHaveTheSmallerCurve', async () => {
    assert.equal((await init('small', '--curve', 'P-256')).code, 0);
    const text = await must_run('openssl', ['x509', '-noout', '-text', '-in', daemon.file('small/root.pem')]);
    assert.match(text, /ASN1 OID: prime256v1/);
  });

  test('DoesNotBelieveAnUnlockSecretOfAnotherSize', async () => {
    assert.equal((await init('cut')).code, 0);
    await writeFile(daemon.file('cut/unlock.key'), 'short');
    const { code, stderr } = await run('warifu-signer', ['serve', '--dir', daemon.file('cut'), '--socket', daemon.file('s')]);
    assert.equal(code, 2);
    assert.match(stderr, /\[signer\.unlock\.form\]/);
  });
});
