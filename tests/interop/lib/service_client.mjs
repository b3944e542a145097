// Starts service_child.mjs and reads its answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const kProgram = fileURLToPath(new URL('service_child.mjs', import.meta.url));
const kDeadlineMs = 60_000;

/** The vendor's ProvisioningServiceClient with one connection string. */
export class ServiceClient {
  constructor({ connection_string, ca }) {
    this.connection_string_ = connection_string;
    this.ca_ = ca;
  }

  /** Makes the calls one after the other; resolves to the outcome of each (service_child.mjs). */
  run(...calls) {
    const keep = Object.entries(process.env).filter(([name]) => !/proxy|^NODE_|^WARIFU_|^npm_/i.test(name));
    const env = { ...Object.fromEntries(keep), NODE_NO_WARNINGS: '1', NODE_EXTRA_CA_CERTS: this.ca_ };
    const child = spawn(process.execPath, [kProgram], { env, timeout: kDeadlineMs });
    child.stdin.end(JSON.stringify({ connection_string: this.connection_string_, calls }));
    let [printed, complained] = ['', ''];
    child.stdout.on('data', (text) => (printed += text));
    child.stderr.on('data', (text) => (complained += text));
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => {
        try {
          resolve(JSON.parse(printed));
        } catch {
          reject(new Error(`the service SDK ended without an answer to ${JSON.stringify(calls)}\n${printed}${complained}`));
        }
      });
    });
  }

  /** One call that must succeed; resolves to its result. */
  async must(...call) {
    const [outcome] = await this.run(call);
    assert.ok(outcome.ok, `${call[0]}: ${JSON.stringify(outcome.error)}`);
    return outcome.result;
  }

  /** One call that must fail as the SDK says it: {name, status}. */
  async must_fail({ name, status }, ...call) {
    const [outcome] = await this.run(call);
    assert.equal(outcome.ok, false, `${call[0]} succeeded: ${JSON.stringify(outcome.result)}`);
    assert.equal(outcome.error.name, name, JSON.stringify(outcome.error));
    assert.equal(outcome.error.status, status, JSON.stringify(outcome.error));
    const body = JSON.parse(outcome.error.body);
    assert.equal(Math.floor(body.errorCode / 1000), status);
    assert.match(body.trackingId, /^[0-9a-f-]{36}$/);
    return body;
  }
}
