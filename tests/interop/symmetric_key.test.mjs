// azure-iot-security-symmetric-key, unmodified, with azure-iot-provisioning-device over HTTP at localhost:443: keys of one device and
// keys that are derived from a group's.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert_accepted, assert_error } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { device_key, keyed_client } from './lib/shared_key.mjs';
import { kResourceForms, unix_time } from './lib/sas.mjs';
import { Server } from './lib/server.mjs';
import { assert_assigned, run_vendor_sdk } from './lib/vendor.mjs';

const kClockTolerance = 300; // seconds by which the server lets a device's clock be wrong

const new_key = () => crypto.randomBytes(64).toString('base64');
const attestation_of = (primary, secondary = new_key()) => ({ type: 'symmetric-key', symmetric_key: { primary_key: primary, secondary_key: secondary } });

let server;
let operator;

before(async () => {
  require_isolation();
  server = await Server.start({ devices: '127.0.0.1:8443', compat: '127.0.0.1:443' });
  operator = await OperatorClient.log_in(server);
});
after(async () => {
  operator?.close();
  await server?.stop();
});

function register(registration_id, symmetric_key) {
  return run_vendor_sdk({ do: 'register', host: 'localhost', id_scope: server.id_scope, registration_id, symmetric_key }, { ca: server.ca });
}

/** The SDK is refused with this status, and the answer behind it tells the reason. */
async function assert_refused(registration_id, key, status, code) {
  const answer = await register(registration_id, key);
  assert.equal(answer.ok, false, `the SDK was assigned: ${JSON.stringify(answer.result)}`);
  assert.deepEqual(answer.http.map((exchange) => exchange.status), [status], JSON.stringify(answer));
  const client = keyed_client(server, registration_id, key);
  try {
    const response = await client.register();
    assert_error(response, status);
    assert.equal(response.json.info?.code, code, response.text);
  } finally {
    client.close();
  }
}

describe('A device with a key of its own', () => {
  const kId = 'Interop-Key_1:a.b';
  const [primary, secondary] = [new_key(), new_key()];
  before(() => operator.enroll(kId, attestation_of(primary, secondary)));

  test('IsAssigned', async () => {
    const state = assert_assigned(await register(kId, primary), kId);
    assert.equal(state.deviceId, kId.toLowerCase());
    assert.equal(state.substatus, 'initialAssignment');
    assert.deepEqual(state.symmetricKey, {}, 'in no group');
  });

  test('IsAssignedByItsSecondaryKeyToo', async () => {
    assert_assigned(await register(kId, secondary), kId);
  });

  test('IsTheSameDeviceWhenItComesAgain', async () => {
    const [first, again] = [assert_assigned(await register(kId, primary), kId), assert_assigned(await register(kId, primary), kId)];
    assert.equal(again.deviceId, first.deviceId);
    assert.equal(again.createdDateTimeUtc, first.createdDateTimeUtc);
    assert.equal(again.substatus, 'deviceDataMigrated');
  });

  test('IsTheDeviceThatTheOperatorNamed', async () => {
    const key = new_key();
    await operator.enroll('interop-key-named', attestation_of(key), { device_id: 'pump-7' });
    assert.equal(assert_assigned(await register('interop-key-named', key), 'interop-key-named').deviceId, 'pump-7');
  });

  test('GoesToTheHubThatTheOperatorNamed', async () => {
    const key = new_key();
    await operator.enroll('interop-key-hub', attestation_of(key), { allocation: 'static', hubs: ['hub-7.example.com'] });
    assert.equal(assert_assigned(await register('interop-key-hub', key), 'interop-key-hub').assignedHub, 'hub-7.example.com');
  });

  test('MayHaveAKeyThatTheServerMade', async () => {
    await operator.enroll('interop-key-made', { type: 'symmetric-key' });
    const keys = await operator.must(200, 'GET', '/api/v1/enrollments/interop-key-made/keys');
    for (const key of [keys.primary_key, keys.secondary_key]) assert_assigned(await register('interop-key-made', key), 'interop-key-made');
  });

  test('IsRefusedWithAWrongKey', () => assert_refused(kId, new_key(), 401, 'token.signature'));

  test('IsRefusedUnderAnIdThatNobodyEnrolled', async () => {
    const answer = await register('interop-nobody', primary);
    assert.equal(answer.ok, false);
    assert.deepEqual(answer.http.map(({ status }) => status), [401]);
  });

  test('IsRefusedWhileItIsDisabledAndComesBack', async () => {
    await operator.enroll(kId, attestation_of(primary, secondary), { enabled: false });
    await assert_refused(kId, primary, 403, 'enrollment.disabled');
    await operator.enroll(kId, attestation_of(primary, secondary));
    assert_assigned(await register(kId, primary), kId);
  });

  test('IsRefusedWithItsOldKeyAfterAnotherWasEnrolled', async () => {
    const [old, renewed] = [new_key(), new_key()];
    await operator.enroll('interop-key-renewed', attestation_of(old));
    assert_assigned(await register('interop-key-renewed', old), 'interop-key-renewed');
    await operator.enroll('interop-key-renewed', attestation_of(renewed));
    await assert_refused('interop-key-renewed', old, 401, 'token.signature');
    assert_assigned(await register('interop-key-renewed', renewed), 'interop-key-renewed');
  });
});

