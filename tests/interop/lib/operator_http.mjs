// The operators' native API over node:https.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { https_request } from './dps_http.mjs';

export class OperatorClient {
  constructor({ url, ca }) {
    this.base_ = url;
    this.ca_ = readFileSync(ca);
    this.agent_ = new https.Agent({ keepAlive: true, maxSockets: 1 });
    this.token = null;
  }

  /** A client that has used up the bootstrap token of a new server. */
  static async log_in(server) {
    const client = new OperatorClient({ url: server.operators_url, ca: server.ca });
    const { status, text, json } = await client.send('POST', '/api/v1/login', { body: { bootstrap_token: server.bootstrap_token } });
    if (!json?.access_token) throw new Error(`POST /api/v1/login: ${status} ${text}`);
    client.token = json.access_token;
    return client;
  }

  close() {
    this.agent_.destroy();
  }

  /** Like send(), but throws unless the answer has one of these statuses. Returns the JSON. */
  async must(statuses, method, target, options) {
    const { status, text, json } = await this.send(method, target, options);
    if (![statuses].flat().includes(status)) throw new Error(`${method} ${target}: expected ${statuses}, got ${status} ${text}`);
    return json;
  }

  /** Puts an enrollment: `fields` beside registration_id and attestation are its terms. */
  enroll(registration_id, attestation, fields = {}) {
    return this.must([200, 201], 'PUT', `/api/v1/enrollments/${registration_id}`, { body: { registration_id, attestation, ...fields } });
  }

  enroll_group(group_id, attestation, fields = {}) {
    return this.must([200, 201], 'PUT', `/api/v1/enrollment-groups/${group_id}`, { body: { group_id, attestation, ...fields } });
  }

  async metrics() {
    return (await this.send('GET', '/metrics')).text;
  }

  /** `body` as in https_request(). `token` null sends no credentials; `more` are further headers. */
  send(method, target, { body, token = this.token, headers: more = {} } = {}) {
    const headers = { Accept: 'application/json', ...more };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    return https_request(`${this.base_}${target}`, { method, headers, body, ca: this.ca_, agent: this.agent_ });
  }
}
