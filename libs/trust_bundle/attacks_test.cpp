// What somebody tries who has some of the keys, or none.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;

class BundleAttack : public testing::Test {
 protected:
  // `keyid` and signature for an envelope that is put together by hand.
  static json::object entry(const std::string& key_id, const Bytes& signature) {
    return {{"keyid", key_id}, {"sig", to_base64(signature)}};
  }
  // The envelope's payload with these signatures.
  static Envelope with(const Envelope& envelope, const json::array& signatures) {
    return Envelope::parse(json::serialize(json::object{{"payloadType", kPayloadType},
                                                        {"payload", to_base64(envelope.payload())},
                                                        {"signatures", signatures}}))
        .value();
  }
  Bytes signature(const Envelope& envelope, const std::string& name) {
    return organisation_.key(name).sign(pre_authentication_encoding(kPayloadType, envelope.payload()));
  }
  std::string hex(const std::string& name) { return organisation_.id(name).hex(); }
  std::string refusal(const Envelope& next) { return code_of(first_.advance(next)); }

  TestOrganisation organisation_;
  const TrustedBundle first_ = organisation_.begun();
  const Envelope next_ = organisation_.signed_by(TestOrganisation::after(first_), {});
};

TEST_F(BundleAttack, OneKeyThatSignsTwiceCountsOnce) {
  EXPECT_EQ(
      refusal(with(next_, {entry(hex("Ann"), signature(next_, "Ann")), entry(hex("Ann"), signature(next_, "Ann"))})),
      "bundle.signatures");
  EXPECT_EQ(
      refusal(with(next_, {entry(hex("Ann"), signature(next_, "Ann")), entry(hex("bob"), signature(next_, "bob"))})),
      "");
}

TEST_F(BundleAttack, AKeyIdThatLiesMakesNoOtherKeySign) {
  EXPECT_EQ(
      refusal(with(next_, {entry(hex("Ann"), signature(next_, "Ann")), entry(hex("bob"), signature(next_, "Ann"))})),
      "bundle.signatures");
  EXPECT_EQ(
      refusal(with(next_, {entry(hex("bob"), signature(next_, "Ann")), entry(hex("Ann"), signature(next_, "bob"))})),
      "bundle.signatures");
  std::string capitals = hex("bob");
  std::ranges::transform(capitals, capitals.begin(), [](char c) { return c >= 'a' ? char(c - 'a' + 'A') : c; });
  EXPECT_EQ(refusal(with(next_, {entry(hex("Ann"), signature(next_, "Ann")), entry(capitals, signature(next_, "bob")),
                                 entry("", signature(next_, "bob"))})),
            "bundle.signatures");
}

TEST_F(BundleAttack, ABrokenSignatureInFrontDoesNotHideARightOne) {
  EXPECT_EQ(refusal(with(next_, {entry(hex("Ann"), Bytes(70, 1)), entry(hex("Ann"), signature(next_, "Ann")),
                                 entry(hex("bob"), {}), entry(hex("bob"), signature(next_, "bob"))})),
            "");
}

TEST_F(BundleAttack, SignaturesOfOthersAreIgnored) {
  EXPECT_EQ(refusal(organisation_.signed_by(TestOrganisation::after(first_), {"mallory", "Root-1", "server", "Ann"})),
            "bundle.signatures");
  EXPECT_EQ(refusal(organisation_.signed_by(TestOrganisation::after(first_), {"mallory", "Ann", "server", "bob"})), "");
}

TEST_F(BundleAttack, ASignatureIsForOnePayloadAndOneType) {
  auto other = TestOrganisation::after(first_);
  other.roles.pop_back();
  const auto other_envelope = organisation_.signed_by(other, {});
  EXPECT_EQ(refusal(with(other_envelope,
                         {entry(hex("Ann"), signature(next_, "Ann")), entry(hex("bob"), signature(next_, "bob"))})),
            "bundle.signatures");
  const auto of_type = [&](const std::string& name, std::string_view type) {
    return entry(hex(name), organisation_.key(name).sign(pre_authentication_encoding(type, next_.payload())));
  };
  EXPECT_EQ(refusal(with(next_, {of_type("Ann", "application/json"), of_type("bob", "application/json")})),
            "bundle.signatures");
  EXPECT_EQ(refusal(with(next_, {entry(hex("Ann"), organisation_.key("Ann").sign(next_.payload())),
                                 entry(hex("bob"), organisation_.key("bob").sign(next_.payload()))})),
            "bundle.signatures");
}

TEST_F(BundleAttack, ThoseWhoAreElectedDoNotElectThemselves) {
  auto coup = TestOrganisation::after(first_);
  coup.signing = organisation_.set(1, {"mallory"});
  EXPECT_EQ(refusal(organisation_.signed_by(coup, {"mallory"})), "bundle.signatures");
  EXPECT_EQ(refusal(organisation_.signed_by(coup, {"mallory", "Ann"})), "bundle.signatures") << "one of two was stolen";
  EXPECT_EQ(refusal(organisation_.signed_by(coup, {"Ann", "bob"})), "bundle.signatures")
      << "nobody shows that the new key exists";
  EXPECT_EQ(refusal(organisation_.signed_by(coup, {"mallory", "Ann", "bob"})), "");
}

}  // namespace
}  // namespace warifu::trust_bundle
