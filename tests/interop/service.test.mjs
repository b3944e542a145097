// The vendor's service SDK, unmodified, against warifud: enrollments, groups, queries, bulk, registrations.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SoftDevice } from './lib/device.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { Registration } from './lib/registration.mjs';
import { Server } from './lib/server.mjs';
import { ServiceClient } from './lib/service_client.mjs';

let server;
let service;
let folder;

before(async () => {
  require_isolation();
  folder = mkdtempSync(path.join(os.tmpdir(), 'warifu-service-'));
  // HostName takes no port, so the operators have 443 here.
  server = await Server.start({ devices: '127.0.0.1:0', operators: '127.0.0.1:443' });
  await server.login();
  service = await client('provisioning-service');
});
after(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function client(name, ...options) {
  const { connection_string } = await server.warifu('service-key', 'create', '--name', name, ...options, '--json');
  return new ServiceClient({ connection_string, ca: server.ca });
}

/** A self-signed certificate in PEM. */
function make_certificate(name, { ca = false } = {}) {
  const file = path.join(folder, `${name}.pem`);
  const constraints = `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`;
  const usage = `keyUsage=critical,${ca ? 'keyCertSign' : 'digitalSignature'}`;
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null',
    '-subj', `/CN=${name}`, '-days', '30', '-addext', constraints, '-addext', usage, '-out', file], { stdio: 'ignore' });
  return readFileSync(file, 'utf8');
}

const symmetric = (registrationId, more = {}) => ({ registrationId, attestation: { type: 'symmetricKey' }, ...more });

async function ek_of_a_tpm() {
  const device = await SoftDevice.start();
  try {
    return (await device.identity()).ek;
  } finally {
    await device.stop();
  }
}

describe('Individual enrollments', () => {
  /** Creates, reads, writes back, changes and deletes; gives the object as it was created. */
  async function live(enrollment) {
    const id = enrollment.registrationId;
    const created = await service.must('createOrUpdateIndividualEnrollment', enrollment);
    assert.equal(created.registrationId, id);
    assert.match(created.etag, /^"[0-9a-f-]{36}"$/);
    const read = await service.must('getIndividualEnrollment', id);
    assert.deepEqual(read, created);
    assert.deepEqual(await service.must('createOrUpdateIndividualEnrollment', read), read, 'what was read can be written back');
    const changed = await service.must('createOrUpdateIndividualEnrollment', { ...read, provisioningStatus: 'disabled' });
    assert.equal(changed.provisioningStatus, 'disabled');
    assert.notEqual(changed.etag, read.etag);
    await service.must_fail({ name: 'InvalidEtagError', status: 412 }, 'createOrUpdateIndividualEnrollment', read);
    await service.must_fail({ name: 'InvalidEtagError', status: 412 }, 'deleteIndividualEnrollment', read);
    await service.must('deleteIndividualEnrollment', changed);
    await service.must_fail({ name: 'Error', status: 404 }, 'getIndividualEnrollment', id);
    await service.must_fail({ name: 'Error', status: 404 }, 'deleteIndividualEnrollment', id);
    return created;
  }

  test('OfATpm', async () => {
    const endorsementKey = (await ek_of_a_tpm()).toString('base64');
    const created = await live({ registrationId: 'tpm-1', attestation: { type: 'tpm', tpm: { endorsementKey, storageRootKey: 'AAAA' } } });
    assert.deepEqual(created.attestation, { type: 'tpm', tpm: { endorsementKey } });
  });

  test('OfACertificate', async () => {
    const certificate = make_certificate('x509-1');
    const x509 = { clientCertificates: { primary: { certificate } } };
    const { attestation } = await live({ registrationId: 'x509-1', attestation: { type: 'x509', x509 } });
    const { info, certificate: shown } = attestation.x509.clientCertificates.primary;
    assert.equal(shown, undefined);
    assert.equal(info.sha256Thumbprint, new crypto.X509Certificate(certificate).fingerprint256.replaceAll(':', ''));
    assert.equal(info.subjectName, 'CN=x509-1');
  });

  test('OfASymmetricKey', async () => {
    await live(symmetric('key-1', {
      deviceId: 'pump', iotHubs: ['a.example', 'b.example'], allocationPolicy: 'hashed', capabilities: { iotEdge: true },
      initialTwin: { tags: { site: 9 }, properties: { desired: { rate: 5 } } },
      reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true }, optionalDeviceInformation: { note: 'third floor' },
    }));
  });

  test('AreNotMadeTwice', async () => {
    await service.must('createOrUpdateIndividualEnrollment', symmetric('twice'));
    await service.must_fail({ name: 'DeviceAlreadyExistsError', status: 409 }, 'createOrUpdateIndividualEnrollment', symmetric('twice'));
    await service.must('createOrUpdateIndividualEnrollment', symmetric('twice', { etag: '*' }));
    await service.must('deleteIndividualEnrollment', 'twice', '*');
  });

  test('ShowTheirKeysByTheAttestationMechanismOnly', async () => {
    const primaryKey = crypto.randomBytes(32).toString('base64');
    const secondaryKey = crypto.randomBytes(64).toString('base64');
    const attestation = { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey } };
    const created = await service.must('createOrUpdateIndividualEnrollment', { registrationId: 'keys-1', attestation });
    assert.ok(!JSON.stringify(created).includes(primaryKey));
    assert.deepEqual(await service.must('getIndividualEnrollmentAttestationMechanism', 'keys-1'), attestation);
    const reader = await client('reader', '--permission', 'enrollment:read');
    await reader.must('getIndividualEnrollment', 'keys-1');
    await reader.must_fail({ name: 'TooManyDevicesError', status: 403 }, 'getIndividualEnrollmentAttestationMechanism', 'keys-1');
    await service.must('deleteIndividualEnrollment', 'keys-1');
  });

  test('AreRefusedWithTheReason', async () => {
    const refused = await service.must_fail({ name: 'ArgumentError', status: 400 }, 'createOrUpdateIndividualEnrollment', {
      registrationId: 'bad-1', attestation: { type: 'tpm', tpm: { endorsementKey: 'AAAA' } },
    });
    assert.match(refused.message, /attestation\.tpm\.endorsementKey/);
  });
});

