// A device as the wire-level tests need it: its keys by the vendor's TPM client, its HTTP its own (dps_http.mjs).
import { promisify } from 'node:util';
import { MssimBridge } from './mssim_bridge.mjs';
import { Swtpm } from './swtpm.mjs';
import { TpmSecurityClient, tpm_on_bridge, tss } from './sdk.mjs';

const kTpmDeadlineMs = 30_000;

/** Fails instead of waiting for ever: tss.js never answers when its connection dies. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One swtpm behind one bridge. */
export class SoftDevice {
  static async start({ port = 0, state_dir } = {}) {
    const swtpm = await Swtpm.start({ state_dir });
    try {
      return new SoftDevice(swtpm, await MssimBridge.start({ swtpm: swtpm.address, port }));
    } catch (error) {
      await swtpm.stop();
      throw error;
    }
  }

  constructor(swtpm, bridge) {
    this.swtpm = swtpm;
    this.bridge = bridge;
  }

  async stop() {
    await this.bridge.stop();
    await this.swtpm.stop();
  }

  /** Runs `work` with a fresh client of the vendor's on this TPM; afterwards the TPM's slots are free again. */
  async with_tpm(work) {
    const tpm = tpm_on_bridge(this.bridge.port);
    const vendor = new TpmSecurityClient(undefined, tpm);
    const call = (method, ...values) => within(kTpmDeadlineMs, method, promisify(vendor[method].bind(vendor))(...values));
    try {
      return await work({
        ek: () => call('getEndorsementKey'),
        srk: () => call('getStorageRootKey'),
        registration_id: () => call('getRegistrationId'),
        activate: (blob) => call('activateIdentityKey', blob),
        sign: (bytes) => call('signWithIdentity', Buffer.from(bytes)),
      });
    } finally {
      tpm.close();
      await this.bridge.idle();
    }
  }

  identity() {
    return this.with_tpm(async (tpm) => ({ ek: await tpm.ek(), srk: await tpm.srk(), registration_id: await tpm.registration_id() }));
  }

  /** TPM2_Clear with the (empty) lockout auth: owner and endorsement objects go, a new storage seed comes, the EK's seed stays. */
  async clear() {
    const tpm = tpm_on_bridge(this.bridge.port);
    try {
      await within(kTpmDeadlineMs, 'TPM2_Clear', new Promise((resolve, reject) => {
        tpm.connect((connect_error) => {
          if (connect_error) return reject(connect_error);
          tpm.withSession(tss.NullPwSession).Clear(new tss.TPM_HANDLE(tss.TPM_RH.LOCKOUT), (error) => (error ? reject(error) : resolve()));
        });
      }));
    } finally {
      tpm.close();
      await this.bridge.idle();
    }
  }
}
