#pragma once

#include <memory>

#include "net/socket_bio.h"
#include "net/stream.h"
#include "net/tls_credentials.h"

struct ssl_st;

namespace warifu::net {

// The server's end of a TLS connection, on a socket. OpenSSL is tried first and the socket waited for after that.
class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, TlsCredentials credentials);
  ~TlsStream() override;

  // One call of OpenSSL, without waiting. The first one makes the TLS state: wait_for_input() before it, and a client
  // that is silent costs a socket only.
  Step handshake_step();
  Step read_step(std::span<char> buffer) override;
  Step write_step(std::string_view bytes) override;

  // After the handshake.
  std::shared_ptr<const std::vector<Bytes>> peer_chain() const override;
  std::optional<TlsVersion> version() const override;
  bool is_resumed() const;

 private:
  struct SslDeleter {
    void operator()(ssl_st* ssl) const;
  };
  Step goodbye_step() override;
  bool holds_input() const override;
  bool has_ended() const override { return bio_.has_ended; }
  bool begin();
  void offer_resumption();
  template <class Call>
  Step call_openssl(Call call);
  Step failed(int reason);

  SocketBio bio_{socket_};
  TlsCredentials credentials_;
  std::unique_ptr<ssl_st, SslDeleter> ssl_;  // null before the first byte
  bool established_ = false;
  bool protocol_error_ = false;  // the session must not be used again
};

}  // namespace warifu::net
