#include "cmp/hostile_world_test.h"

// What does not fit the transaction that it names (RFC 4210, 5.1.1, 5.2.18, 5.3.22).
namespace warifu::cmp {
namespace {

void replace_body(PkiMessage& message, Body::Type type) {
  crypto::asn1::ItemHandle<crypto::asn1::PkiBody>(message.body).reset();
  message.body = crypto::asn1::new_item<crypto::asn1::PkiBody>().release();
  message.body->type = type;
}

void make_poll(PkiMessage& message) {
  replace_body(message, Body::kPollReq);
  message.body->value.pollReq = crypto::asn1::sk_PollRequest_new_null();
  crypto::asn1::sk_PollRequest_push(message.body->value.pollReq,
                                    crypto::asn1::new_item<crypto::asn1::PollRequest>().release());
}

TEST_F(CmpHostile, ASecondContentUnderOneTransactionIsRefused) {
  const Bytes first = world.opening();
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  const Bytes answer = world.last.der;
  expect_refused(
      remade(first, [](PkiMessage& message) { crypto::set_octets(&message.header->senderNonce, Bytes(16, 7)); }),
      "cmp.transaction_in_use", CmpFailure::kTransactionIdInUse);
  EXPECT_TRUE(crypto::seen(world.last.der).is_protected);
  EXPECT_EQ(world.issuer.issue_calls, 1);
  EXPECT_EQ(world.server->answer(first).der, answer);
}

TEST_F(CmpHostile, AnothersTransactionIdIsRefused) {
  const Bytes first = world.opening();
  EXPECT_EQ(world.answer(first).status, OSSL_CMP_PKISTATUS_accepted);
  const Bytes id = crypto::seen(first).transaction;
  world.issuer.secrets["other"] = {"secret-of-other"};
  const auto other =
      crypto::remade(world.opening(OSSL_CMP_IR, "other", "secret-of-other"), "secret-of-other",
                     [&](PkiMessage& message) { crypto::set_octets(&message.header->transactionID, id); });
  expect_refused(other, "cmp.transaction_in_use", CmpFailure::kTransactionIdInUse);
  EXPECT_FALSE(world.issuer.secrets["other"].spent_by);
}

TEST_F(CmpHostile, AConfirmationAnswersTheLastAnswer) {
  const Bytes right = confirmation();
  for (const Bytes& nonce : {Bytes(16, 7), Bytes()})
    expect_refused(remade(right, [&](PkiMessage& message) { crypto::set_octets(&message.header->recipNonce, nonce); }),
                   "cmp.nonce", CmpFailure::kBadRecipientNonce);
  expect_refused(remade(right,
                        [](PkiMessage& message) {
                          ASN1_OCTET_STRING_free(message.header->recipNonce);
                          message.header->recipNonce = nullptr;
                        }),
                 "cmp.nonce", CmpFailure::kBadRecipientNonce);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
  EXPECT_THAT(world.issuer.confirmed, SizeIs(1));
}

TEST_F(CmpHostile, AConfirmationIsOfItsTransaction) {
  const Bytes right = confirmation();
  expect_refused(
      crypto::changed(right,
                      [](PkiMessage& message) { crypto::set_octets(&message.header->transactionID, Bytes(16, 7)); }),
      "crypto.cmp.protection", CmpFailure::kBadMessageCheck);
  // By somebody else who may speak.
  world.issuer.secrets["other"] = {"secret-of-other"};
  const auto other = crypto::remade(right, "secret-of-other", [](PkiMessage& message) {
    crypto::set_octets(&message.header->senderKID, as_bytes("other"));
  });
  expect_refused(other, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
}

TEST_F(CmpHostile, AConfirmationOfAnotherCertificateConfirmsNothing) {
  const Bytes right = confirmation();
  const auto with_status = [&](const std::function<void(crypto::asn1::CertStatus*)>& change) {
    return remade(right, [&](PkiMessage& message) {
      change(crypto::asn1::sk_CertStatus_value(message.body->value.certConf, 0));
    });
  };
  expect_refused(with_status([](auto* status) { crypto::set_octets(&status->certHash, Bytes(32, 1)); }), "cmp.hash",
                 CmpFailure::kBadCertId);
  expect_refused(with_status([](auto* status) { crypto::set_octets(&status->certHash, Bytes()); }), "cmp.hash",
                 CmpFailure::kBadCertId);
  expect_refused(with_status([](auto* status) { ASN1_INTEGER_set(status->certReqId, 1); }), "crypto.cmp.request",
                 CmpFailure::kBadRequest);
  expect_refused(with_status([](auto* status) { ASN1_INTEGER_set(status->statusInfo->status, 3); }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  expect_refused(remade(right,
                        [](PkiMessage& message) {
                          auto* list = message.body->value.certConf;
                          auto second = crypto::asn1::new_item<crypto::asn1::CertStatus>();
                          crypto::asn1::sk_CertStatus_push(list, second.release());
                        }),
                 "crypto.cmp.request", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpHostile, AConfirmationThatCameTooLateConfirmsNothing) {
  const Bytes right = confirmation();
  world.pass(world.limits.confirm_within);
  expect_refused(right, "cmp.transaction", CmpFailure::kBadRequest);
  world.expire();
  expect_refused(right, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
}

TEST_F(CmpHostile, AConfirmationOfNothingIsARejection) {
  const Bytes nothing = remade(confirmation(), [](PkiMessage& message) {
    auto* list = message.body->value.certConf;
    crypto::asn1::ItemHandle<crypto::asn1::CertStatus>(crypto::asn1::sk_CertStatus_pop(list)).reset();
  });
  EXPECT_EQ(world.answer(nothing).body, Body::kPkiConf);
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
}

TEST_F(CmpHostile, AnErrorTakesBackWhatWaitsForItsConfirmation) {
  const Bytes error = remade(confirmation(), [](PkiMessage& message) {
    replace_body(message, Body::kError);
    message.body->value.error = crypto::asn1::new_item<crypto::asn1::ErrorMsgContent>().release();
    ASN1_INTEGER_set(message.body->value.error->pKIStatusInfo->status, OSSL_CMP_PKISTATUS_rejection);
  });
  EXPECT_EQ(world.answer(error).body, Body::kPkiConf);
  EXPECT_EQ(world.code(), "");
  EXPECT_THAT(world.issuer.confirmed, IsEmpty());
  EXPECT_THAT(world.issuer.withdrawn, SizeIs(1));
}

TEST_F(CmpHostile, WhatIsConfirmedIsNotTakenBack) {
  const Bytes right = confirmation();
  EXPECT_EQ(world.answer(right).body, Body::kPkiConf);
  const Bytes nonce = crypto::seen(world.last.der).sender_nonce;
  expect_refused(remade(right,
                        [&](PkiMessage& message) {
                          crypto::set_octets(&message.header->recipNonce, nonce);
                          auto* status = crypto::asn1::sk_CertStatus_value(message.body->value.certConf, 0);
                          ASN1_INTEGER_set(status->statusInfo->status, 2);
                        }),
                 "cmp.confirmed", CmpFailure::kCertConfirmed);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpHostile, WhatWasNotIssuedIsNotConfirmed) {
  const Waiting device = waiting();
  const auto in_its_place = remade(device.poll, [&](PkiMessage& message) {
    crypto::set_octets(&message.header->recipNonce, device.nonce);
    replace_body(message, Body::kCertConf);
    message.body->value.certConf = crypto::asn1::sk_CertStatus_new_null();
  });
  expect_refused(in_its_place, "cmp.transaction", CmpFailure::kBadRequest);
  EXPECT_THAT(world.issuer.withdrawn, IsEmpty());
}

TEST_F(CmpHostile, WhoDoesNotWaitDoesNotPoll) {
  expect_refused(remade(confirmation(), make_poll), "cmp.transaction", CmpFailure::kBadRequest);
}

// The answer to a revocation cannot be signed: it may come again, and nothing else under its transactionID.
TEST_F(CmpHostile, NothingFollowsWhatWasNotAnswered) {
  bool is_away = true;
  world.sign_elsewhere(is_away);
  const auto own = world.issuer.made("device-1", old_key);
  const auto rr = signed_opening(kRevoke, own, old_key, [&](CmpClient& client) {
    EXPECT_EQ(OSSL_CMP_CTX_set1_oldCert(client.native(), own.native()), 1);
  });
  expect_refused(rr, "signer.away", CmpFailure::kSystemUnavail);
  is_away = false;
  expect_refused(resigned(rr, old_key, make_poll), "cmp.nonce", CmpFailure::kBadRecipientNonce);
  EXPECT_EQ(world.answer(rr).status, OSSL_CMP_PKISTATUS_accepted);
}

TEST_F(CmpHostile, APollNamesWhatWasAskedFor) {
  const Waiting device = waiting();
  for (const int id : {1, -1})
    expect_refused(remade(device.poll,
                          [&](PkiMessage& message) {
                            crypto::set_octets(&message.header->recipNonce, device.nonce);
                            auto* poll = crypto::asn1::sk_PollRequest_value(message.body->value.pollReq, 0);
                            ASN1_INTEGER_set(poll->certReqId, id);
                          }),
                   "crypto.cmp.request", CmpFailure::kBadRequest);
}

}  // namespace
}  // namespace warifu::cmp
