// Reads the endorsement key of a TPM as the SDK would: persistent at 0x81010001, else made from the SDK's own template, whose
// unique field is empty. (tpm2_createek fills it with zero bytes, which gives another key on the same TPM.)
//
//   node demo/ek.mjs --swtpm-socket PATH --out FILE       writes base64 of TPM2B_PUBLIC, prints the registration ID
//
// Exit code: 0 done, 2 bad usage, 3 TPM not reachable.
import { writeFileSync } from 'node:fs';
import { parseArgs, promisify } from 'node:util';
import { MssimBridge } from '../tests/interop/lib/mssim_bridge.mjs';
import { TpmSecurityClient, tpm_on_bridge } from '../tests/interop/lib/sdk.mjs';

const kUsage = 'usage: node demo/ek.mjs --swtpm-socket PATH --out FILE';

function give_up(code, text) {
  console.error(`ek.mjs: ${text}`);
  process.exit(code);
}

function read_options() {
  try {
    const { values } = parseArgs({ options: { 'swtpm-socket': { type: 'string' }, out: { type: 'string' } } });
    if (!values['swtpm-socket'] || !values.out) throw new Error('both options are needed');
    return values;
  } catch (error) {
    return give_up(2, `${error.message}\n${kUsage}`);
  }
}

const options = read_options();
const bridge = await MssimBridge.start({ swtpm: { path: options['swtpm-socket'] } });
bridge.on('trouble', (error) => give_up(3, error.message));
const tpm = tpm_on_bridge(bridge.port);
const security = new TpmSecurityClient(undefined, tpm);
const ask = (method) => promisify(security[method].bind(security))();
try {
  const ek = await ask('getEndorsementKey');
  const registration_id = await ask('getRegistrationId');
  try {
    writeFileSync(options.out, ek.toString('base64'));
  } catch (error) {
    give_up(2, `--out ${options.out}: ${error.message}`);
  }
  console.log(registration_id);
} catch (error) {
  give_up(3, `the TPM at ${options['swtpm-socket']}: ${error.message}`);
}
tpm.close();
await bridge.stop();
