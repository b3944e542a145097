#include "cmp/hostile_world_test.h"

// The form of a message and its header (RFC 4210, 5.1).
namespace warifu::cmp {
namespace {

TEST_F(CmpHostile, NoPrefixOfAMessageIsTaken) {
  for (const Bytes& whole :
       {world.opening(), signed_opening(OSSL_CMP_CR, world.issuer.made("device-1", old_key), old_key)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto answer = world.answer(ByteView(whole).first(size));
      ASSERT_EQ(world.code(), "crypto.cmp.form") << size;
      ASSERT_EQ(answer.body, Body::kError);
      ASSERT_EQ(answer.failure, bit(CmpFailure::kBadDataFormat));
      ASSERT_FALSE(answer.is_protected);
    }
    Bytes longer = whole;
    longer.push_back(0);
    expect_refused(longer, "crypto.cmp.form", CmpFailure::kBadDataFormat);
  }
  expect_nothing_happened();
}

TEST_F(CmpHostile, NoBitOfAMessageMayBeAnother) {
  const Bytes whole = world.opening();
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const unsigned mask : {0x01U, 0x80U, 0x20U}) {
      Bytes flipped = whole;
      flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ mask);
      ASSERT_FALSE(world.answer(flipped).is_protected) << i;
      ASSERT_TRUE(world.last.error) << i;
    }
  expect_nothing_happened();
  EXPECT_EQ(world.answer(whole).status, OSSL_CMP_PKISTATUS_accepted);
}

// Else a MAC whose last bits are zero would have several forms.
TEST_F(CmpHostile, AMacIsWholeBytes) {
  Bytes even;
  for (std::uint8_t i = 0; even.empty() || (even.back() & 1) != 0; ++i)
    even = remade(world.opening(),
                  [&](PkiMessage& message) { crypto::set_octets(&message.header->senderNonce, Bytes(16, i)); });
  const Bytes odd = crypto::changed(even, [](PkiMessage& message) { message.protection->flags |= 1; });
  ASSERT_EQ(odd.size(), even.size());
  expect_refused(odd, "crypto.cmp.form", CmpFailure::kBadDataFormat);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(even).status, OSSL_CMP_PKISTATUS_accepted);
}

// The signer's certificate is not under the signature; another one does not fit it.
TEST_F(CmpHostile, NoBitOfASignedMessageMayBeAnother) {
  const Bytes whole = signed_opening(OSSL_CMP_CR, world.issuer.made("device-1", old_key), old_key);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes flipped = whole;
    flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ 0x01);
    world.answer(flipped);
    ASSERT_TRUE(world.last.error) << i;
  }
  EXPECT_EQ(world.issuer.issue_calls, 0);
  EXPECT_EQ(world.server->transactions(), 0U);
}

TEST_F(CmpHostile, WhatIsTooLongIsNotEvenRead) {
  Bytes long_one(crypto::CmpMessage::kMaxSize + 1, 0x30);
  expect_refused(long_one, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, AnotherEncodingOfAMessageIsNotTaken) {
  Bytes other = world.opening();
  ASSERT_EQ(other[1], 0x82);  // a length in two bytes; now in three
  other[1] = 0x83;
  other.insert(other.begin() + 2, 0);
  expect_refused(other, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, TimesFarFromOursAreRefused) {
  const auto at = [&](std::chrono::seconds off) {
    return remade(world.opening(), [&](PkiMessage& message) {
      const auto time = std::chrono::floor<std::chrono::seconds>(world.clock.now() + off);
      ASN1_GENERALIZEDTIME_set(message.header->messageTime, time.time_since_epoch().count());
    });
  };
  for (const std::chrono::seconds off : {std::chrono::seconds(302), std::chrono::seconds(-302)})
    expect_refused(at(off), "cmp.time", CmpFailure::kBadTime);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(at(std::chrono::seconds(-298))).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, WhoHasNoClockSaysNoTime) {
  const auto without = remade(world.opening(), [](PkiMessage& message) {
    ASN1_GENERALIZEDTIME_free(message.header->messageTime);
    message.header->messageTime = nullptr;
  });
  EXPECT_EQ(world.answer(without).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, VersionsAreTwoAndThree) {
  const auto with_version = [&](int version) {
    return remade(world.opening(), [&](PkiMessage& message) { ASN1_INTEGER_set(message.header->pvno, version); });
  };
  for (const int version : {1, 4})
    expect_refused(with_version(version), "cmp.version", CmpFailure::kUnsupportedVersion);
  for (const int version : {-1, 0, 100})
    expect_refused(with_version(version), "crypto.cmp.form", CmpFailure::kBadDataFormat);
  expect_nothing_happened();
  EXPECT_EQ(world.answer(with_version(3)).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, AHeaderHasWhatItNeeds) {
  const std::vector<std::function<void(crypto::asn1::PkiHeader&)>> changes = {
      [](auto& header) { crypto::set_octets(&header.transactionID, Bytes(15, 1)); },
      [](auto& header) { crypto::set_octets(&header.transactionID, Bytes(33, 1)); },
      [](auto& header) { crypto::set_octets(&header.senderNonce, Bytes(15, 1)); },
      [](auto& header) {
        ASN1_OCTET_STRING_free(header.transactionID);
        header.transactionID = nullptr;
      },
      [](auto& header) {
        GENERAL_NAME_free(header.sender);
        header.sender = a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_DNS, "d.example.org", 0);
      }};
  for (const auto& change : changes)
    expect_refused(remade(world.opening(), [&](PkiMessage& message) { change(*message.header); }), "crypto.cmp.form",
                   CmpFailure::kBadDataFormat);
  expect_nothing_happened();
}

TEST_F(CmpHostile, ManyCertificatesAreNotRead) {
  const auto extra = world.issuer.made("extra", old_key);
  expect_refused(crypto::changed(world.opening(),
                                 [&](PkiMessage& message) {
                                   message.extraCerts = sk_X509_new_null();
                                   for (std::size_t i = 0; i <= crypto::CmpMessage::kMaxCertificates; ++i) {
                                     X509_up_ref(extra.native());
                                     sk_X509_push(message.extraCerts, extra.native());
                                   }
                                 }),
                 "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

TEST_F(CmpHostile, AnswersAreNoRequests) {
  const Bytes answer = world.server->answer(world.opening()).der;
  expect_refused(answer, "crypto.cmp.body", CmpFailure::kBadRequest);
  expect_refused(world.server->answer(as_bytes("x")).der, "crypto.cmp.form", CmpFailure::kBadDataFormat);
}

}  // namespace
}  // namespace warifu::cmp
