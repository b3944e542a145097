// The TPM's lockout password on its way: from a device, encrypted, past a server that cannot read it, to the operator who opens it.
import assert from 'node:assert/strict';
import crypto, { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorClient } from '../interop/lib/operator_http.mjs';
import { sas_token } from '../interop/lib/sas.mjs';
import { Daemon, must_run, places_of, remove, without } from './lib/daemon.mjs';
import { enroll_all, register_once } from './lib/fleet.mjs';
import { SoftwareTpm } from './lib/software_tpm.mjs';

const kId = 'meter-1';
const kAuth = crypto.randomBytes(32).toString('hex');
const kContent = JSON.stringify({ kind: 'tpm-lockout-auth', registration_id: kId, ek_name: `000b${'ab'.repeat(32)}`, created_at: '2026-11-22T00:00:00Z', auth: kAuth });

/** What a device speaks on the devices listener, outside of DPS. */
class Depositor {
  constructor(daemon, hub_key) {
    this.daemon_ = daemon;
    this.hub_key_ = hub_key;
    this.client_ = new OperatorClient({ url: daemon.devices_url, ca: daemon.ca });
  }

  close() {
    this.client_.close();
  }

  certificate() {
    return this.client_.send('GET', '/api/v1/device/escrow-certificate', { token: null });
  }

  async deposit(der, { id = kId, signed_for = der } = {}) {
    const name = `${this.daemon_.id_scope}/registrations/${id}/escrow/${crypto.createHash('sha256').update(signed_for).digest('hex')}`;
    const token = await sas_token({ name, sign: (text) => crypto.createHmac('sha256', this.hub_key_).update(text).digest() });
    return this.client_.send('PUT', '/api/v1/device/escrow', {
      token: null, body: { package: der.toString('base64') }, headers: { Authorization: token.replace('skn=registration', 'skn=device') },
    });
  }
}

/** `content` for the certificate, as OpenSSL's own program encrypts it. */
async function encrypt(daemon, certificate, content) {
  const [plain, recipient, package_] = [await daemon.write('content.json', content), await daemon.write('escrow.pem', certificate.toString()), daemon.file('package.der')];
  await must_run('openssl', ['cms', '-encrypt', '-binary', '-aes-256-gcm', '-in', plain, '-outform', 'DER', '-out', package_, recipient]);
  return readFileSync(package_);
}

