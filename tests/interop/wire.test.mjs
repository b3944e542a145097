// What the other SDKs (C, C#, IoT Edge, Node) demand of a DPS server beyond what the Node SDK shows, byte by byte over node:https.
// Source of each row: "Strictness by client" and section (a) of the DPS protocol facts.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { split_blob } from './lib/challenge.mjs';
import { SoftDevice } from './lib/device.mjs';
import { assert_accepted, assert_challenge, assert_error, shown } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { Registration } from './lib/registration.mjs';
import { kResourceForms, sas_token, unix_time } from './lib/sas.mjs';
import { Server } from './lib/server.mjs';

const kVersions = ['2017-08-31-preview', '2017-11-15', '2018-04-01', '2018-09-01-preview', '2018-11-01', '2019-03-31', '2021-06-01', '2021-10-01'];
const kClockTolerance = 300; // seconds by which the server lets a device's clock be wrong
// One device that asks for more challenges in a minute than a real one in a year: tests/system/limits.test.mjs is about what would slow it down.
const kNoDelays = '[limits]\nregistration_rate = 1000000\nregistration_burst = 1000000\n';
const kRegistrationId = 'Interop:Wire_1.a-b'; // every character that an id may have

let server;
let device;
let keys;
let registration;

before(async () => {
  require_isolation();
  device = await SoftDevice.start();
  keys = await device.identity();
  server = await Server.start({ config: kNoDelays });
  await server.login();
  await server.enroll(kRegistrationId, keys.ek);
  registration = new Registration({ server, device, keys, registration_id: kRegistrationId });
});
after(async () => {
  registration?.close();
  await server?.stop();
  await device?.stop();
});

describe('The challenge', () => {
  test('HasKeyNameAndNoStatusAndSixParts', async () => {
    const parts = split_blob(await registration.challenge()).map(({ bytes }) => bytes);
    assert.equal(parts.length, 6, 'parts of the authenticationKey blob');
    const sizes = parts.map((part) => part.length);
    assert.deepEqual([sizes[0], sizes[1], sizes[3], sizes[4]], [52, 256, 256, 48], `sizes are ${sizes}`);
    assert.ok([142, 174].includes(sizes[2]), `the duplicate of a 32- or 64-byte key has 142 or 174 bytes, not ${sizes[2]}`);
    assert.equal(parts[4].subarray(0, 16).toString('hex'), '0008000b0004044000000005000b0020', 'public area of the identity key');
  });

  test('IsNewEachTime', async () => {
    assert.notDeepEqual(await registration.challenge(), await registration.challenge());
  });

  for (const version of kVersions) {
    test(`IsMadeForApiVersion: ${version}`, () => registration.challenge({ version }));
  }

  test('NeedsAnApiVersion', async () => {
    const { client } = registration;
    assert_error(await client.register({ version: null, body: registration.body() }), 400);
    assert_error(await client.status('5.00', { version: null, authorization: 'SharedAccessSignature sr=x&sig=x&se=1' }), 400);
  });
});

