// One registration at wire level: the steps of the protocol one by one, each of them changeable.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpsClient, assert_accepted, assert_challenge, shown } from './dps_http.mjs';
import { sas_token } from './sas.mjs';

const kPollDeadlineMs = 30_000;

export class Registration {
  constructor({ server, device, keys, registration_id }) {
    this.device_ = device;
    this.id_scope = server.id_scope;
    this.registration_id = registration_id;
    this.keys = keys;
    this.client = new DpsClient({ url: server.devices_url, ca: server.ca, id_scope: server.id_scope, registration_id });
    this.name = `${server.id_scope}/registrations/${registration_id}`;
  }

  close() {
    this.client.close();
  }

  body({ ek = this.keys.ek, srk = this.keys.srk } = {}) {
    return { registrationId: this.registration_id, tpm: { endorsementKey: ek.toString('base64'), storageRootKey: srk.toString('base64') } };
  }

  /** The unauthenticated PUT; returns the blob. */
  async challenge(options = {}) {
    return assert_challenge(await this.client.register({ body: this.body(), ...options }));
  }

  /** Opens a challenge in the TPM and signs a token with the key inside. `form` of sas_token() may be given among the options. */
  token(blob, options = {}) {
    return this.device_.with_tpm(async (tpm) => {
      await tpm.activate(blob);
      return sas_token({ name: this.name, sign: (text) => tpm.sign(text), ...options });
    });
  }

  /** Challenge, TPM, token. */
  async fresh_token(options = {}) {
    return this.token(await this.challenge(), options);
  }

  /** The authenticated PUT; returns the operation's id. */
  async open(authorization, options = {}) {
    return assert_accepted(await this.client.register({ body: this.body(), authorization, ...options }));
  }

  /** Polls as told by Retry-After until the end; returns the last answer's JSON. Each answer must suit IoT Edge's parser. */
  async result(operation_id, authorization, options = { body: {} }) {
    for (const deadline = Date.now() + kPollDeadlineMs; ; ) {
      const response = await this.client.status(operation_id, { authorization, ...options });
      assert.ok([200, 202].includes(response.status), `poll: expected 200 or 202, got ${shown(response)}`);
      const { json } = response;
      assert.equal(json?.operationId, operation_id, 'operationId in the poll');
      assert.equal(json.registrationState?.registrationId?.toLowerCase(), this.registration_id.toLowerCase(), `IoT Edge needs registrationState.registrationId: ${response.text}`);
      if (response.status === 200) return json;
      assert.equal(json.status, 'assigning');
      assert.match(response.headers['retry-after'] ?? '', /^\d+$/, 'Retry-After of a poll');
      assert.ok(Date.now() < deadline, `still assigning after ${kPollDeadlineMs} ms`);
      await sleep(1000 * Number(response.headers['retry-after']));
    }
  }

  /** The authenticated PUT and its polls; returns the registration state of a device that was assigned. */
  async provision(authorization, options = {}) {
    const json = await this.result(await this.open(authorization, options), authorization, options.path ? { path: options.path, body: {} } : undefined);
    assert.equal(json.status, 'assigned', JSON.stringify(json));
    return json.registrationState;
  }
}