describe('A key', () => {
  test('IsNowhereOnDiskAsItIs', async () => {
    const id = 'interop-key-on-disk';
    const [primary, secondary] = [new_key(), new_key()];
    await operator.enroll(id, attestation_of(primary, secondary));
    assert_assigned(await register(id, primary), id);
    for (const key of [primary, secondary]) assert.equal(await server.has_on_disk(Buffer.from(key, 'base64')), false);
    assert.equal(await server.has_on_disk(Buffer.from(id)), true, 'nothing at all was found on disk');
  });

  test('IsShownToNobodyWhoDidNotAskForKeys', async () => {
    const id = 'interop-key-not-shown';
    const [primary, secondary] = [new_key(), new_key()];
    await operator.enroll(id, attestation_of(primary, secondary));
    const shown = [await operator.must(200, 'GET', `/api/v1/enrollments/${id}`), await operator.must(200, 'GET', '/api/v1/enrollments?limit=100')];
    for (const key of [primary, secondary]) assert.ok(!JSON.stringify(shown).includes(key.slice(0, 20)));
    const keys = await operator.must(200, 'GET', `/api/v1/enrollments/${id}/keys`);
    assert.deepEqual([keys.primary_key, keys.secondary_key], [primary, secondary]);
  });
});

describe('A device with a key that is derived from its group\'s', () => {
  const kGroup = 'interop-key-group';
  const [primary, secondary] = [new_key(), new_key()];
  before(() => operator.enroll_group(kGroup, attestation_of(primary, secondary)));

  for (const [which, key] of [['Primary', primary], ['Secondary', secondary]]) {
    test(`IsAssignedByTheGroups${which}Key`, async () => {
      const id = `interop-derived-${which.toLowerCase()}`;
      const state = assert_assigned(await register(id, device_key(key, id)), id);
      assert.equal(state.deviceId, id);
      assert.deepEqual(state.symmetricKey, { enrollmentGroupId: kGroup });
    });
  }

  test('MayHaveItsKeyDerivedFromItsIdAsItIsWrittenOrInLowerCase', async () => {
    const id = 'Interop-Derived-MIXED';
    assert_assigned(await register(id, device_key(primary, id)), id);
    assert_assigned(await register(id, device_key(primary, id.toLowerCase())), id);
  });

  test('IsRefusedWithTheKeyOfAnotherDevice', () =>
    assert_refused('interop-derived-thief', device_key(primary, 'interop-derived-primary'), 401, 'token.signature'));

  test('IsRefusedWithTheGroupsKeyItself', () => assert_refused('interop-derived-thief', primary, 401, 'token.signature'));

  test('IsKeptOutByAnEnrollmentOfItsOwn', async () => {
    const id = 'interop-derived-kept-out';
    assert_assigned(await register(id, device_key(primary, id)), id);
    await operator.enroll(id, attestation_of(device_key(primary, id)), { enabled: false });
    await assert_refused(id, device_key(primary, id), 403, 'enrollment.disabled');
  });

  test('IsRefusedWhileItsGroupIsDisabledAndAfterItIsGone', async () => {
    const id = 'interop-derived-primary';
    await operator.enroll_group(kGroup, attestation_of(primary, secondary), { enabled: false });
    await assert_refused(id, device_key(primary, id), 403, 'enrollment.disabled');
    await operator.must(204, 'DELETE', `/api/v1/enrollment-groups/${kGroup}`);
    await assert_refused(id, device_key(primary, id), 401, 'challenge.unknown');
  });
});