describe('A registration', () => {
  test('IsAnswered202AndThenAssigned', async () => {
    const token = await registration.fresh_token();
    const state = await registration.provision(token);
    assert.equal(state.status, 'assigned');
    assert.equal(state.registrationId?.toLowerCase(), kRegistrationId.toLowerCase());
    assert.equal(state.deviceId?.toLowerCase(), kRegistrationId.toLowerCase());
    assert.ok(state.assignedHub, 'assignedHub');
    assert.ok(state.substatus === undefined || ['initialAssignment', 'deviceDataMigrated', 'deviceDataReset'].includes(state.substatus), `C# knows no substatus ${state.substatus}`);
    for (const time of ['createdDateTimeUtc', 'lastUpdatedDateTimeUtc']) assert.ok(state[time] === undefined || /^\d{4}-.*Z$/.test(state[time]), `${time}: ${state[time]}`);
    await device.with_tpm(async (tpm) => {
      await tpm.activate(Buffer.from(state.tpm.authenticationKey, 'base64'));
      const hub_key = await server.hub_key(kRegistrationId);
      assert.deepEqual(await tpm.sign('hub'), crypto.createHmac('sha256', hub_key).update('hub').digest());
    });
  });

  test('WorksWhenTheSecondPutHasNoTpm (IoT Edge)', async () => {
    await registration.provision(await registration.fresh_token(), { body: { registrationId: kRegistrationId, payload: { site: 'Kyōto' } } });
  });

  test('TakesForceRegistration (Node)', async () => {
    const authorization = await registration.fresh_token();
    await registration.provision(authorization, { version: '2019-03-31&forceRegistration=true' });
  });

  test('CanBePolledWithABodyAndWithout (Node)', async () => {
    const authorization = await registration.fresh_token();
    const operation = await registration.open(authorization);
    await registration.result(operation, authorization, { body: '{}' });
    const again = await registration.fresh_token();
    await registration.result(await registration.open(again), again, {});
  });

  for (const [path, change] of [
    ['with an upper-case scope', ({ id_scope, registration_id }) => `${id_scope.toUpperCase()}/registrations/${registration_id}`],
    ['with a lower-case scope and id', ({ name }) => name.toLowerCase()],
    ['with an upper-case id', ({ id_scope, registration_id }) => `${id_scope}/registrations/${registration_id.toUpperCase()}`],
    ['percent-encoded (C)', ({ id_scope, registration_id }) => `${encodeURIComponent(id_scope)}/registrations/${encodeURIComponent(registration_id)}`],
    ['percent-encoded in lower case', ({ id_scope, registration_id }) => `${id_scope}/registrations/${registration_id.replace(':', '%3a')}`],
    ['percent-encoded more than needed', ({ id_scope, registration_id }) => `${id_scope}/registrations/${registration_id.replace('I', '%49').replace('_', '%5F')}`],
  ]) {
    test(`TakesThePath: ${path}`, async () => {
      const options = { path: change(registration) };
      const authorization = await registration.token(await registration.challenge(options));
      await registration.provision(authorization, options);
    });
  }
});

