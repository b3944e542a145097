#include "attestation/appraisal/result.h"

#include <gtest/gtest.h>

namespace warifu::attestation {
namespace {

TEST(AttestationResult, NoneIsNeverGreen) {
  AttestationResult result;
  EXPECT_EQ(result.overall(), Tier::kNone);
  for (const Layer layer : kLayers) {
    EXPECT_NE(result.overall(), Tier::kAffirming);
    result.add({layer, Tier::kAffirming, "test.good", ""});
  }
  EXPECT_EQ(result.overall(), Tier::kAffirming);
}

TEST(AttestationResult, ALayerHasTheWorstOfItsFindings) {
  AttestationResult result;
  result.add({Layer::kBoot, Tier::kContraindicated, "test.bad", ""});
  result.add({Layer::kBoot, Tier::kAffirming, "test.good", ""});
  result.add({Layer::kRuntime, Tier::kWarning, "test.odd", ""});
  EXPECT_EQ(result.of(Layer::kBoot), Tier::kContraindicated);
  EXPECT_EQ(result.of(Layer::kRuntime), Tier::kWarning);
  EXPECT_EQ(result.of(Layer::kHardware), Tier::kNone);
  EXPECT_EQ(result.overall(), Tier::kContraindicated);
}

}  // namespace
}  // namespace warifu::attestation
