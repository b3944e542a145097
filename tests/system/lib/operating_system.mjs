// What an operating system does to a TPM before a device's programs see it.
import { createHash } from 'node:crypto';
import { CC, TpmChannel, plain_command, response_code } from '../../interop/lib/tpm_channel.mjs';

const kOwner = 0x40000001;
const kSrkHandle = 0x81000001;

function u32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

function sized(bytes) {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

/** The template of TCG TPM v2.0 Provisioning Guidance 7.5.1 for ECC P-256. */
const kEccSrk = Buffer.concat([Buffer.from('0023000b000304720000' + '000600800043' + '0010' + '0003' + '0010', 'hex'), sized(Buffer.alloc(32)), sized(Buffer.alloc(32))]);

/** The owner's command without a password. */
async function owner_command(channel, code, handles, parameters) {
  const authorization = Buffer.from('00000009' + '40000009' + '0000' + '00' + '0000', 'hex');
  const command = plain_command(code, Buffer.concat([...handles.map(u32), authorization, ...parameters]));
  command.writeUInt16BE(0x8002, 0); // TPM_ST_SESSIONS
  const response = await channel.transmit(command);
  if (response_code(response) !== 0) throw new Error(`the TPM answered ${response_code(response).toString(16)}`);
  return response;
}

/** An ECC storage root key at 0x81000001, as systemd-tpm2-setup leaves it. Resolves to its Name. */
export async function make_ecc_srk(swtpm) {
  const channel = new TpmChannel(swtpm.address);
  const no_secrets = sized(Buffer.alloc(4));
  const made = await owner_command(channel, CC.CreatePrimary, [kOwner], [no_secrets, sized(kEccSrk), sized(Buffer.alloc(0)), u32(0)]);
  await owner_command(channel, CC.EvictControl, [kOwner, made.readUInt32BE(10)], [u32(kSrkHandle)]);
  await channel.flush();
  const read = await channel.transmit(plain_command(CC.ReadPublic, u32(kSrkHandle)));
  await channel.release();
  const tpmt_public = read.subarray(12, 12 + read.readUInt16BE(10));
  return `000b${createHash('sha256').update(tpmt_public).digest('hex')}`;
}