describe('At wire level a token by a key', () => {
  const kId = 'Interop-Wire:Key_1';
  const key = new_key();
  let client;
  before(async () => {
    await operator.enroll(kId, attestation_of(key));
    client = keyed_client(server, kId, key);
  });
  after(() => client?.close());

  for (const [name, form] of Object.entries(kResourceForms)) {
    for (const fields of [['sr', 'sig', 'skn', 'se'], ['sr', 'sig', 'se', 'skn'], ['sr', 'sig', 'se']]) {
      test(`IsTaken: ${name}, ${fields.join(' ')}`, async () => {
        const state = await client.provision({ form, fields });
        assert.equal(state.registrationId, kId.toLowerCase());
      });
    }
  }

  test('IsTakenWithThePathInLowerCase (IoT Edge)', () => client.provision({}, { path: client.name.toLowerCase() }));

  test('IsTakenWithAPercentEncodedPath (C)', () =>
    client.provision({}, { path: `${server.id_scope}/registrations/${encodeURIComponent(kId)}` }));

  test('LivesForAsLongAsASdkSays (C 40 minutes, Node an hour, C# and Python a day)', async () => {
    for (const seconds of [40 * 60, 3600, 24 * 3600]) await client.provision({ expiry: unix_time(seconds) });
  });

  test('OpensOneOperationHoweverOftenItComes', async () => {
    const authorization = await client.token();
    const [first, again] = [await client.register({ authorization }), await client.register({ authorization })];
    assert.equal(assert_accepted(again), assert_accepted(first));
  });

  test('MayExpireWhileItsOperationIsPolled (IoT Edge, 30 seconds)', async () => {
    const expiry = unix_time(3 - kClockTolerance); // inside the tolerance for 3 seconds more
    const authorization = await client.token({ expiry });
    const operation = assert_accepted(await client.register({ authorization }));
    await sleep((expiry + kClockTolerance + 2 - unix_time()) * 1000);
    assert.equal((await client.status(operation, { authorization })).status, 200);
    const expired = await client.register({ authorization });
    assert_error(expired, 401, 'another registration with it:');
    assert.equal(expired.json.info.code, 'token.expired');
  });

  for (const [title, options, code] of [
    ['that has expired', { expiry: unix_time(-400) }, 'token.expired'],
    ['for another registration', { name: '0ne00000000/registrations/x' }, 'token.resource'],
    ['with a field twice', { fields: ['sr', 'sig', 'se', 'skn', 'sr'] }, 'token.malformed'],
  ]) {
    test(`IsRefused: ${title}`, async () => {
      const response = await client.register({ authorization: await client.token(options) });
      assert_error(response, 401);
      assert.equal(response.json.info.code, code, response.text);
    });
  }

  test('ShowsNoOperationToAnotherKey', async () => {
    const operation = assert_accepted(await client.register());
    const stranger = keyed_client(server, kId, new_key());
    try {
      const response = await stranger.status(operation);
      assert_error(response, 401);
      assert.equal(response.json.info.code, 'token.signature');
    } finally {
      stranger.close();
    }
  });
});
