// A device whose storage root key is another than last time, where an operator wants to be asked: at wire level as IoT Edge comes, with one
// token that has expired long before anybody decides.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SoftDevice } from './lib/device.mjs';
import { assert_error, shown } from './lib/dps_http.mjs';
import { require_isolation } from './lib/isolation.mjs';
import { OperatorClient } from './lib/operator_http.mjs';
import { Registration } from './lib/registration.mjs';
import { unix_time } from './lib/sas.mjs';
import { Server } from './lib/server.mjs';

const kId = 'interop-approval';
const kClockTolerance = 300; // seconds by which the server lets a device's clock be wrong
const kTokenSeconds = 4; // IoT Edge: 30, and it polls every 5

let server;
let operator;
let device;

before(async () => {
  require_isolation();
  device = await SoftDevice.start();
  server = await Server.start();
  operator = await OperatorClient.log_in(server);
  const { ek } = await device.identity();
  await operator.enroll(kId, { type: 'tpm', tpm: { endorsement_key: ek.toString('base64') } }, { approve_srk_changes: true });
  await provision();
});
after(async () => {
  operator?.close();
  await server?.stop();
  await device?.stop();
});

async function new_registration() {
  return new Registration({ server, device, keys: await device.identity(), registration_id: kId });
}

async function provision() {
  const registration = await new_registration();
  try {
    return await registration.provision(await registration.fresh_token());
  } finally {
    registration.close();
  }
}

const hub_key = async () => (await operator.must(200, 'GET', `/api/v1/devices/${kId}/hub-key`)).primary_key;
// The wish that waits, as an operator names it.
async function wish() {
  const { ek_name, srk_name } = (await approvals()).find(({ registration_id }) => registration_id === kId);
  return { ek_name, srk_name };
}
const approvals = async () => (await operator.must(200, 'GET', '/api/v1/approvals')).items;

const kAsked = { info: { stage: 'approval', code: 'approval.open', message: 'an operator has to agree' } };

/** As IoT Edge reads it: status beside registrationState, and a registrationId in the latter; and for our agent, what it waits for. */
function assert_waits(response, operation, seconds, more = {}) {
  assert.equal(response.status, 202, shown(response));
  assert.deepEqual(response.json, { operationId: operation, status: 'assigning', registrationState: { registrationId: kId, status: 'assigning' }, ...more });
  assert.equal(response.headers['retry-after'], String(seconds));
}

describe('A device with another storage root key', () => {
  let registration;
  let authorization;
  let operation;
  let key_before;

  beforeEach(async () => {
    key_before = await hub_key();
    await device.clear(); // a new storage seed: another SRK
    registration = await new_registration();
    // Inside the tolerance for so many seconds more.
    authorization = await registration.token(await registration.challenge(), { expiry: unix_time(kTokenSeconds - kClockTolerance) });
    operation = await registration.open(authorization, { body: { registrationId: kId } }); // IoT Edge sends no tpm this time
  });

  const poll = () => registration.client.status(operation, { authorization });
  async function wait_past_the_tokens_end() {
    for (const end = Date.now() + (kTokenSeconds + 2) * 1000; Date.now() < end; await sleep(1000)) assert_waits(await poll(), operation, 30, kAsked);
  }

  test('IsToldToWaitUntilAnOperatorApprovesAndThenIsAssigned', async () => {
    await wait_past_the_tokens_end();
    assert.deepEqual((await approvals()).map(({ registration_id }) => registration_id), [kId]);
    assert.equal(await hub_key(), key_before, 'a device that waits has changed what stands');

    await operator.must(200, 'POST', `/api/v1/approvals/${kId}/approve`, { body: await wish() });
    assert_waits(await poll(), operation, 1);
    const response = await poll();
    assert.equal(response.status, 200, shown(response));
    assert.equal(response.json.status, 'assigned');
    assert.notEqual(await hub_key(), key_before);
    await device.with_tpm(async (tpm) => {
      await tpm.activate(Buffer.from(response.json.registrationState.tpm.authenticationKey, 'base64'));
      const expected = crypto.createHmac('sha256', Buffer.from(await hub_key(), 'base64')).update('hub').digest();
      assert.deepEqual(await tpm.sign('hub'), expected);
    });
    assert.deepEqual(await approvals(), []);
    registration.close();
  });

  test('IsRefusedWhenAnOperatorRejects', async () => {
    assert_waits(await poll(), operation, 30, kAsked);
    await operator.must(204, 'POST', `/api/v1/approvals/${kId}/reject`, { body: await wish() });
    const response = await poll();
    assert_error(response, 403);
    assert.equal(response.json.info.code, 'operation.superseded');
    assert.equal(await hub_key(), key_before, 'a rejected device has changed what stands');
    registration.close();
  });

  test('IsAssignedWithoutAWordOnceItIsNotAskedForAnyMore', async () => {
    const { ek } = await device.identity();
    await operator.enroll(kId, { type: 'tpm', tpm: { endorsement_key: ek.toString('base64') } }, { approve_srk_changes: false });
    await provision();
    assert.notEqual(await hub_key(), key_before);
    registration.close();
  });
});
