#pragma once

#include <cstddef>

#include "net/asio.h"

struct bio_st;
struct ssl_st;

namespace warifu::net {

// Where OpenSSL reads and writes a connection: the socket, without a buffer between. OpenSSL's own socket BIO would
// keep the number of a descriptor, which another connection may have got when this one was cut; raise SIGPIPE; and read
// for as long as a client sends, because records without data (KeyUpdate) do not make SSL_read return.
struct SocketBio {
  // More than a record, so that each call gets on. The next call gets the rest, after others had their turn.
  static constexpr std::size_t kInputPerCall = 32 * 1024;

  Socket& socket;  // non-blocking
  const ssl_st* ssl = nullptr;
  std::size_t input_left = 0;  // to be set to kInputPerCall before each call of OpenSSL
  // The client closed. OpenSSL is told to wait instead: it would take an end without a goodbye for an attack, forget
  // the session, and not let us answer. HTTP says itself where a request ends, so that none is cut short unnoticed.
  bool has_ended = false;
  // More follows at once: one packet for both. Set before the goodbye.
  bool is_last_but_one = false;
};

// A BIO on `link`, which lives longer; nullptr if there is no memory. The caller owns it.
bio_st* make_socket_bio(SocketBio& link);

// Whether a call on a non-blocking socket that failed with `error` may be made again later.
bool is_temporary_socket_error(int error);

}  // namespace warifu::net
