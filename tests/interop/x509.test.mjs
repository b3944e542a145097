// azure-iot-security-x509, unmodified, with azure-iot-provisioning-device over HTTP at localhost:443: the certificate of one device,
// and certificates under an enrolled authority.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { DpsClient, assert_accepted, assert_error } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Pki } from './lib/pki.mjs';
import { Server } from './lib/server.mjs';
import { assert_assigned, run_vendor_sdk } from './lib/vendor.mjs';

const kDay = 24 * 3600 * 1000;
const days_from_now = (days) => new Date(Date.now() + days * kDay);
const attestation_of = (primary, secondary) => ({ type: 'x509', x509: { primary: primary.pem, secondary: secondary?.pem ?? null } });

let server;
let operator;
let pki;

before(async () => {
  require_isolation();
  pki = await Pki.make();
  server = await Server.start({ devices: '127.0.0.1:8443', compat: '127.0.0.1:443' });
  operator = await OperatorClient.log_in(server);
});
after(async () => {
  operator?.close();
  await server?.stop();
  await pki?.remove();
});

/** Through the SDK, with what `certificate` would send: itself and what is between it and the root. */
function register(registration_id, certificate, chain = certificate.chain) {
  const x509 = { cert: chain, key: certificate.key };
  return run_vendor_sdk({ do: 'register', host: 'localhost', id_scope: server.id_scope, registration_id, x509 }, { ca: server.ca });
}

function wire_client(registration_id, certificate, { url = server.compat_url, tls = {} } = {}) {
  const identity = certificate ? { cert: certificate.chain, key: certificate.key } : {};
  return new DpsClient({ url, ca: server.ca, id_scope: server.id_scope, registration_id, tls: { ...identity, ...tls } });
}

/** The SDK is refused with this status, and the answer behind it tells the reason. */
async function assert_refused(registration_id, certificate, status, code, chain = certificate.chain) {
  const answer = await register(registration_id, certificate, chain);
  assert.equal(answer.ok, false, `the SDK was assigned: ${JSON.stringify(answer.result)}`);
  assert.deepEqual(answer.http.map((exchange) => exchange.status), [status], JSON.stringify(answer));
  const client = wire_client(registration_id, { ...certificate, chain });
  try {
    const response = await client.register({ body: { registrationId: registration_id } });
    assert_error(response, status);
    assert.equal(response.json.info?.code, code, response.text);
  } finally {
    client.close();
  }
}

describe('A device with a certificate of its own', () => {
  const kId = 'Interop-X509_1';
  let [primary, secondary, other] = [];
  before(async () => {
    [primary, secondary, other] = [await pki.device(kId), await pki.device(kId), await pki.device(kId)];
    await operator.enroll(kId, attestation_of(primary, secondary));
  });

  test('IsAssignedAndToldItsCertificate', async () => {
    const state = assert_assigned(await register(kId, primary), kId);
    assert.equal(state.deviceId, kId.toLowerCase());
    const told = state.x509.certificateInfo;
    const own = new X509Certificate(primary.pem);
    assert.equal(told.sha1Thumbprint, own.fingerprint.replaceAll(':', ''));
    assert.equal(told.sha256Thumbprint, own.fingerprint256.replaceAll(':', ''));
    assert.equal(told.serialNumber, own.serialNumber);
    assert.equal(told.version, 3);
    assert.ok(!('enrollmentGroupId' in state.x509));
  });

  test('IsAssignedByTheSecondCertificateToo', async () => {
    assert_assigned(await register(kId, secondary), kId);
  });

  test('IsTheSameDeviceWhenItComesAgain', async () => {
    const [first, again] = [assert_assigned(await register(kId, primary), kId), assert_assigned(await register(kId, primary), kId)];
    assert.equal(again.createdDateTimeUtc, first.createdDateTimeUtc);
    assert.equal(again.substatus, 'deviceDataMigrated');
  });

  test('IsTheDeviceThatTheOperatorNamed', async () => {
    const certificate = await pki.device('interop-x509-named');
    await operator.enroll('interop-x509-named', attestation_of(certificate), { device_id: 'pump-8' });
    assert.equal(assert_assigned(await register('interop-x509-named', certificate), 'interop-x509-named').deviceId, 'pump-8');
  });

  test('IsRefusedWithAnotherCertificateOfTheSameName', () => assert_refused(kId, other, 401, 'certificate.unknown'));

  test('IsRefusedUnderAnotherNameThanItsCertificates', async () => {
    await operator.enroll('interop-x509-other-name', attestation_of(primary));
    await assert_refused('interop-x509-other-name', primary, 401, 'certificate.name');
  });

  for (const [title, id, code, validity] of [
    ['expired', 'interop-x509-expired', 'certificate.expired', { not_before: days_from_now(-3), not_after: days_from_now(-1) }],
    ['not valid yet', 'interop-x509-early', 'certificate.not_yet_valid', { not_before: days_from_now(1), not_after: days_from_now(3) }],
  ]) {
    test(`IsRefusedWithACertificateThatIs: ${title}`, async () => {
      const certificate = await pki.device(id, validity);
      await operator.enroll(id, attestation_of(certificate));
      await assert_refused(id, certificate, 403, code);
    });
  }

  test('IsRefusedWhileItIsDisabledAndComesBack', async () => {
    await operator.enroll(kId, attestation_of(primary, secondary), { enabled: false });
    await assert_refused(kId, primary, 403, 'enrollment.disabled');
    await operator.enroll(kId, attestation_of(primary, secondary));
    assert_assigned(await register(kId, primary), kId);
  });

  test('IsRefusedWithoutACertificate', async () => {
    const client = wire_client(kId, null);
    try {
      assert_error(await client.register({ body: { registrationId: kId } }), 400, 'taken for a TPM that forgot its keys:');
    } finally {
      client.close();
    }
  });

  test('IsAssignedOnTheDevicesListenerToo', async () => {
    const client = wire_client(kId, primary, { url: server.devices_url });
    try {
      const operation = assert_accepted(await client.register({ body: { registrationId: kId } }));
      const response = await client.status(operation, { body: {} });
      assert.equal(response.status, 200, response.text);
      assert.equal(response.json.registrationState.registrationId, kId.toLowerCase());
    } finally {
      client.close();
    }
  });

  test('ShowsItsOperationToNoOtherCertificate', async () => {
    const [own, stranger] = [wire_client(kId, primary), wire_client(kId, other)];
    try {
      const operation = assert_accepted(await own.register({ body: { registrationId: kId } }));
      const response = await stranger.status(operation);
      assert_error(response, 401);
      assert.equal(response.json.info.code, 'certificate.unknown');
      assert.equal((await own.status(operation)).status, 200);
    } finally {
      own.close();
      stranger.close();
    }
  });
});

