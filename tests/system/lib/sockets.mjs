// Clients that no library would write: bytes on a socket, sent when and as the test says.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const kDeadlineMs = 30_000;

function address_of(url) {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** A TCP connection that has said nothing. */
export async function tcp(url) {
  const socket = net.connect(address_of(url));
  socket.on('error', () => {});
  await once(socket, 'connect');
  return new Wire(socket);
}

/** A TLS connection to `server` that trusts its root. `options` as of tls.connect(). */
export async function secure(server, url, options = {}) {
  const socket = tls.connect({ ...address_of(url), servername: 'localhost', ca: readFileSync(server.ca), ...options });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return new Wire(socket);
}

export class Wire {
  constructor(socket) {
    this.socket = socket;
    this.received = '';
    this.closed = false;
    socket.on('data', (bytes) => (this.received += bytes.toString('latin1')));
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => socket.once('close', () => resolve((this.closed = true))).once('end', resolve));
  }

  send(bytes) {
    this.socket.write(bytes);
    return this;
  }

  /** Waits for `count` more whole answers whose bodies have a Content-Length; returns the last: {status, headers, text}. */
  async answer() {
    for (const deadline = Date.now() + kDeadlineMs; ; ) {
      const parsed = parse(this.received);
      if (parsed) {
        this.received = parsed.rest;
        return parsed;
      }
      if (this.closed || this.socket.readableEnded) throw new Error(`closed without an answer; received: ${JSON.stringify(this.received)}`);
      if (Date.now() > deadline) throw new Error(`no answer within ${kDeadlineMs} ms; received: ${JSON.stringify(this.received)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  destroy() {
    this.socket.destroy();
  }
}

function parse(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [first, ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const status = Number(first.split(' ')[1]);
  if (status === 100) return parse(text.slice(end + 4));
  const size = Number(headers['content-length'] ?? 0);
  if (text.length < end + 4 + size) return null;
  return { status, headers, text: text.slice(end + 4, end + 4 + size), rest: text.slice(end + 4 + size) };
}

/** `GET path` that keeps the connection. */
export function get(path = '/healthz') {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}
