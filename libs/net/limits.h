#pragma once

#include <chrono>
#include <cstddef>

namespace warifu::net {

// What one client may take. Each is what a slow but honest device on a bad link needs, and no more.
struct ConnectionLimits {
  // Twice the largest header seen: a browser with cookies. Beyond it 431.
  std::size_t header_bytes = 16 * 1024;
  // Browsers send about 20 fields, proxies add some. Each costs an allocation. Beyond it 431.
  std::size_t header_fields = 64;

  std::chrono::milliseconds handshake_timeout{10'000};  // three round trips and two lost packets on a 2G link
  std::chrono::milliseconds header_timeout{10'000};     // from the first byte of a request
  std::chrono::milliseconds body_timeout{20'000};       // for the whole body: 128 KiB at 50 kbit/s
  std::chrono::milliseconds write_timeout{20'000};      // for the whole response
  std::chrono::milliseconds idle_timeout{90'000};       // between requests: longer than the usual poll of a minute
  // How long to wait, after the last byte, for the client to close: closing first would reset what it has not read yet.
  std::chrono::milliseconds close_timeout{2'000};
};

// What all clients of one listener together may take. Each listener counts for itself: a flood on one door leaves the
// others open.
struct ListenerLimits {
  // 22 KiB each when idle, measured: 220 MB. Beyond it a new connection is closed at once.
  std::size_t connections = 10'000;
  // Of those, what one address may have, or one IPv6 network of 64 bits. A plant behind one NAT is one address: 2,500
  // of its devices at once. Four addresses are needed to fill a listener. Raise it to `connections` behind a load
  // balancer that does not pass addresses on (limits.connections_per_address of warifud). Beyond it a new connection is
  // closed at once.
  std::size_t connections_per_address = 2'500;
  // Handshakes that compute at the same time; the others, at most `connections`, wait in the order in which they came.
  // A request waits for no more than these, half a millisecond each. 0: as many as there are I/O threads.
  std::size_t handshakes_at_once = 0;
  // Requests that handlers have not answered yet. Beyond it 503.
  std::size_t requests_in_flight = 1'024;
};

}  // namespace warifu::net
