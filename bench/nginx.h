#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "tls_peer.h"

namespace warifu::bench {

// One worker of nginx on 127.0.0.1, which answers 200 to everything over TLS 1.3; its files in a folder that goes with
// it.
class Nginx {
 public:
  // "bench.nginx" if it is not installed or does not start.
  static Result<std::unique_ptr<Nginx>> start(const TlsIdentity& identity);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  std::uint16_t port() const { return port_; }
  double cpu_micros() const;  // of the worker, so far

 private:
  Nginx(pid_t process, std::uint16_t port, std::string folder);
  pid_t process_;
  std::uint16_t port_;
  std::string folder_;
};

}  // namespace warifu::bench
