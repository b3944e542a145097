// A device of the demo: Microsoft's SDK for Azure DPS, unmodified, with a software TPM. Tells what each step proves.
//
//   node demo/device.mjs --host localhost --port 8443 --id-scope X --swtpm-socket PATH [--ca FILE] [--registration-id ID]
//
// Exit code: 0 assigned, 1 refused, 2 bad usage, 3 server or TPM not reachable.
import diagnostics_channel from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { MssimBridge } from '../tests/interop/lib/mssim_bridge.mjs';
import { ProvisioningDeviceClient, TpmSecurityClient, http_on_port, tpm_on_bridge } from '../tests/interop/lib/sdk.mjs';
import { CC, command_name } from '../tests/interop/lib/tpm_channel.mjs';

const kUsage = 'usage: node demo/device.mjs --host HOST --port PORT --id-scope ID --swtpm-socket PATH [--ca FILE] [--registration-id ID]';
const kSample = 'temperature=21.5';

function say(text) {
  console.log(`  device  ${text}`);
}

function give_up(code, text) {
  console.error(`  device  ${text}`);
  process.exit(code);
}

function read_options() {
  const text = { type: 'string' };
  try {
    const { values } = parseArgs({ options: { host: text, port: text, 'id-scope': text, 'swtpm-socket': text, ca: text, 'registration-id': text } });
    const missing = ['host', 'port', 'id-scope', 'swtpm-socket'].filter((name) => !values[name]);
    if (missing.length > 0) throw new Error(`missing: ${missing.map((name) => `--${name}`).join(' ')}`);
    if (!/^\d+$/.test(values.port) || Number(values.port) > 65535) throw new Error(`--port ${values.port}: expected a number up to 65535`);
    return values;
  } catch (error) {
    return give_up(2, `${error.message}\n${kUsage}`);
  }
}

/** Tells what the TPM does while the SDK works: the bridge between them sees each command and whether the TPM agreed. */
function narrate_tpm(bridge, progress) {
  const sentences = {
    [CC.CreatePrimary]: ['The TPM made a key from a seed that never leaves it (endorsement key, storage root key).', 'made no primary key'],
    [CC.ActivateCredential]: ['The TPM opened the envelope with its EK. It would not, were the SRK not in the same TPM.', 'did not open the envelope: it was not made for this EK and SRK'],
    [CC.Import]: ['The TPM took the key from the envelope under its SRK. Nobody on the wire, and not this program either, has seen it.', 'did not take the key: it was not wrapped for this SRK'],
    [CC.HMAC]: ['The TPM signed with that key (TPM2_HMAC at 0x81000100).', 'did not sign'],
  };
  bridge.on('command', ({ code, rc }) => {
    const [done, refused] = sentences[code] ?? [];
    if (code === CC.ActivateCredential) say(progress.assigned ? 'The hub key came in an envelope too:' : 'With the 401 came a challenge, an envelope: the server knows this EK.');
    if (rc === 0 && done) say(`  ${done}`);
    if (rc !== 0 && refused) say(`  The TPM ${refused} (${command_name(code)}: 0x${rc.toString(16)}).`);
  });
  bridge.on('trouble', (error) => give_up(3, error.message));
}

/** Tells what the server answers: the SDK replaces most refusals by a sentence of its own. */
function narrate_http(progress) {
  diagnostics_channel.channel('http.client.response.finish').subscribe(({ request, response }) => {
    progress.last_status = response.statusCode;
    progress.tracking_id = response.headers['x-ms-request-id'];
    progress.assigned = response.statusCode === 200;
    const meaning = {
      200: ': assigned.',
      202: request.method === 'PUT' ? ': the signature is right, so EK and SRK are proved. The server is assigning.' : ': not yet.',
    }[response.statusCode] ?? '';
    say(`${request.method} ${request.path.split('?')[0]} -> ${response.statusCode}${meaning}`);
  });
}

/** Why no answer came, where this Node tells (20 and later): the SDK does not. */
function note_connection_errors(progress) {
  diagnostics_channel.channel('http.client.request.error').subscribe(({ error }) => (progress.connection_error = error.message));
}

function read_ca(file) {
  try {
    return file && readFileSync(file);
  } catch (error) {
    return give_up(2, `--ca ${file}: ${error.message}`);
  }
}

const options = read_options();
const ca = read_ca(options.ca ?? process.env.NODE_EXTRA_CA_CERTS);
const bridge = await MssimBridge.start({ swtpm: { path: options['swtpm-socket'] } });
const progress = {};
narrate_tpm(bridge, progress);
narrate_http(progress);
note_connection_errors(progress);

// tss.js throws out of a callback when the TPM refuses a key; by then the TPM's own answer has been told.
process.on('uncaughtException', (error) => give_up(1, `The SDK stopped: ${error.message}`));

const tpm = tpm_on_bridge(bridge.port);
const security = new TpmSecurityClient(options['registration-id'], tpm);
const ask = (method, ...values) => promisify(security[method].bind(security))(...values);

const ek = await ask('getEndorsementKey').catch((error) => give_up(3, `the TPM at ${options['swtpm-socket']}: ${error.message}`));
const srk = await ask('getStorageRootKey');
const registration_id = await ask('getRegistrationId');
say(`I am ${registration_id}${options['registration-id'] ? '' : ', named after my EK'}.`);
say(`My TPM shows its public keys: EK (${ek.length} bytes), SRK (${srk.length} bytes). Showing them proves nothing yet.`);

const transport = http_on_port(Number(options.port), ca);
const client = ProvisioningDeviceClient.create(options.host, options['id-scope'], transport, security);
let state;
try {
  state = (await client.register()).registrationState;
} catch (error) {
  if (progress.last_status === undefined) give_up(3, `https://${options.host}:${options.port} is not reachable or not to be trusted: ${progress.connection_error ?? error.message}`);
  const tracking = progress.tracking_id ? ` Ask the operator for tracking id ${progress.tracking_id}.` : '';
  give_up(1, `I was refused (HTTP ${progress.last_status}).${tracking}`);
}
say(`I am provisioned: device ${state.deviceId}, hub ${state.assignedHub}.`);
say(`From now on the hub key in my TPM signs what I send. "${kSample}":`);
const signature = await ask('signWithIdentity', Buffer.from(kSample));
say(`  HMAC-SHA256 ${signature.toString('hex')}`);

tpm.close();
await bridge.stop();
process.exit(0);
