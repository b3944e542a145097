#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/quote/test_quote.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"

// Quotes and logs of our own making, and what an appraisal finds in them.
namespace warifu::attestation {

inline const SoftwareAk& key() {
  static const SoftwareAk ak = SoftwareAk::of(crypto::KeyKind::kEcP256);
  return ak;
}

inline VerifiedQuote quote_of(const QuoteFields& fields, const Nonce& nonce, bool as_pem = false) {
  const Bytes message = attest_of(fields);
  const AkPublic ak = as_pem ? AkPublic::from_pem(key().key.public_key().to_pem()).value() : key().ak();
  return verify({message, key().sign(message)}, ak, nonce).value();
}

// Of all registers in these values.
inline ProvedRegisters proved(const measured_boot::RegisterValues& values) {
  tpm::PcrSelections selections;
  for (const auto& bank : values.banks()) {
    selections.push_back(selected(bank.algorithm(), {}));
    for (const auto& [index, value] : bank.registers())
      selections.back().indices |= 1u << index;
  }
  const auto quote = quote_of(fields_of(values, selections, crypto::HashAlgorithm::kSha256), AnyNonce{});
  return prove_registers(quote, values).value();
}

inline const Finding* find(const AttestationResult& result, std::string_view code) {
  const auto found = std::ranges::find(result.findings(), code, &Finding::code);
  return found == result.findings().end() ? nullptr : &*found;
}

// A boot of which firmware tells in two banks.
inline Bytes boot_log() {
  using measured_boot::EventType;
  return measured_boot::LogWriter({crypto::HashAlgorithm::kSha1, crypto::HashAlgorithm::kSha256})
      .event(0, EventType::kSCrtmVersion, "1.0")
      .event(4, EventType::kIpl, "loader")
      .separators()
      .event(8, EventType::kIpl, "kernel")
      .bytes();
}

// The log's layer, when these registers are quoted.
inline AttestationResult boot(ByteView bytes, const measured_boot::RegisterValues& values,
                              const BootExpectations& expectations = {}) {
  AttestationResult result;
  const auto log = measured_boot::parse_event_log(bytes).value();
  const auto explained = appraise_event_log(log, proved(values), result, expectations);
  if (!explained) add_refusal(explained.error(), result);
  return result;
}

inline crypto::Digest other(crypto::HashAlgorithm bank) {
  return crypto::digest(bank, {as_bytes(std::string_view("something else"))});
}

}  // namespace warifu::attestation
