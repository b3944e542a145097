// Runs the vendor's SDK, unmodified and as a sample of the vendor's would, in a process of its own: NODE_EXTRA_CA_CERTS is read
// only when Node starts, and tss.js throws from a callback when a TPM refuses a key, which would end the test runner too.
//
//   node sdk_child.mjs REQUEST      REQUEST is JSON: {do: identify|register|sign|activate, host?, id_scope?, registration_id?,
//                                   tpm_port?, text?, blob?, symmetric_key?, x509?: {cert, key}}. Without a key or a certificate it
//                                   is a TPM, and without tpm_port the SDK finds its TPM by itself.
// Prints one line of JSON: {ok, result|error, http: [{method, path, status, headers}]}.
import diagnostics_channel from 'node:diagnostics_channel';
import { promisify } from 'node:util';
import { Http, ProvisioningDeviceClient, SymmetricKeySecurityClient, TpmSecurityClient, X509Security, tpm_on_bridge } from './sdk.mjs';

const http = []; // What the SDK saw on the wire: it replaces most refusals by a sentence of its own.
diagnostics_channel.channel('http.client.response.finish').subscribe(({ request, response }) => {
  http.push({ method: request.method, path: request.path, status: response.statusCode, headers: response.headers });
});

function finish(outcome) {
  process.stdout.write(`${JSON.stringify({ ...outcome, http })}\n`, () => process.exit(0));
}

function describe(error) {
  return { name: error?.name, message: error?.message, body: error?.responseBody, registration: error?.result };
}

function security_of({ registration_id, tpm_port, symmetric_key, x509 }) {
  if (symmetric_key !== undefined) return new SymmetricKeySecurityClient(registration_id, symmetric_key);
  if (x509 !== undefined) return new X509Security(registration_id, x509);
  return new TpmSecurityClient(registration_id, tpm_port ? tpm_on_bridge(tpm_port) : undefined);
}

process.on('uncaughtException', (error) => finish({ ok: false, crashed: true, error: describe(error) }));

const request = JSON.parse(process.argv[2]);
const security = security_of(request);
const ask = (method, ...values) => promisify(security[method].bind(security))(...values);

const actions = {
  async identify() {
    const [ek, srk] = [await ask('getEndorsementKey'), await ask('getStorageRootKey')];
    return { ek: ek.toString('base64'), srk: srk.toString('base64'), registration_id: await ask('getRegistrationId') };
  },
  register: () => ProvisioningDeviceClient.create(request.host, request.id_scope, new Http(), security).register(),
  sign: async () => (await ask('signWithIdentity', Buffer.from(request.text))).toString('base64'),
  activate: () => ask('activateIdentityKey', Buffer.from(request.blob, 'base64')),
};

try {
  finish({ ok: true, result: await actions[request.do]() });
} catch (error) {
  finish({ ok: false, error: describe(error) });
}
