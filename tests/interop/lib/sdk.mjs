// The vendor's packages, as installed by npm, untouched. The demo imports them from here too.
import { createRequire } from 'node:module';
import https from 'node:https';

const require = createRequire(import.meta.url);
const from_transport = createRequire(require.resolve('azure-iot-provisioning-device-http'));

export const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
export const { Http } = require('azure-iot-provisioning-device-http');
export const { TpmSecurityClient } = require('azure-iot-security-tpm');
export const tss = createRequire(require.resolve('azure-iot-security-tpm'))('tss.js');

/** The SDK's own HTTPS layer aimed at another port than 443; it takes an agent, and an agent knows the default port. */
export function http_on_port(port, ca) {
  const agent = new https.Agent(ca ? { ca } : {});
  agent.defaultPort = port;
  const base = new (from_transport('azure-iot-http-base').Http)();
  base.setOptions({ http: { agent } });
  return new Http(base);
}

/** The SDK's TPM connection in its simulator dialect: given to TpmSecurityClient, it never looks for /dev/tpm0. */
export function tpm_on_bridge(port) {
  return new tss.Tpm(true, '127.0.0.1', port);
}
