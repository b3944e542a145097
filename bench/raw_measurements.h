#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"

namespace warifu::bench {

// The bounds of A4 to A6: OpenSSL called directly, with low-level hashes and a kept key. None of our own code.

// For each entry of an IMA list, given as its template data: SHA-1 and SHA-256 of it, and one extend of a SHA-256 bank.
void raw_ima_entries(const std::vector<ByteView>& template_data);

// What a quote by an ECDSA P-256 key with a boot log of 100 events cannot be verified without: the signature, the
// digest of the PCRs, 100 extends, and 11 KiB of event data in pieces of 110 bytes (docs/performance.md of the
// numbers).
class RawQuoteAndBootLog {
 public:
  RawQuoteAndBootLog();
  ~RawQuoteAndBootLog();
  void operator()() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace warifu::bench
