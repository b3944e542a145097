// Starts sdk_child.mjs and reads its answer.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const kProgram = fileURLToPath(new URL('sdk_child.mjs', import.meta.url));
const kDeadlineMs = 60_000;

/** The environment of a plain device: no proxy, and one more root to trust. */
function device_environment(ca) {
  const keep = Object.entries(process.env).filter(([name]) => !/proxy|^NODE_|^WARIFU_|^npm_/i.test(name));
  return { ...Object.fromEntries(keep), NODE_NO_WARNINGS: '1', ...(ca ? { NODE_EXTRA_CA_CERTS: ca } : {}) };
}

/** `request` as in sdk_child.mjs; `ca` is the file of the root that the device trusts, `node_options` are Node's own. */
export function run_vendor_sdk(request, { ca, node_options = [] } = {}) {
  return new Promise((resolve, reject) => {
    const options = { env: device_environment(ca), timeout: kDeadlineMs };
    execFile(process.execPath, [...node_options, kProgram, JSON.stringify(request)], options, (error, stdout, stderr) => {
      const line = stdout.trim().split('\n').at(-1);
      try {
        resolve(JSON.parse(line));
      } catch {
        const how = error?.killed ? `gave no answer within ${kDeadlineMs} ms` : 'ended without an answer';
        reject(new Error(`the vendor's SDK (${request.do}) ${how}\n${stdout}${stderr}`));
      }
    });
  });
}

/** The registration state that the SDK resolved to; throws with all that is known when it was refused. */
export function assert_assigned(answer, registration_id) {
  assert.ok(answer.ok, `the SDK was not assigned: ${JSON.stringify(answer, null, 1)}`);
  // The TPM's registration resolves to {status, registrationState}, the others to the state itself.
  const state = answer.result.registrationState ?? answer.result;
  assert.equal(state.status, 'assigned');
  assert.equal(state.registrationId, registration_id.toLowerCase());
  assert.match(state.assignedHub ?? '', /^[^\s/]+$/, 'assignedHub names a host');
  return state;
}