describe('Enrollment groups', () => {
  async function live(group) {
    const id = group.enrollmentGroupId;
    const created = await service.must('createOrUpdateEnrollmentGroup', group);
    assert.deepEqual(await service.must('getEnrollmentGroup', id), created);
    assert.deepEqual(await service.must('createOrUpdateEnrollmentGroup', created), created);
    const changed = await service.must('createOrUpdateEnrollmentGroup', { ...created, provisioningStatus: 'disabled' });
    await service.must_fail({ name: 'InvalidEtagError', status: 412 }, 'createOrUpdateEnrollmentGroup', created);
    await service.must_fail({ name: 'InvalidEtagError', status: 412 }, 'deleteEnrollmentGroup', created);
    await service.must('deleteEnrollmentGroup', changed);
    await service.must_fail({ name: 'Error', status: 404 }, 'getEnrollmentGroup', id);
    return created;
  }

  test('OfACertificateAuthority', async () => {
    const x509 = { signingCertificates: { primary: { certificate: make_certificate('plant-ca', { ca: true }) } } };
    const { attestation } = await live({ enrollmentGroupId: 'plant', attestation: { type: 'x509', x509 } });
    assert.equal(attestation.x509.signingCertificates.primary.info.subjectName, 'CN=plant-ca');
  });

  test('OfASymmetricKey', () => live({ enrollmentGroupId: 'pumps', attestation: { type: 'symmetricKey' } }));

  test('ShowTheirKeysByTheAttestationMechanismOnly', async () => {
    await service.must('createOrUpdateEnrollmentGroup', { enrollmentGroupId: 'keyed', attestation: { type: 'symmetricKey' } });
    const { symmetricKey } = await service.must('getEnrollmentGroupAttestationMechanism', 'keyed');
    assert.equal(Buffer.from(symmetricKey.primaryKey, 'base64').length, 32);
    assert.ok(!JSON.stringify(await service.must('getEnrollmentGroup', 'keyed')).includes(symmetricKey.primaryKey));
    assert.deepEqual(await service.must('query', 'createEnrollmentGroupDeviceRegistrationStateQuery', { query: '*' }, 'keyed'), [[]]);
    await service.must('deleteEnrollmentGroup', 'keyed');
  });

  test('RefuseReferencesToCertificates', async () => {
    const attestation = { type: 'x509', x509: { caReferences: { primary: 'my-ca' } } };
    const refused = await service.must_fail({ name: 'ArgumentError', status: 400 }, 'createOrUpdateEnrollmentGroup', { enrollmentGroupId: 'refs', attestation });
    assert.match(refused.message, /signingCertificates/);
  });
});

