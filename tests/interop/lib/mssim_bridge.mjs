// Lets tss.js, which speaks the Microsoft TPM simulator's protocol, talk to swtpm, which takes raw TPM commands.
//
// tss.js 2.0.0 has two dialects (tss.js/lib/TpmDevice.js):
//   simulator     new Tpm(true, host, port): handshake on `port`, power and NV signals on `port + 1`, TPM2_Startup.
//   user-mode TRM new Tpm(false) when neither /dev/tpm0 nor /dev/tpmrm0 opens: tcp 127.0.0.1:2323, no handshake; two more
//                 bytes (debug level 0, "command sent" 1) between locality and length; starts with a TPM2_GetRandom probe.
import net from 'node:net';
import { EventEmitter } from 'node:events';
import { TpmChannel, response_code } from './tpm_channel.mjs';

/** Where the default construction of TpmSecurityClient looks on Linux when there is no TPM device. */
export const kDefaultClientPort = 2323;

const Op = { kSendCommand: 8, kHandshake: 15, kSessionEnd: 20, kStop: 21 };
const kServerVersion = 1;
const kPlatformAvailable = 1;
const kMaxCommand = 4096;
const kFailure = Buffer.from('80010000000a00000101', 'hex'); // TPM_RC_FAILURE

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Takes one request off the front of `bytes`: {op, used, command?}, null when more bytes are needed; throws on nonsense. */
export function parse_request(bytes) {
  if (bytes.length < 4) return null;
  const op = bytes.readUInt32BE(0);
  if (op === Op.kHandshake) return bytes.length < 8 ? null : { op, used: 8 };
  if (op !== Op.kSendCommand) return { op, used: 4 };
  if (bytes.length < 11) return null;
  // A simulator's length starts with two zero bytes there, since no command is 64 KiB long; the TRM dialect has 00 01.
  const length_at = bytes.readUInt16BE(5) === 1 ? 7 : 5;
  if (bytes.length < length_at + 4) return null;
  const length = bytes.readUInt32BE(length_at);
  if (length < 10 || length > kMaxCommand) throw new Error(`a TPM command of ${length} bytes`);
  const used = length_at + 4 + length;
  return bytes.length < used ? null : { op, used, command: bytes.subarray(length_at + 4, used) };
}

/**
 * Emits 'command' {code, rc} after each TPM command.
 * Flushes leftovers and lets go of swtpm when the last client has gone.
 */
export class MssimBridge extends EventEmitter {
  /** `swtpm` is a net.connect address of its raw socket. `port` 0 picks two neighbours that are free. */
  static async start({ swtpm, port = 0 }) {
    const bridge = new MssimBridge(swtpm);
    await bridge.listen_(port);
    return bridge;
  }

  constructor(swtpm) {
    super();
    this.channel_ = new TpmChannel(swtpm);
    this.clients_ = new Set();
    this.servers_ = [];
    this.idle_ = Promise.resolve();
  }

  /** Resolves when the last client has gone and swtpm is free for somebody else. */
  async idle() {
    while (this.clients_.size > 0) await new Promise((resolve) => this.once('idle', resolve));
    await this.idle_;
  }

  async stop() {
    for (const client of this.clients_) client.destroy();
    await Promise.all(this.servers_.map((server) => new Promise((resolve) => server.close(resolve))));
    await this.idle_;
    await this.channel_.release();
  }

  async listen_(port) {
    for (let attempt = 0; ; ++attempt) {
      const command = await this.serve_(port);
      this.port = command.address().port;
      try {
        this.servers_ = [command, await this.serve_(this.port + 1)];
        return;
      } catch (error) {
        await new Promise((resolve) => command.close(resolve));
        if (port !== 0 || attempt > 20) throw error;
      }
    }
  }

  serve_(port) {
    return new Promise((resolve, reject) => {
      const server = net.createServer((client) => this.accept_(client));
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  }

  accept_(client) {
    let pending = Buffer.alloc(0);
    let busy = false;
    this.clients_.add(client);
    client.setNoDelay(true);
    const drain = async () => {
      if (busy) return;
      busy = true;
      try {
        for (let request; (request = parse_request(pending)); ) {
          pending = pending.subarray(request.used);
          await this.answer_(client, request);
        }
      } catch (error) {
        this.emit('trouble', error);
        client.destroy();
      } finally {
        busy = false;
      }
    };
    client.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      drain();
    });
    client.on('error', () => {});
    client.on('close', () => this.leave_(client));
  }

  leave_(client) {
    this.clients_.delete(client);
    if (this.clients_.size > 0) return;
    this.idle_ = this.channel_.flush().catch(() => {}).then(() => (this.clients_.size === 0 ? this.channel_.release() : undefined));
    this.emit('idle');
  }

  async answer_(client, { op, command }) {
    switch (op) {
      case Op.kSendCommand: {
        const response = await this.forward_(command);
        return void client.write(Buffer.concat([u32(response.length), response, u32(0)]));
      }
      case Op.kHandshake:
        return void client.write(Buffer.concat([u32(kServerVersion), u32(kPlatformAvailable), u32(0)]));
      case Op.kSessionEnd:
      case Op.kStop:
        return void client.end();
      default: // Platform signals: swtpm has its power and its NV already.
        return void client.write(u32(0));
    }
  }

  async forward_(command) {
    const code = command.readUInt32BE(6);
    let response;
    try {
      response = await this.channel_.transmit(command);
    } catch (error) {
      this.emit('trouble', error); // tss.js would wait for ever for an answer that does not come.
      response = kFailure;
    }
    this.emit('command', { code, rc: response_code(response) });
    return response;
  }
}
