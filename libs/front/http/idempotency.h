#pragma once

#include <mutex>
#include <string>
#include <unordered_set>

#include "base/entropy.h"
#include "base/secret.h"
#include "base/time.h"
#include "front/http/answer.h"
#include "front/http/route.h"

namespace warifu::front {

// Makes a request that is repeated under one Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) happen once:
// the first one's answer is stored in the transaction of its change, sealed, for operators::kIdempotencyKept, and given
// again to the others. A key belongs to one token and one route. A request that was refused changed nothing and leaves
// nothing: it may be mended and sent again under its key. A dry run needs no key. Safe to call from several threads;
// what it is given outlives it.
class Idempotency {
 public:
  static constexpr std::size_t kKeySizeMax = 64;

  // `envelope_key` seals the answers: some hold a secret that is told once.
  Idempotency(const Clock& clock, Entropy& entropy, SecretBytes envelope_key)
      : clock_(clock), entropy_(entropy), envelope_key_(std::move(envelope_key)) {}

  // `durable`, once for the key of this request of a known principal; as it is, if the request has no key. While what
  // this returns lives, the key is in use on this node.
  // Errors: kInvalidInput "idempotency.key" (not 1 to 64 printable ASCII characters, or two of them), kConflict
  // "idempotency.in_progress"; later, from the change: kInvalidInput "idempotency.mismatch" (the key was used for
  // another request; HTTP status 422).
  Result<Durable> once(const Call& call, const Route& route, Durable durable);

 private:
  class Use;
  struct Once;
  Result<Decision> apply(Once& once, store::Transaction& transaction) const;
  Bytes seal(const Once& once, const net::HttpResponse& response) const;
  Result<net::HttpResponse> open(const Once& once, ByteView sealed) const;

  const Clock& clock_;
  Entropy& entropy_;
  const SecretBytes envelope_key_;
  std::mutex mutex_;
  std::unordered_set<std::string> in_use_;  // by the place of each
};

}  // namespace warifu::front
