#include "trust_bundle/envelope.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "trust_bundle/limits.h"
#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {
namespace {

namespace json = boost::json;

// A payload that is none: an envelope does not look into it.
json::object written(const json::array& signatures = {}) {
  return {{"payloadType", kPayloadType}, {"payload", "e30="}, {"signatures", signatures}};
}

json::object with(std::string_view member, json::value value) {
  auto envelope = written();
  envelope[member] = std::move(value);
  return envelope;
}

json::array repeated(std::size_t count, const json::value& element) {
  json::array array;
  while (array.size() < count)
    array.push_back(element);
  return array;
}

std::string refusal(const std::string& text) {
  return code_of(Envelope::parse(text));
}
std::string refusal(const json::value& value) {
  return refusal(json::serialize(value));
}

// DSSE 1.0.2, protocol.md, "Test Vectors".
TEST(BundleEnvelopes, EncodeWhatIsSignedAsDsseSays) {
  EXPECT_EQ(as_text(pre_authentication_encoding("http://example.com/HelloWorld", as_bytes("hello world"))),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  EXPECT_EQ(as_text(pre_authentication_encoding("", {})), "DSSEv1 0  0 ");
}

TEST(BundleEnvelopes, AreTakenAsOtherProgramsOfDsseWriteThem) {
  auto envelope = written({json::object{{"sig", "_-8="}}, json::object{{"keyid", ""}, {"sig", "_-8"}},
                           json::object{{"keyid", nullptr}, {"sig", "/+8="}, {"more", json::array{1}}}});
  envelope["payload"] = "_-_-";
  envelope["comment"] = json::object{{"a", 1}};
  const auto read = Envelope::parse(json::serialize(envelope));
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(to_hex(read->payload()), "ffeffe");
  ASSERT_EQ(read->signatures().size(), 3u);
  for (const Signature& signature : read->signatures()) {
    EXPECT_EQ(to_hex(signature.bytes), "ffef");
    EXPECT_EQ(signature.key_id, "");
  }
  EXPECT_EQ(Envelope::parse(read->to_json())->to_json(), read->to_json());
}

TEST(BundleEnvelopes, OfAnotherFormAreRefused) {
  EXPECT_EQ(refusal(written()), "");
  EXPECT_EQ(refusal(with("payloadType", "application/json")), "bundle.envelope");
  EXPECT_EQ(refusal(with("payloadType", 1)), "json.type");
  EXPECT_EQ(refusal(with("payload", nullptr)), "json.missing");
  for (const char* bad : {"e30", "e3=0", "e31=", "e30=\n", "_/==", "_-8==="})
    EXPECT_EQ(refusal(with("payload", bad)), "json.base64") << bad;
  EXPECT_EQ(refusal(with("signatures", "none")), "json.type");
  EXPECT_EQ(refusal(with("signatures", json::array{1})), "json.type");
  EXPECT_EQ(refusal(with("signatures", json::array{json::object{{"keyid", "a"}}})), "json.missing");
  const std::string twice = R"({"payloadType":"x","payload":"","pay\u006coad":"","signatures":[]})";
  EXPECT_EQ(refusal(twice), "json.duplicate-key");
  const std::string whole = json::serialize(written());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_EQ(refusal(whole + "{}"), "json.syntax");
}

TEST(BundleEnvelopes, HaveBounds) {
  const auto entry = [](std::size_t id_size, std::size_t signature_size) {
    return json::object{{"keyid", std::string(id_size, 'a')}, {"sig", to_base64(Bytes(signature_size, 1))}};
  };
  EXPECT_EQ(refusal(with("signatures", repeated(kSignaturesMax, entry(kKeyIdTextMax, kSignatureSizeMax)))), "");
  EXPECT_EQ(refusal(with("signatures", repeated(kSignaturesMax + 1, entry(1, 1)))), "bundle.envelope");
  EXPECT_EQ(refusal(with("signatures", repeated(1, entry(kKeyIdTextMax + 1, 1)))), "bundle.envelope");
  EXPECT_EQ(refusal(with("signatures", repeated(1, entry(1, kSignatureSizeMax + 1)))), "bundle.envelope");
  std::string large = json::serialize(written());
  large.resize(kEnvelopeSizeMax, ' ');
  EXPECT_EQ(refusal(large), "");
  EXPECT_EQ(refusal(large + ' '), "json.too-large");
  EXPECT_EQ(refusal(R"({"a":)" + std::string(16, '[') + std::string(16, ']') + "}"), "json.too-deep");
}

TEST(BundleEnvelopes, CollectSignaturesOneAfterAnotherInFiles) {
  TestOrganisation organisation;
  auto envelope = organisation.signed_by(organisation.first(), {"Ann"});
  auto sent_on = Envelope::parse(envelope.to_json()).value();
  EXPECT_EQ(sent_on.payload(), envelope.payload());
  ASSERT_TRUE(sent_on.sign(organisation.key("bob")));
  ASSERT_TRUE(sent_on.sign(organisation.key("Ann")));
  EXPECT_EQ(sent_on.signatures().size(), 2u) << "Ann's second one is in the place of the first";
  const auto signers = organisation.set(1, {"Ann", "bob", "Cid"});
  EXPECT_TRUE(sent_on.is_signed_by(signers.keys[0]));
  EXPECT_TRUE(sent_on.is_signed_by(signers.keys[1]));
  EXPECT_FALSE(sent_on.is_signed_by(signers.keys[2]));
}

TEST(BundleEnvelopes, TakeOfACopyTheSignaturesThatAreAskedFor) {
  TestOrganisation organisation;
  const auto contents = organisation.first();
  auto envelope = organisation.signed_by(contents, {"Ann"});
  const auto copy = organisation.signed_by(contents, {"bob", "Cid"});
  const auto signers = organisation.set(1, {"Ann", "bob", "Cid"});
  ASSERT_TRUE(envelope.take_signatures(copy, {{signers.keys[1].id}}));
  EXPECT_TRUE(envelope.is_signed_by(signers.keys[0]));
  EXPECT_TRUE(envelope.is_signed_by(signers.keys[1]));
  EXPECT_FALSE(envelope.is_signed_by(signers.keys[2]));
  auto other = organisation.first();
  ++other.version;
  EXPECT_EQ(code_of(envelope.take_signatures(organisation.signed_by(other, {"Cid"}), {{signers.keys[2].id}})),
            "bundle.envelope");
}

TEST(BundleEnvelopes, TakeNoMoreSignaturesThanTheyMayHave) {
  TestOrganisation organisation;
  auto envelope = organisation.signed_by(organisation.first(), {});
  for (std::size_t i = 0; i < kSignaturesMax; ++i)
    ASSERT_TRUE(envelope.sign(organisation.key("a" + std::to_string(i))));
  EXPECT_EQ(code_of(envelope.sign(organisation.key("Ann"))), "bundle.envelope");
  EXPECT_EQ(code_of(envelope.sign(organisation.key("a7"))), "") << "in the place of its own";
  EXPECT_TRUE(Envelope::parse(envelope.to_json()));
}

TEST(BundleEnvelopes, AreSignedByEcKeysOnlyAndNotWhenTheSignerFails) {
  TestOrganisation organisation;
  auto envelope = organisation.signed_by(organisation.first(), {"Ann"});
  EXPECT_EQ(code_of(envelope.sign(crypto::PrivateKey::generate(crypto::KeyKind::kRsa2048))), "bundle.key");
  const auto point = crypto::ec_public_key(organisation.public_key("Ann")).value();
  const auto away = crypto::Signer::outside(point, [](const auto&) {
    return Error{ErrorKind::kUnavailable, "token.away", "not here"};
  });
  EXPECT_EQ(code_of(envelope.sign(away)), "token.away");
  EXPECT_EQ(envelope.signatures().size(), 1u) << "what was there stays";
}

}  // namespace
}  // namespace warifu::trust_bundle
