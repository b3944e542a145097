// A check that did not run, or failed, is no pass: in the types, and in what the layers add up to.
#include <gtest/gtest.h>

#include <concepts>

#include "attestation/appraisal/quote_appraisal.h"
#include "attestation/quote/quote.h"

namespace warifu::attestation {
namespace {

// There is none before verify() and prove_registers() said yes.
static_assert(!std::default_initializable<VerifiedQuote> && !std::default_initializable<ProvedRegisters>);
static_assert(!std::default_initializable<AkPublic>);

AttestationResult affirming_but(std::optional<Layer> missing) {
  AttestationResult result;
  for (const Layer layer : kLayers)
    if (layer != missing) result.add({layer, Tier::kAffirming, "test.good", "it is good"});
  return result;
}

TEST(FailClosed, K9_ACheckThatDidNotRunIsNoPass) {
  EXPECT_EQ(AttestationResult().overall(), Tier::kNone);
  EXPECT_EQ(affirming_but(std::nullopt).overall(), Tier::kAffirming);
  for (const Layer layer : kLayers)
    EXPECT_EQ(affirming_but(layer).overall(), Tier::kNone) << to_string(layer);
}

TEST(FailClosed, K9_ARefusalOutweighsAllThatWasFoundGood) {
  for (const ErrorKind kind : {ErrorKind::kRefused, ErrorKind::kInvalidInput, ErrorKind::kUnavailable}) {
    for (const char* code : {"crypto.signature", "quote.nonce", "quote.pcr-digest", "quote.register-missing",
                             "eventlog.truncated", "eventlog.bank-missing", "ima.no-match", "wire.truncated",
                             "tpm.attest.magic", "a.code-that-nobody-thought-of"}) {
      AttestationResult result = affirming_but(std::nullopt);
      add_refusal(Error{kind, code, "it does not hold"}, result);
      EXPECT_EQ(result.overall(), Tier::kContraindicated) << code;
      // What is found good later does not mend it.
      for (const Layer layer : kLayers)
        result.add({layer, Tier::kAffirming, "test.good", "it is good"});
      EXPECT_EQ(result.overall(), Tier::kContraindicated) << code;
    }
  }
}

}  // namespace
}  // namespace warifu::attestation
