// The logs of tests/logs, each with a quote that the TPM of that boot made.
#include <gtest/gtest.h>

#include <algorithm>

#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/quote_appraisal.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/registers_json.h"
#include "sim/own_logs.h"

namespace warifu::attestation {
namespace {

using measured_boot::RegisterValues;

Bytes nonce_of(const sim::OwnLog& log) {
  return from_hex(std::string_view(log.expected.at("nonce").as_string())).value();
}
RegisterValues values_of(const sim::OwnLog& log) {
  return measured_boot::parse_register_values(log.expected_text).value();
}
Result<VerifiedQuote> quote_of(const sim::OwnLog& log, const Bytes& nonce) {
  TRY(const auto ak, AkPublic::from_file(log.bytes("ak.public")));
  return verify({log.bytes("attest"), log.bytes("signature")}, ak, ExpectedNonce{nonce});
}
ProvedRegisters registers_of(const sim::OwnLog& log) {
  return prove_registers(quote_of(log, nonce_of(log)).value(), values_of(log)).value();
}

// The boot layer when this log is handed over with this quote.
Tier boot_tier(const sim::OwnLog& of_log, const sim::OwnLog& of_quote) {
  AttestationResult result;
  const Bytes bytes = of_log.bytes("event-log");
  const auto log = measured_boot::parse_event_log(bytes).value();
  const auto appraised = appraise_event_log(log, registers_of(of_quote), result);
  if (!appraised) add_refusal(appraised.error(), result);
  return result.of(Layer::kBoot);
}

// kNone: the list is proved, and nothing was there to judge it by.
Tier runtime_tier(const sim::OwnLog& of_list, const sim::OwnLog& of_quote) {
  AttestationResult result;
  const auto appraised = appraise_ima_list(of_list.bytes("ima-list"), registers_of(of_quote), result);
  if (!appraised) add_refusal(appraised.error(), result);
  return result.of(Layer::kRuntime);
}

TEST(OwnLogs, TheQuoteProvesWhatTheGuestReadFromItsTpm) {
  for (const sim::OwnLog& log : sim::own_logs()) {
    SCOPED_TRACE(log.name);
    const auto quote = quote_of(log, nonce_of(log));
    ASSERT_TRUE(quote) << to_string(quote.error());
    AttestationResult result;
    appraise_quote(*quote, result);
    EXPECT_EQ(result.of(Layer::kIdentity), Tier::kAffirming);
    EXPECT_EQ(result.of(Layer::kFreshness), Tier::kAffirming);
    const auto proved = prove_registers(*quote, values_of(log));
    ASSERT_TRUE(proved) << to_string(proved.error());
    EXPECT_TRUE(proved->unquoted().empty());
    EXPECT_EQ(proved->values(), values_of(log));
  }
}

TEST(OwnLogs, AnotherNonceOrAnotherRegisterIsRefused) {
  for (const sim::OwnLog& log : sim::own_logs()) {
    SCOPED_TRACE(log.name);
    Bytes nonce = nonce_of(log);
    nonce.back() ^= 1;
    ASSERT_FALSE(quote_of(log, nonce));
    EXPECT_EQ(quote_of(log, nonce).error().code, "quote.nonce");
    const auto quote = quote_of(log, nonce_of(log)).value();
    const RegisterValues values = values_of(log);
    for (const auto& bank : values.banks()) {
      for (const auto& [index, value] : bank.registers()) {
        RegisterValues forged = values;
        forged.bank(bank.algorithm()).set(index, crypto::digest(bank.algorithm(), {value.bytes()}));
        EXPECT_FALSE(prove_registers(quote, forged)) << index;
      }
    }
  }
}

TEST(OwnLogs, ALogAgreesWithTheQuoteOfItsBootAlone) {
  const auto logs = sim::own_logs();
  for (const sim::OwnLog& log : logs)
    for (const sim::OwnLog& quote : logs)
      EXPECT_EQ(boot_tier(log, quote), log.name == quote.name ? Tier::kNone : Tier::kContraindicated)
          << log.name << " with the quote of " << quote.name;
}

// The kernel of aarch64 gets its TPM driver after IMA began: the list is there, and nothing of it was measured.
bool measured_with_ima(const sim::OwnLog& log) {
  const auto zero = crypto::Digest(crypto::HashAlgorithm::kSha256);
  return !(*values_of(log).find(crypto::HashAlgorithm::kSha256, 10) == zero);
}

// boot_aggregate is all that is in the lists: the guests have no file but those of an initramfs.
TEST(OwnLogs, AnImaListAgreesWithTheQuoteOfItsBootAlone) {
  const auto logs = sim::own_logs();
  std::size_t proved = 0;
  std::size_t unmeasured = 0;
  for (const sim::OwnLog& list : logs) {
    ++(measured_with_ima(list) ? proved : unmeasured);
    for (const sim::OwnLog& quote : logs) {
      const bool agrees = list.name == quote.name && measured_with_ima(list);
      EXPECT_EQ(runtime_tier(list, quote), agrees ? Tier::kNone : Tier::kContraindicated)
          << list.name << " with the quote of " << quote.name;
    }
  }
  EXPECT_GT(proved, 0u);
  EXPECT_GT(unmeasured, 0u);
}

}  // namespace
}  // namespace warifu::attestation
