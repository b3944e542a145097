// Groups of TPMs by a list of EKs, for the unmodified SDK: no enrollment names the device, its TPM does.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { name_of } from './lib/challenge.mjs';
import { SoftDevice } from './lib/device.mjs';
import { assert_challenge, assert_error } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { kDefaultClientPort } from './lib/mssim_bridge.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Registration } from './lib/registration.mjs';
import { Server } from './lib/server.mjs';
import { assert_assigned, run_vendor_sdk } from './lib/vendor.mjs';

const kGroup = 'interop-tpms';

let server;
let operator;
let device;
let keys;
let other;
let other_keys;

before(async () => {
  require_isolation();
  [device, other] = [await SoftDevice.start({ port: kDefaultClientPort }), await SoftDevice.start()];
  [keys, other_keys] = [await device.identity(), await other.identity()];
  server = await Server.start();
  operator = await OperatorClient.log_in(server);
  await put_group();
});
after(async () => {
  operator?.close();
  await server?.stop();
  await device?.stop();
  await other?.stop();
});

const put_group = (naming, fields) => operator.enroll_group(kGroup, { type: 'tpm', ...(naming ? { tpm: { naming } } : {}) }, fields);
const list = (...eks) => operator.must(200, 'POST', `/api/v1/enrollment-groups/${kGroup}/eks`, { body: { eks: eks.map((ek) => ek.toString('base64')) } });
const unlist = (ek) => operator.must(204, 'DELETE', `/api/v1/enrollment-groups/${kGroup}/eks/${name_of(ek.subarray(2)).toString('hex')}`);

/** Without an ID the SDK takes the hash of the EK. */
function register(registration_id) {
  return run_vendor_sdk({ do: 'register', host: 'localhost', id_scope: server.id_scope, registration_id }, { ca: server.ca });
}

const registration_of = (soft_device, soft_keys, registration_id) =>
  new Registration({ server, device: soft_device, keys: soft_keys, registration_id });

/** The first PUT at wire level is refused with this status and reason. */
async function assert_refused(registration_id, status, code, its_keys = keys) {
  const registration = registration_of(device, its_keys, registration_id);
  try {
    const response = await registration.client.register({ body: registration.body() });
    assert_error(response, status);
    assert.equal(response.json.info?.code, code, response.text);
  } finally {
    registration.close();
  }
}

describe('A TPM of a group', () => {
  test('IsNobodyBeforeItsEkIsListed', () => assert_refused(keys.registration_id, 404, 'enrollment.unknown'));

  test('IsAssignedUnderTheHashOfItsEk', async () => {
    const { results } = await list(keys.ek, other_keys.ek);
    assert.deepEqual(results?.map(({ outcome }) => outcome), ['added', 'added']);
    const state = assert_assigned(await register(), keys.registration_id);
    assert.equal(state.deviceId, keys.registration_id);
    assert.equal(state.substatus, 'initialAssignment');
  });

  test('IsTheSameDeviceWhenItComesAgainAndAfterItWasCleared', async () => {
    assert.equal(assert_assigned(await register(), keys.registration_id).substatus, 'deviceDataMigrated');
    await device.clear();
    assert.equal(assert_assigned(await register(), keys.registration_id).deviceId, keys.registration_id);
    keys = await device.identity();
  });

  test('IsRefusedUnderAnyOtherId', () => assert_refused('interop-of-my-choice', 403, 'enrollment.name'));

  test('IsRefusedUnderTheIdOfAnotherTpm', () => assert_refused(other_keys.registration_id, 403, 'enrollment.name'));

  test('IsRefusedWhileTheGroupIsDisabled', async () => {
    await put_group(undefined, { enabled: false });
    await assert_refused(keys.registration_id, 403, 'enrollment.disabled');
    await put_group();
    assert_assigned(await register(), keys.registration_id);
  });

  test('IsRefusedOnceItsEkIsOffTheListAndTheOthersAreNot', async () => {
    await unlist(keys.ek);
    await assert_refused(keys.registration_id, 404, 'enrollment.unknown');
    const registration = registration_of(other, other_keys, other_keys.registration_id);
    try {
      await registration.provision(await registration.fresh_token());
    } finally {
      registration.close();
    }
  });
});

describe('A TPM of a group in which devices choose their names', () => {
  before(async () => {
    await operator.must(204, 'DELETE', `/api/v1/enrollment-groups/${kGroup}`);
    await put_group('pump-*');
    await list(keys.ek, other_keys.ek);
  });

  test('IsAssignedUnderItsNameAndStaysWithIt', async () => {
    assert_assigned(await register('pump-1'), 'pump-1');
    const registration = registration_of(device, keys, 'pump-2');
    try {
      const authorization = await registration.token(assert_challenge(await registration.client.register({ body: registration.body() })));
      const response = await registration.client.register({ body: registration.body(), authorization });
      assert_error(response, 403);
      assert.equal(response.json.info.code, 'enrollment.bound');
    } finally {
      registration.close();
    }
    assert_assigned(await register('pump-1'), 'pump-1');
  });

  test('IsRefusedUnderANameThatTheGroupDoesNotAllow', () => assert_refused('valve-1', 403, 'enrollment.name'));

  test('TakesTheNameOfAnotherTpmOnlyWhenAnOperatorAgrees', async () => {
    const registration = registration_of(other, other_keys, 'pump-1');
    try {
      const authorization = await registration.fresh_token();
      const operation = await registration.open(authorization);
      assert.equal((await registration.client.status(operation, { authorization })).status, 202, 'it waits');
      assert_assigned(await register('pump-1'), 'pump-1'); // the first goes on meanwhile
      assert.equal((await registration.client.status(operation, { authorization })).status, 202, 'and ends no wish of another TPM');
      await operator.must(200, 'POST', '/api/v1/approvals/pump-1/approve', {
        body: { ek_name: name_of(other_keys.ek.subarray(2)).toString('hex'), srk_name: name_of(other_keys.srk.subarray(2)).toString('hex') },
      });
      assert.equal((await registration.result(operation, authorization)).status, 'assigned');
    } finally {
      registration.close();
    }
    const former = registration_of(device, keys, 'pump-1');
    try {
      const token = await former.fresh_token();
      const operation = await former.open(token);
      assert.equal((await former.client.status(operation, { authorization: token })).status, 202, 'the TPM that had the name before waits now');
    } finally {
      former.close();
    }
  });
});
