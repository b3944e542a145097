// How a certificate stands, asked and verified by programs of others: openssl ocsp, crl, verify and s_client, and curl. And what that is worth
// on a connection that is open, or a session that is resumed.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, kAnyPort, must_run, run } from './lib/daemon.mjs';
import { make_first_node, make_second_node } from './lib/nodes.mjs';
import { operator_of } from './lib/operator.mjs';
import { Postgres, without_postgres } from './lib/postgres.mjs';
import { get, secure, tcp } from './lib/sockets.mjs';

// A node looks each second, and what was signed is looked at again after two.
const kSeconds = 8_000;
const kHttp = ['--listen-http', kAnyPort];

/** A device with a key in software and a certificate by EST: `name`.key and `name`.pem in the daemon's folder. */
async function make_certificate(daemon, { done, json }, id, name = id) {
  const file = (ending) => daemon.file(`${name}.${ending}`);
  const { reference, secret } = await json('certificate', 'secret', '--registration-id', id);
  await must_run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file('key')]);
  await must_run('openssl', ['req', '-new', '-key', file('key'), '-subj', `/CN=${id}`, '-outform', 'DER', '-out', file('der')]);
  await must_run('openssl', ['base64', '-in', file('der'), '-out', file('b64')]);
  const url = `${daemon.devices_url.replace('127.0.0.1', 'localhost')}/.well-known/est/simpleenroll`;
  await must_run('curl', ['-sS', '--fail-with-body', '--cacert', daemon.ca, '-u', `${reference}:${secret}`, '-H', 'Content-Type: application/pkcs10', '--data-binary',
    `@${file('b64')}`, '-o', file('p7'), url]);
  const [{ serial, state }] = await json('certificate', 'list', '--registration-id', id);
  if (state === 'inactive') await done('certificate', 'activate', serial);
  await done('certificate', 'show', serial, '--out', file('pem'));
  return { serial, pem: file('pem'), key: file('key') };
}

const issuer_of = (daemon) => path.join(daemon.data_dir, 'roles/endpoint-identity.pem');

/** What `openssl ocsp` says: good, revoked or unknown, after it verified the answer. */
async function ocsp(daemon, certificate, ...more) {
  const args = ['ocsp', '-issuer', issuer_of(daemon), ...more.filter((arg) => arg === '-sha256'), '-cert', certificate.pem, '-url', `${daemon.http_url}/ocsp`,
    '-CAfile', daemon.ca, '-verify_other', issuer_of(daemon), ...more.filter((arg) => arg !== '-sha256')];
  const { code, stdout, stderr } = await run('openssl', args);
  // Just after its start: the signer has not certified the responder yet.
  if (/trylater/.test(stdout + stderr)) return ': try later';
  assert.equal(code, 0, stderr + stdout);
  assert.match(stderr, /Response verify OK/, stderr + stdout);
  return stdout;
}
const becomes = (daemon, certificate, word) =>
  eventually(async () => (await ocsp(daemon, certificate, '-no_nonce')).includes(`: ${word}`), `it is ${word}`, kSeconds, () => daemon.log);

