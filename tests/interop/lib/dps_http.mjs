// The DPS device API over node:https, with every freedom that the vendor's SDKs take and some that they do not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';

const kDeadlineMs = 30_000;
const kGuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const kUtc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

/** Resolves to {status, headers, text, json}. `body` is sent as it is when a string, as JSON otherwise. */
export function https_request(url, { method = 'GET', headers = {}, body, ca, agent }) {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const length = payload === undefined ? {} : { 'Content-Length': Buffer.byteLength(payload) };
  const { hostname, port, pathname } = new URL(url);
  const target = url.slice(url.indexOf(pathname, 8)); // as written: URL would rewrite percent-encoding
  return new Promise((resolve, reject) => {
    const options = { method, host: hostname, port: port || 443, path: target, headers: { ...headers, ...length }, ca, agent, servername: 'localhost', timeout: kDeadlineMs };
    const request = https.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, text, json });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${url}: no answer within ${kDeadlineMs} ms`)));
    request.on('error', reject);
    request.end(payload);
  });
}

/** Speaks to one server as one registration. Paths are sent as given. */
export class DpsClient {
  /** `tls` are further options of tls.connect(): a client certificate, a version. */
  constructor({ url, ca, id_scope, registration_id, tls = {} }) {
    this.base_ = url.replace(/127\.0\.0\.1|\[::1\]/, 'localhost');
    this.ca_ = readFileSync(ca);
    this.agent_ = new https.Agent({ keepAlive: true, maxSockets: 1, ...tls });
    this.path = `${id_scope}/registrations/${registration_id}`;
    this.registration_id = registration_id;
  }

  close() {
    this.agent_.destroy();
  }

  send(method, target, { authorization, body } = {}) {
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json; charset=utf-8' };
    if (authorization !== undefined) headers.Authorization = authorization;
    return https_request(`${this.base_}/${target}`, { method, headers, body, ca: this.ca_, agent: this.agent_ });
  }

  /** `version` null leaves api-version out. `path` is `{idScope}/registrations/{registrationId}` as it shall stand in the URL. */
  register({ path = this.path, version = '2019-03-31', authorization, body }) {
    return this.send('PUT', `${path}/register${version === null ? '' : `?api-version=${version}`}`, { authorization, body });
  }

  status(operation_id, { path = this.path, version = '2019-03-31', authorization, body } = {}) {
    return this.send('GET', `${path}/operations/${operation_id}${version === null ? '' : `?api-version=${version}`}`, { authorization, body });
  }

  lookup({ path = this.path, version = '2021-10-01', authorization, body }) {
    return this.send('POST', `${path}?api-version=${version}`, { authorization, body });
  }
}

/** What the answer was, for messages. */
export function shown({ status, text }) {
  return `${status} ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`;
}

/** The protocol's own error object, with this status, and no challenge in it. */
export function assert_error(response, status, what = '') {
  assert.equal(response.status, status, `${what} expected ${status}, got ${shown(response)}`);
  assert.match(response.headers['content-type'] ?? '', /^application\/json/, `${what} error content type`);
  const error = response.json;
  assert.ok(error && typeof error === 'object', `${what} error body is not a JSON object: ${response.text}`);
  assert.ok(Number.isInteger(error.errorCode), `${what} errorCode is not an integer: ${response.text}`);
  assert.equal(Math.floor(error.errorCode / 1000), status, `${what} errorCode ${error.errorCode} does not begin with ${status}`);
  assert.match(error.trackingId ?? '', kGuid, `${what} trackingId`);
  assert.equal(typeof error.message, 'string', `${what} message`);
  assert.notEqual(error.message, '', `${what} message is empty`);
  assert.match(error.timestampUtc ?? '', kUtc, `${what} timestampUtc`);
  assert.equal(response.headers['x-ms-request-id'], error.trackingId, `${what} x-ms-request-id is not the trackingId`);
  assert.ok(!('authenticationKey' in error), `${what} a refusal must not carry a challenge`);
  if ('info' in error) for (const value of Object.values(error.info)) assert.equal(typeof value, 'string', `${what} info must map strings to strings`);
}

/** The TPM challenge; returns the blob. */
export function assert_challenge(response, what = '') {
  assert.equal(response.status, 401, `${what} expected a challenge, got ${shown(response)}`);
  assert.match(response.headers['content-type'] ?? '', /^application\/json/, `${what} challenge content type`);
  const { json } = response;
  assert.equal(typeof json?.authenticationKey, 'string', `${what} expected a challenge, got ${shown(response)}`);
  assert.equal(json.keyName, 'registration', `${what} the C SDK needs keyName`);
  assert.equal(typeof json.message, 'string', `${what} the C# SDK reads message`);
  assert.ok(!('status' in json), `${what} the C SDK fails on a challenge with status`);
  const blob = Buffer.from(json.authenticationKey, 'base64');
  assert.equal(blob.toString('base64'), json.authenticationKey, `${what} authenticationKey is not plain base64`);
  return blob;
}

/** 202 with an operation to poll; returns its id. */
export function assert_accepted(response, what = '') {
  assert.equal(response.status, 202, `${what} IoT Edge takes only 202 from register, got ${shown(response)}`);
  assert.equal(response.json?.status, 'assigning', `${what} status`);
  assert.match(response.headers['retry-after'] ?? '', /^\d+$/, `${what} Retry-After`);
  assert.match(response.json?.operationId ?? '', /^[\w.~-]+$/, `${what} operationId must fit into a path`);
  return response.json.operationId;
}
