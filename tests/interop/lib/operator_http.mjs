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

  close() {
    this.agent_.destroy();
  }

  /** `body` as in https_request(). `token` null sends no credentials; `more` are further headers. */
  send(method, target, { body, token = this.token, headers: more = {} } = {}) {
    const headers = { Accept: 'application/json', ...more };
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    return https_request(`${this.base_}${target}`, { method, headers, body, ca: this.ca_, agent: this.agent_ });
  }
}
