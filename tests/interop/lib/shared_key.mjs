// Symmetric keys as devices have them, and a device at wire level that signs with one.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpsClient, assert_accepted, shown } from './dps_http.mjs';
import { sas_token } from './sas.mjs';

const kPollDeadlineMs = 30_000;

/** HMAC-SHA256 by a key in base64. */
export function signer_of(key) {
  return async (text) => crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest();
}

/** The key of one device of a group, in base64, as the makers' documentation derives it. */
export function device_key(group_key, registration_id) {
  return crypto.createHmac('sha256', Buffer.from(group_key, 'base64')).update(registration_id).digest('base64');
}

/** Sends what the SDKs send for a symmetric key, to the compat listener if there is one. */
class KeyedClient extends DpsClient {
  constructor(options, key) {
    super(options);
    this.name = this.path;
    this.key_ = key;
  }

  /** `options` of sas_token(). */
  token(options = {}) {
    return sas_token({ name: this.name, sign: signer_of(this.key_), ...options });
  }

  async register({ authorization, ...options } = {}) {
    return super.register({ body: { registrationId: this.registration_id }, authorization: authorization ?? await this.token(), ...options });
  }

  async status(operation_id, { authorization, ...options } = {}) {
    return super.status(operation_id, { authorization: authorization ?? await this.token(), ...options });
  }

  /** With one token for all; returns the registration state of a device that was assigned. */
  async provision(token_options = {}, options = {}) {
    const authorization = await this.token(token_options);
    const operation = assert_accepted(await this.register({ authorization, ...options }));
    for (const deadline = Date.now() + kPollDeadlineMs; ; await sleep(200)) {
      const response = await this.status(operation, { authorization, ...options });
      assert.ok([200, 202].includes(response.status), `poll: expected 200 or 202, got ${shown(response)}`);
      if (response.status === 200) {
        assert.equal(response.json.status, 'assigned', response.text);
        return response.json.registrationState;
      }
      assert.ok(Date.now() < deadline, `still assigning after ${kPollDeadlineMs} ms`);
    }
  }
}

export function keyed_client(server, registration_id, key) {
  return new KeyedClient({ url: server.compat_url ?? server.devices_url, ca: server.ca, id_scope: server.id_scope, registration_id }, key);
}
