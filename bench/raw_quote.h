#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace warifu::bench {

// The bounds of A1 to A3: the signature of a quote verified by OpenSSL's cheapest calls with a key that was made once,
// SHA-256 of the message and SHA-256 of the register values; with a boot log, SHA-256 of each event's data and one
// extend for each. None of our own code.
class RawQuote {
 public:
  struct Event {
    unsigned register_index;
    Bytes data;
  };
  // SubjectPublicKeyInfo as PEM; for ECC the signature is r and s, 32 bytes each.
  RawQuote(const std::string& pem, Bytes message, Bytes signature, Bytes register_values,
           std::vector<Event> events = {});
  ~RawQuote();
  RawQuote(RawQuote&&) noexcept;
  // Aborts if the signature is wrong.
  void operator()();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::bench