describe('A token', () => {
  for (const [client, form] of Object.entries(kResourceForms)) {
    test(`MayNameItsResourceWith: ${client}`, async () => {
      await registration.provision(await registration.fresh_token({ form }));
    });
  }

  for (const fields of [['sr', 'sig', 'skn', 'se'], ['se', 'skn', 'sig', 'sr'], ['sr', 'sig', 'se']]) {
    test(`MayHaveItsFieldsAs: ${fields.join(', ')}`, async () => {
      await registration.provision(await registration.fresh_token({ fields }));
    });
  }

  test('IsRefusedAfterItExpired', async () => {
    const expired = await registration.fresh_token({ expiry: unix_time(-kClockTolerance - 10) });
    assert_error(await registration.client.register({ body: registration.body(), authorization: expired }), 401);
  });

  test('MayExpireWhileItsOperationIsPolled (IoT Edge, 30 seconds)', async () => {
    const expiry = unix_time(8 - kClockTolerance); // inside the tolerance for 8 seconds more
    const authorization = await registration.fresh_token({ expiry });
    const operation = await registration.open(authorization);
    await sleep((expiry + kClockTolerance + 2 - unix_time()) * 1000);
    assert.equal((await registration.result(operation, authorization)).status, 'assigned');
  });

  test('OpensOneOperationAndNoneAfterItsEnd', async () => {
    const authorization = await registration.fresh_token();
    const operation = await registration.open(authorization);
    assert.equal(await registration.open(authorization), operation, 'the same token while its operation is open');
    await registration.result(operation, authorization);
    assert_error(await registration.client.register({ body: registration.body(), authorization }), 401, 'replayed after the end:');
  });

  test('OpensOneOperationWhenItComesManyTimesAtOnce', async () => {
    const authorization = await registration.fresh_token();
    const clients = Array.from({ length: 8 }, () => new Registration({ server, device, keys, registration_id: kRegistrationId }));
    try {
      const operations = await Promise.all(clients.map((client) => client.open(authorization)));
      assert.deepEqual([...new Set(operations)], [operations[0]]);
      await registration.result(operations[0], authorization);
    } finally {
      clients.forEach((client) => client.close());
    }
  });

  for (const which of [0, 1]) {
    test(`WorksForEachOfTwoOutstandingChallenges: ${which + 1}`, async () => {
      const blobs = [await registration.challenge(), await registration.challenge()];
      await registration.provision(await registration.token(blobs[which]));
    });
  }

  test('WorksForTheFirstOfManyChallenges', async () => {
    const first = await registration.challenge();
    for (let i = 0; i < 4; ++i) assert.notDeepEqual(await registration.challenge(), first, 'encrypted anew');
    await registration.provision(await registration.token(first));
  });

  const wrong_key = (text) => crypto.createHmac('sha256', crypto.randomBytes(32)).update(text).digest();
  for (const [title, make] of [
    ['signed with a wrong key', () => sas_token({ name: registration.name, sign: wrong_key })],
    ['for another registration', () => registration.fresh_token({ name: `${registration.id_scope}/registrations/interop-somebody` })],
    ['for another scope', () => registration.fresh_token({ name: `0neFFFFFFFF/registrations/${kRegistrationId}` })],
    ['with a later expiry than was signed', async () => (await registration.fresh_token()).replace(/&se=(\d+)/, (_, seconds) => `&se=${Number(seconds) + 60}`)],
    ['without a signature', () => registration.fresh_token({ fields: ['sr', 'se', 'skn'] })],
    ['without an expiry', () => registration.fresh_token({ fields: ['sr', 'sig', 'skn'] })],
    ['with an expiry that is no number', async () => (await registration.fresh_token()).replace(/&se=\d+/, '&se=tomorrow')],
    ['of another scheme', () => 'Bearer warifu'],
    ['that is empty after the scheme', () => 'SharedAccessSignature '],
  ]) {
    test(`IsRefused: ${title}`, async () => {
      const authorization = await make();
      const response = await registration.client.register({ body: registration.body(), authorization });
      assert_error(response, 401);
    });
  }

  test('IsRefusedWithAnotherTpmThanWasChallenged', async () => {
    const authorization = await registration.fresh_token();
    const other = await SoftDevice.start();
    try {
      const response = await registration.client.register({ body: registration.body(await other.identity()), authorization });
      assert.ok([400, 401].includes(response.status), shown(response));
      assert_error(response, response.status);
    } finally {
      await other.stop();
    }
  });
});

describe('An operation', () => {
  test('IsShownOnlyToWhoOpenedIt', async () => {
    const authorization = await registration.fresh_token();
    const operation = await registration.open(authorization);
    const { client } = registration;
    assert_error(await client.status(operation), 401, 'no token:');
    const stranger = await sas_token({ name: registration.name, sign: async (text) => crypto.createHmac('sha256', 'guess').update(text).digest() });
    assert_error(await client.status(operation, { authorization: stranger }), 401, 'a stranger\'s token:');
    assert_error(await client.status(`5.${crypto.randomUUID()}`, { authorization }), 404, 'an operation that never was:');
    await registration.result(operation, authorization);
  });

  test('SurvivesARestartOfTheServer', async () => {
    const authorization = await registration.fresh_token();
    const operation = await registration.open(authorization);
    await server.restart();
    assert.equal((await registration.result(operation, authorization)).status, 'assigned');
  });
});

describe('The registration lookup', () => {
  test('ShowsTheBareState', async () => {
    const authorization = await registration.fresh_token();
    const operation = await registration.open(authorization);
    const response = await registration.client.lookup({ authorization, body: registration.body() });
    assert.equal(response.status, 200, shown(response));
    assert.equal(response.json.registrationId?.toLowerCase(), kRegistrationId.toLowerCase());
    assert.ok(['unassigned', 'assigning', 'assigned'].includes(response.json.status), response.text);
    assert.ok(!('operationId' in response.json) && !('registrationState' in response.json), `bare state expected: ${response.text}`);
    await registration.result(operation, authorization);
  });

  test('IsRefusedWithAWrongKey', async () => {
    const authorization = await sas_token({ name: registration.name, sign: async (text) => crypto.createHmac('sha256', 'guess').update(text).digest() });
    assert_error(await registration.client.lookup({ authorization, body: registration.body() }), 401);
  });
});