describe('A lockout password in escrow', { timeout: 120_000 }, () => {
  let daemon;
  let device;
  let certificate;
  let der;
  const package_file = () => daemon.file('fetched.cms');
  const traces = async () => Promise.all((await readdir(daemon.file('traces'))).map((name) => readFileSync(path.join(daemon.file('traces'), name), 'utf8')));

  before(async () => {
    daemon = await Daemon.init();
    await mkdir(daemon.file('traces'));
    const wrapper = ['strace', '-D', '-ff', '-o', daemon.file('traces/t'), '-s', '4096', '-e', 'trace=open,openat,openat2,execve'];
    await daemon.serve({ wrapper: without('strace') ? [] : wrapper });
    await daemon.login();
    const tpm = new SoftwareTpm();
    await enroll_all(daemon, [kId], () => tpm.keys.ek);
    const { hub_key } = await register_once(daemon, tpm, kId);
    device = new Depositor(daemon, hub_key);
  });
  after(async () => {
    device?.close();
    await daemon?.stop();
  });

  test('IsEncryptedToACertificateOfTheRootWithThisPurposeOnly', async () => {
    const { status, json } = await device.certificate();
    assert.equal(status, 200);
    assert.equal(json.chain.length, 1, 'the leaf, without the root');
    certificate = new X509Certificate(Buffer.from(json.chain[0], 'base64'));
    assert.ok(certificate.verify(new X509Certificate(readFileSync(daemon.ca)).publicKey), 'the root signed it');
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage, ['2.25.250778544324231359710627916052777209250']);
  });

  test('IsDepositedByTheDeviceOnceAndAgain', async () => {
    der = await encrypt(daemon, certificate, kContent);
    for (const what of ['first', 'again']) assert.equal((await device.deposit(der)).status, 204, what);
    for (const what of [{ id: 'meter-2' }, { signed_for: Buffer.from('another package') }]) {
      const refused = await device.deposit(der, what);
      assert.equal(refused.status, 401);
      assert.equal(refused.json.code, 'token.signature');
    }
  });

  test('IsListedAndFetchedByTheOperator', async () => {
    const listed = JSON.parse((await daemon.operator(['device', 'escrow', kId, '--json'])).stdout);
    assert.equal(listed.packages.length, 1);
    assert.equal(listed.packages[0].sha256, crypto.createHash('sha256').update(der).digest('hex'));
    assert.match((await daemon.operator(['device', 'escrow', kId])).stdout, new RegExp(`NUMBER.*\n1 .*${listed.packages[0].sha256}`));
    const fetched = await daemon.operator(['device', 'escrow', kId, '--out', package_file()]);
    assert.equal(fetched.code, 0, fetched.stderr);
    assert.deepEqual(readFileSync(package_file()), der);
    assert.equal(statSync(package_file()).mode & 0o777, 0o600);
    const unknown = await daemon.operator(['device', 'escrow', kId, '--number', '2', '--out', daemon.file('none')]);
    assert.equal(unknown.code, 1);
    assert.ok(!existsSync(daemon.file('none')));
  });

  test('IsOpenedByTheAdministratorWithAWarningAndAnAuditEntry', async () => {
    const opened = await daemon.warifud('escrow open', [package_file()]);
    assert.equal(opened.code, 0, opened.stderr);
    assert.deepEqual(JSON.parse(opened.stdout), JSON.parse(kContent));
    assert.match(opened.stderr, /warning: .*lockoutAuth/);
    if (!without('sqlite3')) {
      const actions = await daemon.sqlite("SELECT action FROM audit_entries WHERE action LIKE 'escrow.%' ORDER BY audit_id");
      assert.deepEqual(actions.trim().split('\n'), ['escrow.deposit', 'escrow.read', 'escrow.read', 'escrow.read', 'escrow.read', 'escrow.open']);
    }
  });

  test('IsNotOpenedOnceAByteIsChangedNorForAnotherKindOfContent', async () => {
    const spoiled = Buffer.from(der);
    spoiled[spoiled.length - 20] ^= 1;
    const changed = await daemon.warifud('escrow open', [await daemon.write('spoiled.cms', spoiled)]);
    assert.equal(changed.code, 1, changed.stderr);
    assert.equal(changed.stdout, '');
    await encrypt(daemon, certificate, '{"kind":"\\u001b[2Jother"}');
    const other = await daemon.warifud('escrow open', [daemon.file('package.der')]);
    assert.equal(other.code, 2, other.stderr);
    assert.equal(other.stdout, '');
    assert.doesNotMatch(other.stderr, /\x1b/);
  });

  test('IsNowhereInTheDataDirectoryInTheClear', async () => {
    assert.deepEqual(await places_of({ 'the lockout password': kAuth, 'its bytes': Buffer.from(kAuth, 'hex') }, daemon.data_dir), []);
  });

  test('WasNeverWithinReachOfTheServingProcess', { skip: without('strace') }, async () => {
    device.close();
    await daemon.halt();
    await sleep(200); // strace writes its last lines
    const seen = await traces();
    assert.ok(seen.some((trace) => trace.includes('/roles/escrow.pem')), 'the trace shows what the server opens');
    for (const trace of seen) assert.doesNotMatch(trace, /signer\/keys\/escrow/);
  });
});

describe('A data directory without an escrow certificate', { timeout: 60_000 }, () => {
  let daemon;
  let client;
  before(async () => {
    daemon = await Daemon.init();
    await rm(path.join(daemon.data_dir, 'roles/escrow.pem'));
    await daemon.serve();
    client = new OperatorClient({ url: daemon.devices_url, ca: daemon.ca });
  });
  after(async () => {
    client?.close();
    await daemon?.stop();
  });
  const ask = () => client.send('GET', '/api/v1/device/escrow-certificate', { token: null });

  test('IsServedAndSaysWhatToDo', async () => {
    const { status, json } = await ask();
    assert.equal(status, 404);
    assert.equal(json.code, 'escrow.none');
    assert.match(json.detail, /warifu-signer status/);
  });

  test('GetsItAgainFromTheSignerAndServesItAfterSighup', async () => {
    const renewed = await daemon.warifud('certificate renew');
    assert.equal(renewed.code, 0, renewed.stderr);
    assert.equal((await ask()).status, 404, 'not before SIGHUP');
    daemon.signal('SIGHUP');
    let answer;
    for (let i = 0; i < 50 && (answer = await ask()).status !== 200; ++i) await sleep(100);
    const certificate = new X509Certificate(Buffer.from(answer.json.chain[0], 'base64'));
    assert.ok(certificate.verify(new X509Certificate(readFileSync(daemon.ca)).publicKey));
    assert.match(certificate.subject, /CN=\S.* escrow$/m);
  });
});
