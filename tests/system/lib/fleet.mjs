// Many registrations, and what was answered to each: what a server said must still be so after whatever befalls it.
import https from 'node:https';
import { OperatorClient } from '../../interop/lib/operator_http.mjs';
import { Registration } from '../../interop/lib/registration.mjs';

/** Runs `work` on each item, `width` at a time. */
export async function in_parallel(width, items, work) {
  const rest = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  }));
}

/** The operator's API with the operator's token, over `width` connections. */
export function operator_client(server, width = 1) {
  const client = new OperatorClient({ url: server.operators_url, ca: server.ca });
  client.agent_ = new https.Agent({ keepAlive: true, maxSockets: width });
  client.token = server.access_token();
  return client;
}

export function enroll(client, registration_id, ek) {
  const body = { registration_id, attestation: { type: 'tpm', tpm: { endorsement_key: ek.toString('base64') } } };
  return client.send('POST', '/api/v1/enrollments', { body });
}

export async function enroll_all(server, ids, ek_of) {
  const client = operator_client(server, 16);
  try {
    await in_parallel(16, ids, async (id) => {
      const { status, text } = await enroll(client, id, ek_of(id));
      if (status !== 201) throw new Error(`${id} was not enrolled: ${status} ${text}`);
    });
  } finally {
    client.close();
  }
}

/** All devices of the server by id, as `warifu device list` has them. */
export async function devices_of(server) {
  const devices = await server.warifu('device', 'list', '--json');
  return new Map(devices.map((device) => [device.device_id, device]));
}

/** Registers once; returns {operation_id, hub_key} as the device was told. */
export async function register_once(server, tpm, registration_id) {
  const registration = new Registration({ server, device: tpm, keys: tpm.keys, registration_id });
  try {
    const authorization = await registration.fresh_token();
    const operation_id = await registration.open(authorization);
    const { registrationState } = await registration.result(operation_id, authorization);
    return { operation_id, hub_key: tpm.open_challenge(Buffer.from(registrationState.tpm.authenticationKey, 'base64')) };
  } finally {
    registration.close();
  }
}

export { Registration };
