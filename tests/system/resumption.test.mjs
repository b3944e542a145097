// Devices with a certificate, over TLS sessions that are resumed: a session carries the certificate of its first handshake, and what
// that is worth is asked again for each request.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OperatorClient } from '../interop/lib/operator_http.mjs';
import { Pki } from '../interop/lib/pki.mjs';
import { Daemon, kAnyPort } from './lib/daemon.mjs';
import { secure } from './lib/sockets.mjs';

const kId = 'system-resumption';
const kVersions = ['TLSv1.3', 'TLSv1.2'];

let daemon;
let operator;
let pki;
let certificate;
let stranger;

before(async () => {
  pki = await Pki.make();
  [certificate, stranger] = [await pki.device(kId), await pki.device('system-resumption-stranger')];
  daemon = await Daemon.init();
  await daemon.serve({ args: daemon.serve_args(['--listen-compat', kAnyPort]) });
  operator = await OperatorClient.log_in(daemon);
  await enroll();
});
after(async () => {
  operator?.close();
  await daemon?.stop();
  await pki?.remove();
});

const enroll = (fields) => operator.enroll(kId, { type: 'x509', x509: { primary: certificate.pem } }, fields);
const url_of = (version) => (version === 'TLSv1.3' ? daemon.devices_url : daemon.compat_url);
const identity_of = ({ pem, key }) => ({ cert: pem, key });

/** A connection of this version; `wire.session()` is the newest session that it was given, `wire.has_session()` whether there is one. */
async function connect(version, options) {
  const wire = await secure(daemon, url_of(version), { minVersion: version, maxVersion: version, ...options });
  let session = version === 'TLSv1.2' ? wire.socket.getSession() : undefined; // of TLS 1.3 it comes after the handshake
  wire.socket.on('session', (newest) => (session = newest));
  wire.has_session = () => session !== undefined;
  wire.session = async () => {
    for (const deadline = Date.now() + 10_000; session === undefined; ) {
      assert.ok(Date.now() < deadline, 'the server gave no session');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return session;
  };
  return wire;
}

function ask(wire, method, target, body = '') {
  wire.send(`${method} /${daemon.id_scope}/registrations/${target}?api-version=2021-06-01 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  return wire.answer();
}

const register = (wire, id = kId) => ask(wire, 'PUT', `${id}/register`, JSON.stringify({ registrationId: id }));
const poll = (wire, operation, id = kId) => ask(wire, 'GET', `${id}/operations/${operation}`);

/** A session that was made with `with_certificate`, resumed by a client that shows nothing. */
async function resumed(version, with_certificate = certificate) {
  const first = await connect(version, identity_of(with_certificate));
  await register(first, with_certificate.name);
  const session = await first.session();
  first.destroy();
  const wire = await connect(version, { session });
  assert.ok(wire.socket.isSessionReused(), `${version}: the session was not resumed`);
  return wire;
}

const code_of = (answer) => JSON.parse(answer.text).info?.code;

for (const version of kVersions) {
  describe(`A resumed session of ${version}`, () => {
    test('IsTheSameDeviceThatRegistersAndPolls', async () => {
      const wire = await resumed(version);
      const opened = await register(wire);
      assert.equal(opened.status, 202, opened.text);
      const result = await poll(wire, JSON.parse(opened.text).operationId);
      assert.equal(result.status, 200, result.text);
      const { registrationState } = JSON.parse(result.text);
      assert.equal(registrationState.registrationId, kId);
      assert.match(registrationState.x509.certificateInfo.subjectName, new RegExp(kId));
      wire.destroy();
    });

    test('FetchesTheResultOfTheSessionBeforeIt', async () => {
      const first = await connect(version, identity_of(certificate));
      const opened = await register(first);
      const session = await first.session();
      first.destroy();
      const wire = await connect(version, { session });
      assert.ok(wire.socket.isSessionReused());
      const result = await poll(wire, JSON.parse(opened.text).operationId);
      assert.equal(result.status, 200, result.text);
      wire.destroy();
    });

    test('IsNobodyElse', async () => {
      const wire = await resumed(version, stranger);
      const refused = await register(wire);
      assert.equal(refused.status, 401, refused.text);
      assert.equal(code_of(refused), 'certificate.name');
      wire.destroy();
    });

    test('WithoutACertificateHasNone', async () => {
      const first = await connect(version, {});
      assert.equal((await register(first)).status, 400);
      // In TLS 1.3 it is offered none: the tickets come before the first answer.
      assert.equal(first.has_session(), version === 'TLSv1.2');
      const session = version === 'TLSv1.2' ? await first.session() : undefined;
      first.destroy();
      if (session === undefined) return;
      const wire = await connect(version, { session, ...identity_of(certificate) });
      assert.ok(wire.socket.isSessionReused());
      assert.equal((await register(wire)).status, 400, 'a certificate that nobody proved was believed');
      wire.destroy();
    });

    test('IsRefusedFromTheMomentAtWhichItsEnrollmentIsDisabled', async () => {
      const wire = await resumed(version);
      const opened = await register(wire);
      assert.equal(opened.status, 202, opened.text);
      await enroll({ enabled: false });
      try {
        for (const refused of [await register(wire), await poll(wire, JSON.parse(opened.text).operationId)]) {
          assert.equal(refused.status, 403, refused.text);
          assert.equal(code_of(refused), 'enrollment.disabled');
        }
        const late = await resumed(version);
        assert.equal((await register(late)).status, 403, 'a session that is resumed only now');
        late.destroy();
      } finally {
        await enroll();
      }
      assert.equal((await register(wire)).status, 202, 'the same connection, enabled again');
      wire.destroy();
    });

    test('IsRefusedFromTheMomentAtWhichItsEnrollmentIsDeletedAndItsOldOperationStaysDead', async () => {
      const wire = await resumed(version);
      const opened = await register(wire);
      await operator.must(204, 'DELETE', `/api/v1/enrollments/${kId}`);
      const refused = await register(wire);
      assert.equal(refused.status, 404, refused.text);
      assert.equal(code_of(refused), 'enrollment.unknown');
      await enroll();
      const old = await poll(wire, JSON.parse(opened.text).operationId);
      assert.equal(old.status, 403, `the operation of the enrollment before: ${old.text}`);
      assert.equal(code_of(old), 'operation.superseded');
      assert.equal((await register(wire)).status, 202);
      wire.destroy();
    });

    test('IsRefusedOnceAnotherCertificateIsEnrolled', async () => {
      const wire = await resumed(version);
      const renewed = await pki.device(kId);
      await operator.enroll(kId, { type: 'x509', x509: { primary: renewed.pem } });
      try {
        const refused = await register(wire);
        assert.equal(refused.status, 401, refused.text);
        assert.equal(code_of(refused), 'certificate.unknown');
      } finally {
        await enroll();
      }
      wire.destroy();
    });
  });
}