describe('Many at once', () => {
  const ids = Array.from({ length: 25 }, (_, i) => `bulk-${String(i).padStart(2, '0')}`);

  test('AreWrittenInBulk', async () => {
    const enrollments = ids.map((id) => symmetric(id));
    assert.deepEqual(await service.must('runBulkEnrollmentOperation', { mode: 'create', enrollments }), { isSuccessful: true, errors: [] });
    const again = await service.must('runBulkEnrollmentOperation', { mode: 'create', enrollments: [symmetric('bulk-new'), enrollments[0]] });
    assert.equal(again.isSuccessful, false);
    assert.deepEqual(again.errors.map(({ registrationId, errorCode }) => [registrationId, Math.floor(errorCode / 1000)]), [[ids[0], 409]]);
    await service.must('deleteIndividualEnrollment', 'bulk-new');
    const read = await service.must('getIndividualEnrollment', ids[0]);
    const update = { ...read, provisioningStatus: 'disabled' };
    const updated = await service.must('runBulkEnrollmentOperation', { mode: 'updateIfMatchEtag', enrollments: [update] });
    assert.deepEqual(updated, { isSuccessful: true, errors: [] });
    const stale = await service.must('runBulkEnrollmentOperation', { mode: 'updateIfMatchEtag', enrollments: [update] });
    assert.equal(Math.floor(stale.errors[0].errorCode / 1000), 412);
  });

  test('AreFoundInPages', async () => {
    const pages = await service.must('query', 'createIndividualEnrollmentQuery', { query: 'SELECT * FROM enrollments' }, 10);
    assert.deepEqual(pages.map((page) => page.length), [10, 10, 5]);
    assert.deepEqual(pages.flat().map(({ registrationId }) => registrationId), ids);
    const [all] = await service.must('query', 'createIndividualEnrollmentQuery', { query: '*' });
    assert.equal(all.length, 25);
    await service.must_fail({ name: 'ArgumentError', status: 400 }, 'query', 'createIndividualEnrollmentQuery', { query: 'SELECT * FROM enrollments WHERE x = 1' });
    for (const id of ['group-a', 'group-b', 'group-c']) await service.must('createOrUpdateEnrollmentGroup', { enrollmentGroupId: id, attestation: { type: 'symmetricKey' } });
    const groups = await service.must('query', 'createEnrollmentGroupQuery', { query: 'SELECT * FROM enrollmentGroups' }, 2);
    assert.deepEqual(groups.map((page) => page.map(({ enrollmentGroupId }) => enrollmentGroupId)), [['group-a', 'group-b'], ['group-c']]);
  });

  test('AreDeletedInBulk', async () => {
    const enrollments = ids.map((registrationId) => ({ registrationId }));
    assert.deepEqual(await service.must('runBulkEnrollmentOperation', { mode: 'delete', enrollments }), { isSuccessful: true, errors: [] });
    assert.deepEqual(await service.must('query', 'createIndividualEnrollmentQuery', { query: '*' }), [[]]);
  });
});

describe('Who may', () => {
  const kWrong = { name: 'UnauthorizedError', status: 401 };

  test('NobodyWithoutTheKey', async () => {
    const forged = new ServiceClient({
      connection_string: `HostName=localhost;SharedAccessKeyName=provisioning-service;SharedAccessKey=${crypto.randomBytes(32).toString('base64')}`, ca: server.ca,
    });
    await forged.must_fail(kWrong, 'getIndividualEnrollment', 'any');
  });

  test('NobodyWithAKeyThatWasDeleted', async () => {
    const passing = await client('passing');
    await passing.must('query', 'createIndividualEnrollmentQuery', { query: '*' });
    const listed = await server.warifu('service-key', 'list', '--json');
    assert.ok(listed.some(({ name }) => name === 'passing'));
    await server.warifu('service-key', 'delete', '--name', 'passing');
    await passing.must_fail(kWrong, 'query', 'createIndividualEnrollmentQuery', { query: '*' });
  });
});

describe('A device that registers', () => {
  async function register(device, keys) {
    const registration = new Registration({ server, device, keys, registration_id: 'live-1' });
    try {
      const authorization = await registration.fresh_token();
      return await registration.result(await registration.open(authorization), authorization);
    } finally {
      registration.close();
    }
  }

  test('HasAStateThatCanBeReadAndTakenBack', async () => {
    const device = await SoftDevice.start();
    try {
      const keys = await device.identity();
      const attestation = { type: 'tpm', tpm: { endorsementKey: keys.ek.toString('base64') } };
      await service.must('createOrUpdateIndividualEnrollment', { registrationId: 'live-1', attestation });
      await service.must_fail({ name: 'Error', status: 404 }, 'getDeviceRegistrationState', 'live-1');
      const first = await register(device, keys);
      const state = await service.must('getDeviceRegistrationState', 'live-1');
      assert.equal(state.status, 'assigned');
      assert.equal(state.assignedHub, first.registrationState.assignedHub);
      assert.deepEqual((await service.must('getIndividualEnrollment', 'live-1')).registrationState, state);
      await service.must('deleteDeviceRegistrationState', state);
      await service.must_fail({ name: 'Error', status: 404 }, 'getDeviceRegistrationState', 'live-1');
      const { code } = await server.try_warifu('device', 'hub-key', 'live-1');
      assert.notEqual(code, 0, 'the key that it had is void');
      const again = await register(device, keys);
      assert.equal(again.registrationState.substatus, 'initialAssignment');
    } finally {
      await device.stop();
    }
  });
});
