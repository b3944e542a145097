// The vendor's packages, as installed by npm, untouched.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const { ProvisioningDeviceClient } = require('azure-iot-provisioning-device');
export const { Http } = require('azure-iot-provisioning-device-http');
export const { TpmSecurityClient } = require('azure-iot-security-tpm');
export const { SymmetricKeySecurityClient } = require('azure-iot-security-symmetric-key');
export const { X509Security } = require('azure-iot-security-x509');
export const tss = createRequire(require.resolve('azure-iot-security-tpm'))('tss.js');

/** The SDK's TPM connection in its simulator dialect: given to TpmSecurityClient, it never looks for /dev/tpm0. */
export function tpm_on_bridge(port) {
  return new tss.Tpm(true, '127.0.0.1', port);
}
