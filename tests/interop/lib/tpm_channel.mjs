// One connection to swtpm's raw command socket, shared by whoever wants to talk: swtpm serves one connection at a time.
import net from 'node:net';

const kHeaderSize = 10; // TPMI_ST_COMMAND_TAG, UINT32 size, UINT32 code (TPM 2.0 Part 1, "Command/Response Structure").
const kMaxResponse = 4096;
const kTransientFirst = 0x80000000;
const kLoadedSessionFirst = 0x02000000;

export const CC = {
  EvictControl: 0x120, Clear: 0x126, CreatePrimary: 0x131, Startup: 0x144, Shutdown: 0x145, ActivateCredential: 0x147,
  PolicySecret: 0x151, HMAC: 0x155, Import: 0x156, Load: 0x157, HMAC_Start: 0x15b, FlushContext: 0x165, ReadPublic: 0x173,
  StartAuthSession: 0x176, GetCapability: 0x17a, GetRandom: 0x17b,
};
const kNames = new Map(Object.entries(CC).map(([name, code]) => [code, name]));

/** The TPM's own word for a command, for people. */
export function command_name(code) {
  return kNames.get(code) ?? `0x${code.toString(16)}`;
}

/** A command without sessions. `parameters` is a Buffer. */
export function plain_command(code, parameters = Buffer.alloc(0)) {
  const header = Buffer.alloc(kHeaderSize);
  header.writeUInt16BE(0x8001, 0);
  header.writeUInt32BE(kHeaderSize + parameters.length, 2);
  header.writeUInt32BE(code, 6);
  return Buffer.concat([header, parameters]);
}

export function response_code(response) {
  return response.readUInt32BE(6);
}

/** Sends commands one after the other over a UNIX socket (`path`) or TCP (`host`, `port`); connects when first needed. */
export class TpmChannel {
  constructor(address) {
    this.address_ = address;
    this.socket_ = null;
    this.turn_ = Promise.resolve();
  }

  /** Resolves to the whole response. Rejects when swtpm is not reachable or hangs up. */
  transmit(command) {
    const answer = this.turn_.then(() => this.exchange_(command));
    this.turn_ = answer.catch(() => {});
    return answer;
  }

  /** Lets others connect to swtpm. The next transmit connects again. */
  release() {
    const done = this.turn_.then(() => {
      this.socket_?.destroy();
      this.socket_ = null;
    });
    this.turn_ = done;
    return done;
  }

  /** Flushes what a dead client left in the TPM's three object and three session slots, as a resource manager would. */
  async flush() {
    for (const first of [kTransientFirst, kLoadedSessionFirst]) {
      for (const handle of await this.handles_(first)) {
        const parameters = Buffer.alloc(4);
        parameters.writeUInt32BE(handle);
        await this.transmit(plain_command(CC.FlushContext, parameters));
      }
    }
  }

  async handles_(first) {
    const parameters = Buffer.alloc(12);
    parameters.writeUInt32BE(1, 0); // TPM_CAP_HANDLES
    parameters.writeUInt32BE(first, 4);
    parameters.writeUInt32BE(64, 8);
    const response = await this.transmit(plain_command(CC.GetCapability, parameters));
    if (response_code(response) !== 0) return [];
    const count = response.readUInt32BE(15); // after header, moreData and capability
    return Array.from({ length: count }, (_, i) => response.readUInt32BE(19 + 4 * i));
  }

  async exchange_(command) {
    this.socket_ ??= await this.connect_();
    const socket = this.socket_;
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      const settle = (action, value) => {
        socket.off('data', on_data).off('close', on_close);
        action(value);
      };
      const on_close = () => {
        this.socket_ = null;
        settle(reject, new Error('swtpm closed the connection in the middle of a command'));
      };
      const on_data = (bytes) => {
        received = Buffer.concat([received, bytes]);
        if (received.length < kHeaderSize) return;
        const size = received.readUInt32BE(2);
        if (size > kMaxResponse) return settle(reject, new Error(`swtpm announces a response of ${size} bytes`));
        if (received.length >= size) settle(resolve, received.subarray(0, size));
      };
      socket.on('data', on_data).on('close', on_close);
      socket.write(command);
    });
  }

  connect_() {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.address_);
      socket.once('error', (error) => reject(new Error(`swtpm is not reachable: ${error.message}`, { cause: error })));
      socket.once('connect', () => {
        socket.on('error', () => {}); // 'close' follows and is handled where the command waits.
        resolve(socket);
      });
    });
  }
}
