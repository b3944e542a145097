// The tests take port 443 and the TPM port of the vendor's SDK, so they run only where both are private.
import { readdirSync } from 'node:fs';

/** Throws unless tests/interop/run made the namespaces that this process is in. */
export function require_isolation() {
  if (process.env.WARIFU_INTEROP_ISOLATED !== '1') throw new Error('start these tests with tests/interop/run: it makes port 443 private and hides the TPM');
  const devices = readdirSync('/dev').filter((name) => name.startsWith('tpm'));
  if (devices.length > 0) throw new Error(`/dev/${devices[0]} can be seen: the vendor's SDK would use the machine's own TPM`);
}
