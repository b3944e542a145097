#include "provisioning/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::provisioning {
namespace {

std::string code_of(const Terms& terms) {
  const Status status = check_terms(terms);
  if (status) return "";
  EXPECT_EQ(status.error().kind, ErrorKind::kInvalidInput);
  return std::string(status.error().code);
}

Terms with_hub(std::string hub) {
  Terms terms;
  terms.hubs.push_back(std::move(hub));
  return terms;
}

TEST(Terms, AreEnabledAndOtherwiseLeftToTheServer) {
  const Terms terms;
  EXPECT_TRUE(terms.enabled);
  EXPECT_FALSE(terms.approve_srk_changes);
  EXPECT_FALSE(terms.allow_software_keys);
  EXPECT_EQ(code_of(terms), "");
}

TEST(Terms, TakeNamesOfHostsForHubs) {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), 253U);
  for (const auto& hub : {std::string("hub"), std::string("hub-1.example.org"), std::string("HUB.Example"),
                          std::string("1.2"), std::string("a--b.example"), label, longest})
    EXPECT_EQ(code_of(with_hub(hub)), "") << hub;
}

TEST(Terms, RefuseWhatIsNoNameOfAHost) {
  const std::string label(63, 'a');
  for (const auto& hub :
       {std::string(), std::string("."), std::string("hub."), std::string(".hub"), std::string("a..b"),
        std::string("-hub"), std::string("hub-"), std::string("hub-.example"), std::string("hub_1"),
        std::string("hub 1"), std::string("hub/1"), std::string("hub:443"), std::string("[::1]"), std::string("*"),
        std::string("h\xC3\xBC"
                    "b"),
        std::string("hub\n"), std::string("hub\0x", 5), std::string(64, 'a'),
        label + "." + label + "." + label + "." + std::string(62, 'a')})
    EXPECT_EQ(code_of(with_hub(hub)), "enrollment.hub") << hub;
  // Every one of them is looked at.
  Terms terms = with_hub("hub-a");
  terms.hubs.push_back("hub b");
  EXPECT_EQ(code_of(terms), "enrollment.hub");
}

TEST(Terms, TakeFiftyHubsAndForStaticAllocationOne) {
  Terms terms;
  terms.hubs = std::vector<std::string>(kHubsMax, "hub");
  EXPECT_EQ(code_of(terms), "");
  terms.hubs.push_back("hub");
  EXPECT_EQ(code_of(terms), "enrollment.hubs");

  Terms fixed = with_hub("hub-a");
  fixed.allocation = Allocation::kStatic;
  EXPECT_EQ(code_of(fixed), "");
  fixed.hubs.push_back("hub-b");
  EXPECT_EQ(code_of(fixed), "enrollment.hubs");
  fixed.hubs.clear();
  EXPECT_EQ(code_of(fixed), "") << "the server's own";
}

TEST(Terms, TakeAWebhookWithCustomAllocationOnly) {
  Terms terms;
  terms.custom_allocation = R"({"webhookUrl":"https://allocation.example"})";
  for (const auto allocation : {std::optional<Allocation>(), std::optional(Allocation::kHashed),
                                std::optional(Allocation::kStatic), std::optional(Allocation::kGeoLatency)}) {
    terms.allocation = allocation;
    EXPECT_EQ(code_of(terms), "enrollment.custom_allocation");
  }
  terms.allocation = Allocation::kCustom;
  EXPECT_EQ(code_of(terms), "");
  terms.custom_allocation.reset();
  EXPECT_EQ(code_of(terms), "enrollment.custom_allocation");
}

TEST(Terms, BoundEachJsonObject) {
  for (const auto member : {&Terms::initial_twin, &Terms::custom_allocation, &Terms::device_information}) {
    Terms terms;
    terms.allocation = Allocation::kCustom;
    terms.custom_allocation = "{}";
    terms.*member = std::string(kTermsJsonSizeMax, ' ');
    EXPECT_EQ(code_of(terms), "");
    terms.*member = std::string(kTermsJsonSizeMax + 1, ' ');
    EXPECT_EQ(code_of(terms), "enrollment.too_large");
  }
}

TEST(Terms, BoundTheIntervalOfAttestations) {
  const std::pair<int, const char*> cases[] = {{0, "enrollment.attestation_interval"},
                                               {9, "enrollment.attestation_interval"},
                                               {10, ""},
                                               {86'400, ""},
                                               {86'401, "enrollment.attestation_interval"}};
  for (const auto& [count, code] : cases) {
    Terms terms;
    terms.attestation_interval = std::chrono::seconds(count);
    EXPECT_EQ(code_of(terms), code) << count;
  }
}

TEST(Terms, NamesArePairedWithTheirValues) {
  const std::pair<Reprovision, const char*> reprovisions[] = {
      {Reprovision::kMigrate, "migrate"}, {Reprovision::kReset, "reset"}, {Reprovision::kNever, "never"}};
  for (const auto& [value, name] : reprovisions) {
    EXPECT_EQ(to_string(value), name);
    EXPECT_EQ(parse_reprovision(name).value(), value);
  }
  const std::pair<Allocation, const char*> allocations[] = {{Allocation::kHashed, "hashed"},
                                                            {Allocation::kStatic, "static"},
                                                            {Allocation::kGeoLatency, "geo-latency"},
                                                            {Allocation::kCustom, "custom"}};
  for (const auto& [value, name] : allocations) {
    EXPECT_EQ(to_string(value), name);
    EXPECT_EQ(parse_allocation(name).value(), value);
  }
  const std::pair<RequiredAttestation, const char*> requirements[] = {{RequiredAttestation::kWarning, "warning"},
                                                                      {RequiredAttestation::kAffirming, "affirming"}};
  for (const auto& [value, name] : requirements) {
    EXPECT_EQ(to_string(value), name);
    EXPECT_EQ(parse_required_attestation(name).value(), value);
  }
  for (const char* wrong : {"", "Affirming", "none", "contraindicated", "warnings"})
    EXPECT_EQ(parse_required_attestation(wrong).error().code, "enrollment.required_attestation") << wrong;
  for (const char* wrong : {"", "Migrate", "migrate ", "hashed", "always"})
    EXPECT_EQ(parse_reprovision(wrong).error().code, "enrollment.reprovision") << wrong;
  for (const char* wrong : {"", "Hashed", "geolatency", "migrate"})
    EXPECT_EQ(parse_allocation(wrong).error().code, "enrollment.allocation") << wrong;
}

}  // namespace
}  // namespace warifu::provisioning
