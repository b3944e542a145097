#include <algorithm>
#include <cstdio>
#include <memory>

#include "attestation/quote/test_quote.h"
#include "raw_quote.h"
#include "rows.h"

namespace warifu::bench {
namespace {

using attestation::AkPublic;
using attestation::ProvedRegisters;
using attestation::SoftwareAk;
using crypto::HashAlgorithm;

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", to_string(result.error()).c_str());
    std::abort();
  }
  return std::move(*result);
}

Error wrong(std::string message) {
  return {ErrorKind::kInternal, "bench.self-check", std::move(message)};
}

// One quote of 24 SHA-256 registers, as it comes from a device.
struct Quote {
  Bytes area;  // TPMT_PUBLIC
  Bytes message;
  Bytes signature;
  Bytes nonce;
  measured_boot::RegisterValues values;
};

class Quotes {
 public:
  Quotes(crypto::KeyKind kind, Sabotage sabotage) : key_(SoftwareAk::of(kind)), sabotage_(sabotage) {
    good_.values = attestation::some_values({HashAlgorithm::kSha256});
    tpm::PcrSelection all = attestation::selected(HashAlgorithm::kSha256, {});
    all.indices = 0x00FFFFFF;
    const auto fields = attestation::fields_of(good_.values, {all}, HashAlgorithm::kSha256);
    good_.nonce = fields.nonce;
    good_.message = attestation::attest_of(fields);
    good_.signature = key_.sign(good_.message);
    good_.area = key_.tpmt();
    ak_.emplace(key_.ak());
  }

  const Quote& good() const { return good_; }
  // By the key that is kept, and by the one that is made of the stored area each time.
  Result<ProvedRegisters> by_kept_key(const Quote& quote) const { return judge(quote, *ak_); }
  Result<ProvedRegisters> by_stored_area(const Quote& quote) const {
    auto ak = AkPublic::from_tpm_public(quote.area);
    if (!ak && sabotage_ == Sabotage::kAcceptAll) ak = *ak_;
    if (!ak) return ak.error();
    return judge(quote, *ak);
  }

  RawQuote bound() const {
    Bytes hashed;
    for (const auto& [index, value] : good_.values.find(HashAlgorithm::kSha256)->registers())
      hashed.insert(hashed.end(), value.bytes().begin(), value.bytes().end());
    Bytes plain = key_.key.sign(good_.message);
    if (!key_.is_rsa) {
      const auto numbers = must(tpm::parse_ecdsa_der(plain));
      Bytes both(64);
      std::ranges::copy(numbers.r, both.begin() + 32 - static_cast<std::ptrdiff_t>(numbers.r.size()));
      std::ranges::copy(numbers.s, both.end() - static_cast<std::ptrdiff_t>(numbers.s.size()));
      plain = std::move(both);
    }
    return RawQuote(key_.key.public_key().to_pem(), good_.message, std::move(plain), std::move(hashed));
  }

 private:
  Result<ProvedRegisters> judge(const Quote& quote, const AkPublic& ak) const {
    auto answer = honest(quote, ak);
    return answer || sabotage_ == Sabotage::kNone ? std::move(answer) : honest(good_, *ak_);
  }
  static Result<ProvedRegisters> honest(const Quote& quote, const AkPublic& ak) {
    TRY(const auto verified,
        attestation::verify({quote.message, quote.signature}, ak, attestation::ExpectedNonce{quote.nonce}));
    return attestation::prove_registers(verified, quote.values);
  }

  SoftwareAk key_;
  Sabotage sabotage_;
  Quote good_;
  std::optional<AkPublic> ak_;
};

using Judge = std::function<Result<ProvedRegisters>(const Quote&)>;

Status check(const Quote& good, const Judge& judge) {
  TRY(const ProvedRegisters proved, judge(good));
  if (!(proved.values() == good.values)) return wrong("other registers were proved");
  for (Bytes Quote::*part : {&Quote::message, &Quote::signature, &Quote::nonce}) {
    for (std::size_t i = 0; i < (good.*part).size(); ++i) {
      Quote bad = good;
      (bad.*part)[i] ^= 1;
      if (judge(bad)) return wrong("a flipped bit was accepted");
    }
  }
  Quote bad = good;
  auto value = *good.values.find(HashAlgorithm::kSha256, 23);
  value.writable()[31] ^= 1;
  bad.values.bank(HashAlgorithm::kSha256).set(23, value);
  if (judge(bad)) return wrong("another register value was accepted");
  return {};
}

Status check_area(const Quotes& quotes) {
  const Judge judge = [&](const Quote& quote) { return quotes.by_stored_area(quote); };
  TRY_STATUS(check(quotes.good(), judge));
  Quote bad = quotes.good();
  bad.area[5] ^= 0x01;  // restricted
  if (judge(bad)) return wrong("a key that is not restricted was accepted");
  return {};
}

}  // namespace

std::vector<Row> quote_rows(Sabotage sabotage) {
  const auto ecdsa = std::make_shared<Quotes>(crypto::KeyKind::kEcP256, sabotage);
  const auto rsa = std::make_shared<Quotes>(crypto::KeyKind::kRsa2048, sabotage);
  const auto raw_ecdsa = std::make_shared<RawQuote>(ecdsa->bound());
  const auto raw_rsa = std::make_shared<RawQuote>(rsa->bound());
  const auto kept = [](const std::shared_ptr<Quotes>& quotes) {
    return [=] { return check(quotes->good(), [&](const Quote& quote) { return quotes->by_kept_key(quote); }); };
  };
  return {
      {"A1-quote", "a quote of 24 registers, ECDSA P-256 AK kept", 0.90, 0.80, kept(ecdsa), [=] { (*raw_ecdsa)(); },
       [=] { must(ecdsa->by_kept_key(ecdsa->good())); }},
      {"A2-quote", "a quote of 24 registers, RSA-2048 AK kept", 0.85, 0.75, kept(rsa), [=] { (*raw_rsa)(); },
       [=] { must(rsa->by_kept_key(rsa->good())); }},
      {"A3-quote-ecc", "the same with the ECDSA AK made of its stored area", 0.90, 0.80,
       [=] { return check_area(*ecdsa); }, [=] { (*raw_ecdsa)(); },
       [=] { must(ecdsa->by_stored_area(ecdsa->good())); }},
      {"A3-quote-rsa", "the same with the RSA AK made of its stored area", 0.70, 0.60, [=] { return check_area(*rsa); },
       [=] { (*raw_rsa)(); }, [=] { must(rsa->by_stored_area(rsa->good())); }},
  };
}

}  // namespace warifu::bench
