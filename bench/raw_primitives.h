#pragma once

#include <memory>

#include "base/bytes.h"

namespace warifu::bench {

// The bounds of P1 and P2: OpenSSL called directly, with every key, context and algorithm made once and kept, and
// low-level hashes. None of our own code.
class RawRsaCredential {
 public:
  explicit RawRsaCredential(ByteView modulus);
  ~RawRsaCredential();
  // OAEP of a random seed, the three HMACs and the AES-CFB of a credential.
  void operator()();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class RawEcCredential {
 public:
  RawEcCredential();
  ~RawEcCredential();
  // An ephemeral P-256 key, ECDH, KDFe, the three HMACs and the AES-CFB of a credential.
  void operator()();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::bench
