// azure-iot-provisioning-device, -http and azure-iot-security-tpm, unmodified and constructed as their documentation says, on a
// software TPM: host "localhost", port 443, TPM wherever the SDK looks for it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SoftDevice } from './lib/device.mjs';
import { DpsClient, assert_error } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { kDefaultClientPort } from './lib/mssim_bridge.mjs';
import { Server } from './lib/server.mjs';
import { run_vendor_sdk } from './lib/vendor.mjs';

const kSubstatuses = ['initialAssignment', 'deviceDataMigrated', 'deviceDataReset'];
const kSample = 'The tally sticks match.';

let server;
let device;
let keys;

before(async () => {
  require_isolation();
  device = await SoftDevice.start({ port: kDefaultClientPort });
  keys = await device.identity();
  server = await Server.start();
  await server.login();
  await server.enroll(keys.registration_id, keys.ek);
});
after(async () => {
  await server?.stop();
  await device?.stop();
});

function register(request = {}, options = { ca: server.ca }) {
  return run_vendor_sdk({ do: 'register', host: 'localhost', id_scope: server.id_scope, ...request }, options);
}

/** Registers and returns the registration state; throws with everything that is known when the SDK was refused. */
async function must_register() {
  const answer = await register();
  assert.ok(answer.ok, `the SDK was not assigned: ${JSON.stringify(answer, null, 1)}`);
  assert.equal(answer.result.status, 'assigned');
  return { ...answer.result.registrationState, http: answer.http };
}

/** HMAC by the key at 0x81000100, through the vendor's client in a new process. */
async function signed_by_tpm(text) {
  const answer = await run_vendor_sdk({ do: 'sign', text });
  assert.ok(answer.ok, `the TPM did not sign: ${JSON.stringify(answer)}`);
  return answer.result;
}

const signed_by = (key, text) => crypto.createHmac('sha256', key).update(text).digest('base64');

async function assert_tpm_and_server_share_a_key() {
  const key = await server.hub_key(keys.registration_id);
  assert.ok(key.length >= 32, `the hub key has only ${key.length} bytes`);
  for (const text of [kSample, 'x'.repeat(3000)]) assert.equal(await signed_by_tpm(text), signed_by(key, text), 'TPM2_HMAC at 0x81000100 is not the server\'s');
  return key;
}

describe('The unmodified SDK on a software TPM', () => {
  let first_key;

  test('ReadsTheSameKeysByItsDefaultWay', async () => {
    const { ok, result } = await run_vendor_sdk({ do: 'identify' });
    assert.ok(ok);
    assert.deepEqual(result, { ek: keys.ek.toString('base64'), srk: keys.srk.toString('base64'), registration_id: keys.registration_id });
  });

  test('IsAssigned', async () => {
    const state = await must_register();
    assert.equal(state.status, 'assigned');
    assert.equal(state.registrationId, keys.registration_id);
    assert.equal(state.deviceId, keys.registration_id);
    assert.match(state.assignedHub ?? '', /^[^\s/]+$/, 'assignedHub names a host');
    if (state.substatus !== undefined) assert.ok(kSubstatuses.includes(state.substatus), state.substatus);
    assert.deepEqual(state.http.slice(0, 2).map(({ method, status }) => `${method} ${status}`), ['PUT 401', 'PUT 202']);
    assert.deepEqual(state.http.at(-1).status, 200);
  });

  test('HoldsInItsTpmTheKeyThatTheServerHas', async () => {
    first_key = await assert_tpm_and_server_share_a_key();
    assert.notEqual(await signed_by_tpm(kSample), signed_by(crypto.randomBytes(32), kSample));
  });

  test('DoesNotShowTheKeyWhereItIsNotAskedFor', async () => {
    const { code, stdout, stderr } = await server.try_warifu('device', 'show', keys.registration_id, '--json');
    assert.equal(code, 0, stderr);
    assert.ok(!stdout.includes(first_key.toString('base64')) && !stdout.includes(first_key.toString('hex')), 'device show prints the hub key');
  });

  test('GetsANewKeyWhenItComesAgain', async () => {
    const state = await must_register();
    assert.equal(state.deviceId, keys.registration_id);
    const second_key = await assert_tpm_and_server_share_a_key();
    assert.notDeepEqual(second_key, first_key);
    first_key = second_key;
  });

  // It knows nothing of attestation: what the server says of it must not disturb it, and it gets nothing before.
  test('PollsOnWhileTheTermsAskForAnAttestation', async () => {
    const update = (...terms) => server.warifu('enrollment', 'update', keys.registration_id, ...terms);
    await update('--require-attestation', 'affirming');
    let waits = true;
    const registered = must_register();
    const settled = registered.then(() => (waits = false), () => (waits = false));
    for (let i = 0; ; ++i) {
      const items = await server.warifu('registration', 'list', '--waiting', '--json');
      if (items.length === 1) {
        assert.equal(items[0].attestation_shortfall.code, 'attestation.missing');
        break;
      }
      assert.ok(i < 300 && waits, 'it does not wait');
      await sleep(100);
    }
    assert.deepEqual(await server.hub_key(keys.registration_id), first_key, 'the key of before, and no new one');
    await update('--require-attestation', 'none');
    const state = await registered;
    await settled;
    assert.ok(state.http.some(({ method, status }) => method === 'GET' && status === 202), JSON.stringify(state.http));
    const next_key = await assert_tpm_and_server_share_a_key();
    assert.notDeepEqual(next_key, first_key);
    first_key = next_key;
  });

  test('KeepsItsKeyOverARestartOfTheServer', async () => {
    await server.restart();
    assert.deepEqual(await assert_tpm_and_server_share_a_key(), first_key);
    await must_register();
    assert.notDeepEqual(await assert_tpm_and_server_share_a_key(), first_key);
  });

  test('IsTheSameDeviceAfterItsTpmWasCleared', async () => {
    const key_before = await server.hub_key(keys.registration_id);
    await device.clear();
    const lost = await run_vendor_sdk({ do: 'sign', text: kSample });
    assert.equal(lost.error?.name, 'InvalidOperationError', 'TPM2_Clear must take the key');
    const state = await must_register();
    assert.equal(state.deviceId, keys.registration_id);
    const renewed = await device.identity();
    assert.notDeepEqual(renewed.srk, keys.srk);
    keys = renewed;
    assert.notDeepEqual(await assert_tpm_and_server_share_a_key(), key_before);
  });
});