describe('A device under an authority', () => {
  const kGroup = 'interop-x509-group';
  let [root, factory, line] = [];
  before(async () => {
    root = await pki.authority('Interop Root');
    factory = await pki.authority('Interop Factory', { issuer: root });
    line = await pki.authority('Interop Line', { issuer: factory });
    await operator.enroll_group(kGroup, attestation_of(root));
  });

  test('IsAssignedWhenItSendsWhatIsBetween', async () => {
    const id = 'interop-under-factory';
    const state = assert_assigned(await register(id, await pki.device(id, { issuer: factory })), id);
    assert.equal(state.deviceId, id);
    assert.equal(state.x509.enrollmentGroupId, kGroup);
    assert.ok(state.x509.certificateInfo.subjectName.includes(id));
  });

  for (const [title, issuer] of [['the root itself', () => root], ['two intermediates', () => line]]) {
    test(`IsAssignedUnder: ${title}`, async () => {
      const id = `interop-under-${title.replaceAll(' ', '-')}`;
      assert_assigned(await register(id, await pki.device(id, { issuer: issuer() })), id);
    });
  }

  test('IsAssignedWhenAnIntermediateIsWhatIsEnrolled', async () => {
    const own_root = await pki.authority('Interop Second Root');
    const intermediate = await pki.authority('Interop Second Factory', { issuer: own_root });
    await operator.enroll_group('interop-x509-intermediate', attestation_of(intermediate));
    const id = 'interop-under-intermediate';
    const state = assert_assigned(await register(id, await pki.device(id, { issuer: intermediate })), id);
    assert.equal(state.x509.enrollmentGroupId, 'interop-x509-intermediate');
    const beside = 'interop-beside-intermediate';
    await assert_refused(beside, await pki.device(beside, { issuer: own_root }), 401, 'certificate.unknown');
  });

  test('IsRefusedWhenTheIntermediateIsMissing', async () => {
    const certificate = await pki.device('interop-no-chain', { issuer: factory });
    await assert_refused('interop-no-chain', certificate, 401, 'certificate.unknown', certificate.pem);
  });

  test('IsRefusedUnderAnAuthorityThatNobodyEnrolled', async () => {
    const stranger = await pki.authority('Interop Stranger');
    await assert_refused('interop-stranger', await pki.device('interop-stranger', { issuer: stranger }), 401, 'certificate.unknown');
  });

  test('IsRefusedUnderAnAuthorityThatOnlyHasTheSameName', async () => {
    const impostor = await pki.authority('Interop Root');
    await assert_refused('interop-impostor', await pki.device('interop-impostor', { issuer: impostor }), 403, 'crypto.path.issuer');
  });

  test('IsRefusedWhenItIsIssuedByADevice', async () => {
    const device = await pki.device('interop-issuer', { issuer: root });
    await assert_refused('interop-issued', await pki.device('interop-issued', { issuer: device }), 403, 'crypto.path.invalid');
  });

  test('IsRefusedWithAnExpiredCertificate', async () => {
    const certificate = await pki.device('interop-late', { issuer: root, not_before: days_from_now(-3), not_after: days_from_now(-1) });
    await assert_refused('interop-late', certificate, 403, 'crypto.path.expired');
  });

  test('IsRefusedUnderAnotherNameThanItsCertificates', async () => {
    await assert_refused('interop-not-my-name', await pki.device('interop-my-name', { issuer: root }), 401, 'certificate.name');
  });

  test('IsKeptOutByAnEnrollmentOfItsOwn', async () => {
    const id = 'interop-x509-kept-out';
    const certificate = await pki.device(id, { issuer: root });
    assert_assigned(await register(id, certificate), id);
    await operator.enroll(id, attestation_of(certificate), { enabled: false });
    await assert_refused(id, certificate, 403, 'enrollment.disabled');
  });

  test('IsRefusedWhileItsGroupIsDisabledAndAfterItIsGone', async () => {
    const id = 'interop-under-the-root-itself';
    const certificate = await pki.device(id, { issuer: root });
    await operator.enroll_group(kGroup, attestation_of(root), { enabled: false });
    await assert_refused(id, certificate, 403, 'enrollment.disabled');
    await operator.must(204, 'DELETE', `/api/v1/enrollment-groups/${kGroup}`);
    await assert_refused(id, certificate, 401, 'certificate.unknown');
  });
});