describe('What a certificate is worth', () => {
  let daemon;
  const { done, json } = operator_of(() => daemon);
  before(async () => {
    daemon = await Daemon.init();
    await writeFile(daemon.file('warifud.toml'), '[certificates]\nbase_url = "http://pki.example.com:8080/warifu"\n');
    await daemon.serve({ args: daemon.serve_args([...kHttp, '--config', daemon.file('warifud.toml'), '--listen-compat', kAnyPort]) });
    await daemon.login();
    for (const id of ['meter-1', 'meter-2', 'meter-3', 'meter-4'])
      await done('enrollment', 'create', '--registration-id', id, '--symmetric', '--allow-software-keys');
  });
  after(async () => daemon?.stop());
  const make = (id, name) => make_certificate(daemon, { done, json }, id, name);
  const http = (target, ...args) => must_run('curl', ['-sS', ...args, `${daemon.http_url}${target}`]);
  async function fetch_crl(name = 'crl') {
    await http('/crl/endpoint-identity.crl', '--fail', '-o', daemon.file(`${name}.der`));
    await must_run('openssl', ['crl', '-inform', 'DER', '-in', daemon.file(`${name}.der`), '-out', daemon.file(`${name}.pem`)]);
    return must_run('openssl', ['crl', '-in', daemon.file(`${name}.pem`), '-noout', '-text']);
  }

  test('isToldToOpensslWhicheverWayItAsks', async () => {
    const certificate = await make('meter-1');
    for (const more of [[], ['-no_nonce'], ['-sha256'], ['-sha256', '-no_nonce']])
      assert.match(await ocsp(daemon, certificate, ...more), /: good/, more.join(' '));
    await done('certificate', 'suspend', certificate.serial);
    await becomes(daemon, certificate, 'revoked');
    assert.match(await ocsp(daemon, certificate), /: revoked[^]*Reason: certificateHold/);
    await done('certificate', 'resume', certificate.serial);
    await becomes(daemon, certificate, 'good');
    await done('enrollment', 'disable', 'meter-1');
    await becomes(daemon, certificate, 'revoked');
    await done('enrollment', 'enable', 'meter-1');
    await becomes(daemon, certificate, 'good');
    await done('certificate', 'revoke', certificate.serial, '--reason', 'keyCompromise');
    await becomes(daemon, certificate, 'revoked');
    assert.match(await ocsp(daemon, certificate, '-sha256'), /: revoked[^]*Reason: keyCompromise/);
  });

  test('isToldInAPathToo', async () => {
    const certificate = await make('meter-2');
    const request = daemon.file('request.der');
    await must_run('openssl', ['ocsp', '-issuer', issuer_of(daemon), '-cert', certificate.pem, '-no_nonce', '-reqout', request]);
    const text = readFileSync(request).toString('base64');
    for (const target of [encodeURIComponent(text), text]) {
      const headers = await http(`/ocsp/${target}`, '--path-as-is', '-D', '-', '-o', daemon.file('answer.der'));
      assert.match(headers, /^HTTP\/1\.1 200 [^]*content-type: application\/ocsp-response\r[^]*/i);
      assert.match(headers, /\r\nCache-Control: max-age=3\d\d\d, public, no-transform, must-revalidate\r/);
      const shown = await run('openssl', ['ocsp', '-respin', daemon.file('answer.der'), '-reqin', request, '-CAfile', daemon.ca, '-verify_other', issuer_of(daemon),
        '-issuer', issuer_of(daemon), '-cert', certificate.pem, '-no_nonce']);
      assert.match(shown.stderr, /Response verify OK/);
      assert.match(shown.stdout, /: good/);
      const [, etag] = /\r\nETag: ("[0-9a-f]+")\r/.exec(headers);
      assert.equal(await http(`/ocsp/${target}`, '--path-as-is', '-H', `If-None-Match: ${etag}`, '-o', '/dev/null', '-w', '%{http_code}'), '304');
    }
    // The same certificate is told of on the devices listener.
    const secure_url = `${daemon.devices_url.replace('127.0.0.1', 'localhost')}/ocsp/${encodeURIComponent(text)}`;
    await must_run('curl', ['-sS', '--fail', '--cacert', daemon.ca, '-o', daemon.file('answer.der'), secure_url]);
  });

  test('isWhatOpensslFindsOnTheList', async () => {
    const certificate = await make('meter-3');
    const chain = daemon.file('chain.pem');
    await http('/issuers/endpoint-identity.cer', '--fail', '-o', daemon.file('issuer.cer'));
    await must_run('openssl', ['x509', '-inform', 'DER', '-in', daemon.file('issuer.cer'), '-out', daemon.file('issuer.pem')]);
    assert.equal(await readFile(daemon.file('issuer.pem'), 'utf8'), await readFile(issuer_of(daemon), 'utf8'));
    await fetch_crl();
    const verified = await run('openssl', ['crl', '-in', daemon.file('crl.pem'), '-verify', '-CAfile', issuer_of(daemon), '-noout']);
    assert.match(verified.stderr, /verify OK/);
    await writeFile(chain, (await readFile(issuer_of(daemon), 'utf8')) + (await readFile(daemon.ca, 'utf8')));
    const verify = () => run('openssl', ['verify', '-crl_check', '-CRLfile', daemon.file('crl.pem'), '-CAfile', chain, certificate.pem]);
    assert.equal((await verify()).code, 0, (await verify()).stderr);
    const number_of = (text) => BigInt(/CRL Number:\s*(\d+|0x[0-9A-F]+)/.exec(text)[1]);
    const before_it = number_of(await fetch_crl());
    await done('certificate', 'revoke', certificate.serial);
    await eventually(async () => (await fetch_crl()).includes(certificate.serial.toUpperCase()), 'it is on the list', 75_000, () => daemon.log);
    assert.ok(number_of(await fetch_crl()) > before_it);
    const refused = await verify();
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr + refused.stdout, /certificate revoked/);
  });

  test('isAskedForWhereTheCertificateSays', async () => {
    const text = await must_run('openssl', ['x509', '-in', daemon.file('meter-3.pem'), '-noout', '-text']);
    assert.match(text, /OCSP - URI:http:\/\/pki\.example\.com:8080\/warifu\/ocsp\n/);
    assert.match(text, /CA Issuers - URI:http:\/\/pki\.example\.com:8080\/warifu\/issuers\/endpoint-identity\.cer\n/);
    assert.match(text, /URI:http:\/\/pki\.example\.com:8080\/warifu\/crl\/endpoint-identity\.crl\n/);
  });

  for (const [version, url] of [['TLSv1.3', () => daemon.devices_url], ['TLSv1.2', () => daemon.compat_url]]) {
    const target = () => `/${daemon.id_scope}/registrations/meter-4/operations/none?api-version=2021-06-01`;
    const code_of = (answer) => JSON.parse(answer.text).info?.code;

    test(`isAskedAgainOnAnOpenConnectionAndInAResumedSessionOf${version}`, async () => {
      const certificate = await make('meter-4');
      const identity = { cert: readFileSync(certificate.pem), key: readFileSync(certificate.key) };
      const versions = { minVersion: version, maxVersion: version };
      const kept = await secure(daemon, url(), { ...identity, ...versions });
      let session = kept.socket.getSession();
      kept.socket.on('session', (newest) => (session = newest));
      const ask = (wire) => wire.send(get(target())).answer();
      assert.notEqual(code_of(await ask(kept)), 'certificate.revoked');
      // A session from before, with openssl, too.
      const saved = daemon.file('session.pem');
      const host = new URL(url()).host;
      const tls = version === 'TLSv1.3' ? '-tls1_3' : '-tls1_2';
      const s_client = (...more) => run('openssl', ['s_client', '-connect', host, tls, '-CAfile', daemon.ca, '-ign_eof', ...more], {
        input: `GET ${target()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n` });
      await s_client('-cert', certificate.pem, '-key', certificate.key, '-sess_out', saved);
      assert.ok(existsSync(saved));

      await done('certificate', 'revoke', certificate.serial);
      const refused = await eventually(async () => {
        const answer = await ask(kept);
        return code_of(answer) === 'certificate.revoked' && answer;
      }, 'the open connection is refused', kSeconds, () => daemon.log);
      assert.equal(refused.status, 403);
      const resumed = await secure(daemon, url(), { session, ...versions });
      assert.ok(resumed.socket.isSessionReused(), 'the session was not resumed');
      assert.equal(code_of(await ask(resumed)), 'certificate.revoked');
      const by_openssl = await s_client('-sess_in', saved);
      assert.match(by_openssl.stdout, /\nReused, TLSv1\.\d/, by_openssl.stdout);
      assert.match(by_openssl.stdout, /certificate\.revoked/);
      const anew = await secure(daemon, url(), { ...identity, ...versions });
      assert.ok(!anew.socket.isSessionReused());
      assert.equal(code_of(await ask(anew)), 'certificate.revoked');
      const nobody = await secure(daemon, url(), versions);
      assert.notEqual(code_of(await ask(nobody)), 'certificate.revoked', 'without it one is anybody');
      for (const wire of [kept, resumed, anew, nobody]) wire.destroy();
    });
  }

  test('isAllThatIsToldWithoutTls', async () => {
    for (const target of ['/.well-known/est/cacerts', '/api/v1/device/self', '/api/v1/login', '/healthz', '/metrics', '/'])
      assert.equal(await http(target, '-o', '/dev/null', '-w', '%{http_code}'), '404', target);
    // HTTP/1.0, and bytes that are none.
    const wire = await tcp(daemon.http_url);
    const answer = await wire.send('GET /issuers/endpoint-identity.cer HTTP/1.0\r\n\r\n').answer();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.connection, 'close');
    const other = await tcp(daemon.http_url);
    assert.equal((await other.send('\x16\x03\x01\x02\x00\x01\x00\r\n\r\n').answer()).status, 400);
    for (const one of [wire, other]) one.destroy();
  });

  test('isKnownAfterARestart', async () => {
    await daemon.halt();
    await daemon.serve({ args: daemon.serve_args(kHttp) });
    const revoked = { pem: daemon.file('meter-1.pem') };
    const good = { pem: daemon.file('meter-2.pem') };
    await becomes(daemon, revoked, 'revoked').catch((error) => { throw new Error(`${error.message} ${daemon.log}`); });
    await becomes(daemon, good, 'good');
    assert.ok((await fetch_crl('again')).includes('Certificate Revocation List'));
  });
});

