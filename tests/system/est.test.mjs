// EST with clients that others wrote: strongSwan's pki and curl, unmodified.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, kAnyPort, must_run, run, without } from './lib/daemon.mjs';
import { operator_of } from './lib/operator.mjs';

describe('EST', () => {
  let daemon;
  const { done, json, refused } = operator_of(() => daemon);
  before(async () => {
    daemon = await Daemon.init();
    await daemon.serve({ args: daemon.serve_args(['--listen-compat', kAnyPort]) });
    await daemon.login();
    await done('enrollment', 'create', '--registration-id', 'meter-1', '--symmetric', '--allow-software-keys');
    await done('enrollment', 'create', '--registration-id', 'meter-2', '--symmetric');
    // libtls speaks 1.2 unless it is told otherwise.
    await writeFile(daemon.file('strongswan.conf'), 'libtls {\n  version_max = 1.3\n}\n');
    await writeFile(daemon.file('old.conf'), '');
  });
  after(async () => daemon?.stop());

  const secret_of = async (id) => {
    const { reference, secret } = await json('certificate', 'secret', '--registration-id', id);
    return `${reference}:${secret}`;
  };
  const pki = (config, ...args) => run('pki', args, { environment: { STRONGSWAN_CONF: daemon.file(config) } });
  async function make_request(name, id = 'meter-1') {
    await must_run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', daemon.file(`${name}.key`)]);
    await must_run('openssl', ['req', '-new', '-key', daemon.file(`${name}.key`), '-subj', `/CN=${id}`, '-outform', 'DER', '-out', daemon.file(`${name}.der`)]);
  }
  // The name in the server's certificate is that of the URL.
  const at = (url) => url.replace('127.0.0.1', 'localhost');
  async function issuer() {
    const certificate = await readFile(path.join(daemon.data_dir, 'roles/endpoint-identity.pem'), 'utf8');
    await writeFile(daemon.file('chain.pem'), certificate + await readFile(daemon.ca, 'utf8'));
    return daemon.file('chain.pem');
  }
  async function verify(file) {
    await must_run('openssl', ['verify', '-CAfile', daemon.ca, '-untrusted', await issuer(), daemon.file(file)]);
    return must_run('openssl', ['x509', '-in', daemon.file(file), '-noout', '-subject', '-ext', 'extendedKeyUsage,certificatePolicies']);
  }

  for (const [config, url] of [['strongswan.conf', () => daemon.devices_url], ['old.conf', () => daemon.compat_url]]) {
    const where = config === 'old.conf' ? 'by the compat listener with TLS 1.2' : 'with TLS 1.3';
    test(`servesStrongswanUnmodified ${where}`, { skip: without('pki') }, async () => {
      const cas = await pki(config, '--estca', '--url', at(url()), '--cacert', daemon.ca, '--caout', daemon.file(`est-ca-${config}`), '--outform', 'pem');
      assert.equal(cas.code, 0, cas.stderr);
      await make_request('first');
      const enrolled = await pki(config, '--est', '--url', at(url()), '--cacert', daemon.ca, '--cacert', path.join(daemon.data_dir, 'roles/endpoint-identity.pem'),
        '--in', daemon.file('first.der'), '--userpass', await secret_of('meter-1'), '--outform', 'pem');
      assert.equal(enrolled.code, 0, enrolled.stderr);
      await writeFile(daemon.file('first.pem'), enrolled.stdout);
      const text = await verify('first.pem');
      assert.match(text, /CN = meter-1/);
      assert.match(text, /TLS Web Client Authentication/);
      // A software key waits for an operator, the first time.
      const [{ serial, state, protection }] = await json('certificate', 'list', '--registration-id', 'meter-1');
      assert.equal(protection, 'software');
      if (state === 'inactive') {
        const early = await renew(config, url(), 'first', 'second');
        assert.notEqual(early.code, 0, 'an inactive certificate renews nothing');
        await done('certificate', 'activate', serial);
      }
      const renewed = await renew(config, url(), 'first', 'second');
      assert.equal(renewed.code, 0, renewed.stderr);
      await writeFile(daemon.file('second.pem'), renewed.stdout);
      await verify('second.pem');
      const [latest] = await json('certificate', 'list', '--registration-id', 'meter-1');
      assert.equal(latest.state, 'active');
      assert.notEqual(latest.serial, serial);
    });
  }
  async function renew(config, url, old, fresh) {
    await make_request(fresh);
    return pki(config, '--est', '--url', at(url), '--cacert', daemon.ca, '--cacert', path.join(daemon.data_dir, 'roles/endpoint-identity.pem'),
      '--in', daemon.file(`${fresh}.der`), '--cert', daemon.file(`${old}.pem`), '--key', daemon.file(`${old}.key`), '--outform', 'pem');
  }

  async function curl(step, ...args) {
    const { code, stdout, stderr } = await run('curl', ['-sS', '--cacert', daemon.ca, '-w', '\n%{http_code}', ...args, `${at(daemon.devices_url)}/.well-known/est/${step}`]);
    assert.equal(code, 0, stderr);
    const [, body, status] = /^([^]*)\n(\d+)$/.exec(stdout);
    return { status: Number(status), body };
  }
  const post = async (name, ...args) => {
    await must_run('openssl', ['base64', '-in', daemon.file(`${name}.der`), '-out', daemon.file(`${name}.b64`)]);
    return curl('simpleenroll', '-H', 'Content-Type: application/pkcs10', '--data-binary', `@${daemon.file(`${name}.b64`)}`, ...args);
  };

  test('givesASoftwareKeyNothingWhereTheEnrollmentDoesNotSaySo', async () => {
    await make_request('other', 'meter-2');
    const answer = await post('other', '-u', await secret_of('meter-2'));
    assert.equal(answer.status, 403);
    assert.match(answer.body, /not proved to be in the enrolled TPM.*\[certificate\.key-unproven\]/);
  });

  test('aSecretBuysOneCertificate', async () => {
    await make_request('third');
    const secret = await secret_of('meter-1');
    const first = await post('third', '-u', secret);
    assert.equal(first.status, 200, first.body);
    assert.equal((await post('third', '-u', secret)).body, first.body, 'an answer that was lost is given again');
    await make_request('fourth');
    assert.equal((await post('fourth', '-u', secret)).status, 401);
    assert.equal((await post('fourth')).status, 401);
  });

  test('aRevokedOrSuspendedCertificateIsRefusedAtOnce', async () => {
    const [{ serial }] = await json('certificate', 'list', '--registration-id', 'meter-1');
    await done('certificate', 'activate', serial);
    await done('certificate', 'show', serial, '--out', daemon.file('now.pem'));
    const key = daemon.file('third.key');
    const self = async () => {
      const { stdout } = await run('curl', ['-sS', '--cacert', daemon.ca, '--cert', daemon.file('now.pem'), '--key', key, `${at(daemon.devices_url)}/api/v1/device/self`]);
      return JSON.parse(stdout);
    };
    assert.equal((await self()).registration_id, 'meter-1');
    await done('certificate', 'suspend', serial);
    assert.equal((await self()).code, 'certificate.held');
    await done('certificate', 'resume', serial);
    assert.equal((await self()).state, 'active');
    await done('enrollment', 'disable', 'meter-1');
    assert.equal((await self()).code, 'enrollment.disabled');
    await done('enrollment', 'enable', 'meter-1');
    await done('certificate', 'revoke', serial, '--reason', 'keyCompromise');
    assert.equal((await self()).code, 'certificate.revoked');
    await refused(1, /revoked/, 'certificate', 'resume', serial);
  });

  test('makesNoKeys', async () => {
    const answer = await curl('serverkeygen', '--data-binary', 'x');
    assert.equal(answer.status, 403);
    assert.match(answer.body, /\[est\.serverkeygen\]/);
  });
});