describe('The unmodified SDK is refused', () => {
  /** The SDK hides the server's answer behind a sentence of its own, so the wire is asked, and then the same asked again by hand. */
  async function assert_refused({ status, request = {}, sdk_error }) {
    const answer = await register(request);
    assert.equal(answer.ok, false, `the SDK was assigned: ${JSON.stringify(answer.result)}`);
    assert.equal(answer.error.name, sdk_error, JSON.stringify(answer));
    assert.deepEqual(answer.http.map((seen) => seen.status), [status], 'one request, one refusal');
    assert.match(answer.http[0].headers['x-ms-request-id'] ?? '', /^[0-9a-f-]{36}$/i, 'x-ms-request-id');

    const id_scope = request.id_scope ?? server.id_scope;
    const registration_id = request.registration_id ?? keys.registration_id;
    const client = new DpsClient({ url: server.devices_url, ca: server.ca, id_scope, registration_id });
    try {
      const tpm = { endorsementKey: keys.ek.toString('base64'), storageRootKey: keys.srk.toString('base64') };
      assert_error(await client.register({ body: { registrationId: registration_id, tpm } }), status);
    } finally {
      client.close();
    }
  }

  // What must not change while the device is turned away.
  let key_before;
  before(async () => {
    key_before = await server.hub_key(keys.registration_id);
  });
  after(async () => {
    assert.equal(await signed_by_tpm(kSample), signed_by(key_before, kSample), 'a refusal replaced the key in the TPM');
  });

  test('WithAnEkThatIsNotEnrolledUnderThatId', async () => {
    const other = await SoftDevice.start();
    try {
      await server.enroll('interop-other-tpm', (await other.identity()).ek);
    } finally {
      await other.stop();
    }
    await assert_refused({ status: 401, request: { registration_id: 'interop-other-tpm' }, sdk_error: 'FormatError' });
  });

  test('WithAnIdThatNobodyEnrolled', () =>
    assert_refused({ status: 404, request: { registration_id: 'interop-nobody' }, sdk_error: 'InvalidOperationError' }));

  test('InAScopeThatIsNotHere', () =>
    assert_refused({ status: 404, request: { id_scope: '0neFFFFFFFF' }, sdk_error: 'InvalidOperationError' }));

  test('ByItselfWhenTheServerShowsACertificateThatItDoesNotTrust', async () => {
    const answer = await register({}, {});
    assert.equal(answer.ok, false, 'the SDK talked to a server that it cannot know');
    assert.deepEqual(answer.http, [], 'no request may be answered before the certificate is believed');
  });

  test('AfterItsEnrollmentWasDeleted', async () => {
    await server.delete_enrollment(keys.registration_id);
    await assert_refused({ status: 404, sdk_error: 'InvalidOperationError' });
    await server.enroll(keys.registration_id, keys.ek);
    key_before = await (async () => {
      await must_register();
      return assert_tpm_and_server_share_a_key();
    })();
  });
});
