// A link between a client and a server that counts its connections and breaks them when the test says.
import { once } from 'node:events';
import net from 'node:net';

export class FaultyLink {
  /** `url` is the server's. `breaks` decides, for each part that the server sends, whether its connection breaks in place of it: ({connection, received}), counted from 1 and in bytes of that connection. */
  static async to(url, breaks = () => false) {
    const link = new FaultyLink();
    const { hostname, port } = new URL(url);
    link.server_ = net.createServer((client) => link.#join(client, net.connect({ host: hostname, port }), breaks));
    link.server_.listen(0, '127.0.0.1');
    await once(link.server_, 'listening');
    link.url = `https://127.0.0.1:${link.server_.address().port}`;
    return link;
  }

  connections = 0;
  broken = 0;

  #join(client, server, breaks) {
    const connection = ++this.connections;
    let received = 0;
    let is_broken = false;
    for (const [socket, other] of [[client, server], [server, client]]) {
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      received += bytes.length;
      if (is_broken) return;
      if (breaks({ connection, received })) {
        is_broken = true;
        ++this.broken;
        client.destroy();
      } else {
        client.write(bytes);
      }
    });
  }

  close() {
    this.server_.close();
  }
}