describe('A certificate that is revoked at one node', { skip: without_postgres }, () => {
  let postgres;
  let first;
  let second;
  const { done, json } = operator_of(() => first);
  before(async () => {
    postgres = await Postgres.start();
    const environment = { WARIFU_DATABASE: postgres.url };
    [first, second] = [await Daemon.prepare(), await Daemon.prepare()];
    await make_first_node(first, environment);
    await first.serve({ environment, args: first.serve_args(kHttp) });
    await first.login();
    await make_second_node(first, second, environment);
    await second.serve({ environment, args: second.serve_args(kHttp) });
  });
  after(async () => {
    await first?.stop();
    await second?.stop();
    await postgres?.stop();
  });

  test('isRefusedAtTheOtherWithinSeconds', async () => {
    await done('enrollment', 'create', '--registration-id', 'meter-1', '--symmetric', '--allow-software-keys');
    const certificate = await make_certificate(first, { done, json }, 'meter-1');
    const wire = await secure(second, second.devices_url, { cert: readFileSync(certificate.pem), key: readFileSync(certificate.key), checkServerIdentity: () => undefined });
    const code = async () => JSON.parse((await wire.send(get(`/${first.id_scope}/registrations/meter-1/operations/none?api-version=2021-06-01`)).answer()).text).info?.code;
    assert.notEqual(await code(), 'certificate.revoked');
    await becomes(second, certificate, 'good');
    await done('certificate', 'revoke', certificate.serial);
    await eventually(async () => (await code()) === 'certificate.revoked', 'the other node refuses it', kSeconds, () => second.log);
    await becomes(second, certificate, 'revoked');
    wire.destroy();
  });
});
