// The vendor's service SDK, as installed by npm, untouched.
import { createRequire } from 'node:module';

export const { ProvisioningServiceClient } = createRequire(import.meta.url)('azure-iot-provisioning-service');