describe('A request that cannot be understood is refused in the protocol\'s own shape', () => {
  const base64 = (bytes) => bytes.toString('base64');
  const with_ek = (ek) => ({ registrationId: kRegistrationId, tpm: { endorsementKey: ek, storageRootKey: base64(keys.srk) } });
  const with_srk = (srk) => ({ registrationId: kRegistrationId, tpm: { endorsementKey: base64(keys.ek), storageRootKey: srk } });
  const resized = (key, change) => {
    const copy = Buffer.from(key);
    copy.writeUInt16BE(change(copy.readUInt16BE(0)) & 0xffff, 0);
    return base64(copy);
  };
  const sizes = { 'size 0': () => 0, 'size - 1': (n) => n - 1, 'size + 1': (n) => n + 1, 'size max': () => 0xffff };

  const rows = {
    'no JSON': () => 'registrationId=x',
    'JSON that is cut off': () => JSON.stringify(registration.body()).slice(0, -1),
    'JSON with more behind it': () => `${JSON.stringify(registration.body())} {}`,
    'no object': () => '[]',
    'a duplicate key': () => JSON.stringify(registration.body()).replace('{', `{"registrationId":"${kRegistrationId}",`),
    'deep nesting': () => `{"registrationId":"${kRegistrationId}","payload":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    'another registrationId than in the path': () => ({ ...registration.body(), registrationId: 'interop-somebody' }),
    'a registrationId of another type': () => ({ ...registration.body(), registrationId: 7 }),
    'tpm of another type': () => ({ registrationId: kRegistrationId, tpm: 'x' }),
    'no endorsementKey': () => ({ registrationId: kRegistrationId, tpm: { storageRootKey: base64(keys.srk) } }),
    'no storageRootKey': () => ({ registrationId: kRegistrationId, tpm: { endorsementKey: base64(keys.ek) } }),
    'an endorsementKey that is no base64': () => with_ek('%%%'),
    'a storageRootKey that is no base64': () => with_srk('%%%'),
    'an empty storageRootKey': () => with_srk(''),
    'an EK in place of the SRK': () => with_srk(base64(keys.ek)),
    'a storageRootKey with a byte more': () => with_srk(base64(Buffer.concat([keys.srk, Buffer.from([0])]))),
    'a storageRootKey that is cut off': () => with_srk(base64(keys.srk.subarray(0, -1))),
    'a storageRootKey with an even modulus': () => with_srk(base64(Buffer.concat([keys.srk.subarray(0, -1), Buffer.from([0])]))),
    ...Object.fromEntries(Object.entries(sizes).map(([title, change]) => [`endorsementKey with ${title}`, () => with_ek(resized(keys.ek, change))])),
    ...Object.fromEntries(Object.entries(sizes).map(([title, change]) => [`storageRootKey with ${title}`, () => with_srk(resized(keys.srk, change))])),
  };
  for (const [title, make] of Object.entries(rows)) {
    test(`Refuses: ${title}`, async () => assert_error(await registration.client.register({ body: make() }), 400));
  }

  for (const [offset, title] of [[4, 'nameAlg'], [6, 'attributes'], [10, 'authPolicy size']]) {
    test(`RefusesAStorageRootKeyWithAFlippedBitIn: ${title}`, async () => {
      const srk = Buffer.from(keys.srk);
      srk[offset + 1] ^= 2;
      assert_error(await registration.client.register({ body: with_srk(base64(srk)) }), 400);
    });
  }

  test('RefusesABodyOfAMegabyte', async () => {
    const body = { ...registration.body(), payload: 'x'.repeat(1 << 20) };
    const outcome = await registration.client.register({ body }).catch((error) => error);
    if (outcome instanceof Error) return assert.match(outcome.code ?? outcome.message, /EPIPE|ECONNRESET/); // hung up while we were sending
    assert.ok([400, 413].includes(outcome.status), shown(outcome));
  });

  test('StillServesAfterAllThat', async () => {
    await registration.provision(await registration.fresh_token());
  });
});
