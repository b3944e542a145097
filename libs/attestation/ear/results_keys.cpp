#include "attestation/ear/results_keys.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/kdf.h"

namespace warifu::attestation {
namespace {

// More than are listed at once.
constexpr std::size_t kKeptMax = 4;

std::int64_t period_of(Timestamp time) {
  return std::chrono::floor<std::chrono::days>(time).time_since_epoch() / ResultsKeys::kPeriod;
}

// FIPS 186-5 A.2.2: candidates, until one is a private number of the curve. That the first is not happens once in 2^32.
crypto::PrivateKey derive(const SecretBytes& seed, std::int64_t period) {
  for (unsigned candidate = 0;; ++candidate) {
    const std::string info = fmt::format("warifu attestation results P-256 {} {}", period, candidate);
    auto key = crypto::ec_private_key(
        crypto::EcCurve::kP256,
        crypto::hkdf_sha256(seed, {}, as_bytes(info), crypto::coordinate_size(crypto::EcCurve::kP256)));
    if (key) return *std::move(key);
  }
}

}  // namespace

std::shared_ptr<const JwtSigner> ResultsKeys::of_period(std::int64_t period) const {
  const std::lock_guard lock(mutex_);
  auto& signer = signers_[period];
  if (signer == nullptr) signer = std::make_shared<const JwtSigner>(JwtSigner::make(derive(seed_, period)).value());
  auto found = signer;
  while (signers_.size() > kKeptMax)
    signers_.erase(signers_.begin());
  return found;
}

std::shared_ptr<const JwtSigner> ResultsKeys::signer(Timestamp now) const {
  return of_period(period_of(now));
}

std::string ResultsKeys::jwks(Timestamp now) const {
  boost::json::array keys;
  for (auto period = period_of(now - kListedAround); period <= period_of(now + kListedAround); ++period)
    keys.emplace_back(of_period(period)->jwk());
  return boost::json::serialize(boost::json::object{{"keys", std::move(keys)}});
}

}  // namespace warifu::attestation
