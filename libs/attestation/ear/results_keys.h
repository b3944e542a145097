#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "attestation/ear/jwt.h"
#include "base/secret.h"
#include "base/time.h"

namespace warifu::attestation {

// The keys that sign attestation results: P-256, a new one every 90 days, derived from a secret that all nodes have. So
// they agree on them without a word, and each lists the keys of all (docs/decisions/0028). Safe to use from several
// threads.
class ResultsKeys {
 public:
  static constexpr std::chrono::days kPeriod{90};
  // A key is listed from so long before its first result until so long after its last: results live for minutes, and
  // those who verify them keep the list for an hour.
  static constexpr std::chrono::days kListedAround{1};

  explicit ResultsKeys(SecretBytes seed) : seed_(std::move(seed)) {}

  std::shared_ptr<const JwtSigner> signer(Timestamp now) const;
  // A JWK Set (RFC 7517 §5) of the public keys by which a result of these days can be verified.
  std::string jwks(Timestamp now) const;

 private:
  std::shared_ptr<const JwtSigner> of_period(std::int64_t period) const;

  const SecretBytes seed_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, std::shared_ptr<const JwtSigner>> signers_;  // by period, those that were asked for
};

}  // namespace warifu::attestation
