#pragma once

#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "cmp/server.h"
#include "cmp/world_test.h"

// What must be refused, and change nothing.
namespace warifu::cmp {

using crypto::CmpClient;
using crypto::KeyKind;
using crypto::asn1::PkiMessage;
using crypto::asn1::ProtectedPart;
using testing::IsEmpty;
using testing::SizeIs;

inline constexpr int kRevoke = 11;  // beside the types of OSSL_CMP_exec_certreq()

// Signed again by who has the key of the certificate.
inline Bytes resigned(ByteView der, const PrivateKey& key, const std::function<void(PkiMessage&)>& change) {
  return crypto::changed(der, [&](PkiMessage& message) {
    change(message);
    ProtectedPart part{message.header, message.body};
    EXPECT_GT(ASN1_item_sign(ProtectedPart::item(), message.header->protectionAlg, nullptr, message.protection, &part,
                             key.native(), EVP_sha256()),
              0);
  });
}

// The public half of an RSA key, with another exponent.
inline crypto::PkeyHandle with_exponent(const PrivateKey& key, std::uint64_t exponent) {
  using Builder = crypto::Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
  using Params = crypto::Handle<OSSL_PARAM, OSSL_PARAM_free>;
  BIGNUM* n = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key.native(), OSSL_PKEY_PARAM_RSA_N, &n), 1);
  const crypto::BignumHandle modulus(n);
  const crypto::BignumHandle e(BN_new());
  EXPECT_EQ(BN_set_word(e.get(), exponent), 1);
  const Builder builder(OSSL_PARAM_BLD_new());
  EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()), 1);
  EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()), 1);
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const crypto::PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()), 1);
  return crypto::PkeyHandle(made);
}

class CmpHostile : public testing::Test {
 protected:
  Bytes remade(ByteView der, const std::function<void(PkiMessage&)>& change) {
    return crypto::remade(der, kSecret, change);
  }
  // A certificate was issued; the confirmation that the client would send now.
  Bytes confirmation() {
    Bytes held;
    CmpClient client([&](Bytes request) {
      if (held.empty() && crypto::seen(request).body == Body::kIr) return world.server->answer(request).der;
      held = request;
      return Bytes();
    });
    client.by_secret(kReference, kSecret);
    client.want("device-1", world.device_key);
    EXPECT_FALSE(client.ask(OSSL_CMP_IR));
    EXPECT_FALSE(held.empty());
    return held;
  }
  // The first request of who has a certificate under the root.
  Bytes signed_opening(int type, const Certificate& certificate, const PrivateKey& key,
                       const std::function<void(CmpClient&)>& prepare = nullptr) {
    CmpClient client([](Bytes) { return Bytes(); });
    client.by_certificate(certificate, key, world.issuer.root);
    client.want("device-1", world.device_key);
    if (prepare) prepare(client);
    if (type == kRevoke)
      OSSL_CMP_exec_RR_ses(client.native());
    else
      client.ask(type);
    ERR_clear_error();
    EXPECT_THAT(client.requests(), SizeIs(1));
    return client.requests().at(0);
  }
  // A device is told to wait: its poll, and the nonce that the next request repeats.
  struct Waiting {
    Bytes poll;
    Bytes nonce;
  };
  Waiting waiting() {
    world.issuer.on_issue = [](const Order&) { return Result<Decision>(Wait{std::chrono::seconds(20)}); };
    int after = 0;
    CmpClient client(world.transfer());
    client.by_secret(kReference, kSecret);
    client.want("device-1", world.device_key);
    EXPECT_EQ(OSSL_CMP_try_certreq(client.native(), OSSL_CMP_IR, nullptr, &after), -1);
    return {client.requests().back(), crypto::seen(client.answers().back()).sender_nonce};
  }
  void expect_nothing_happened() {
    EXPECT_EQ(world.issuer.issue_calls, 0);
    EXPECT_EQ(world.server->transactions(), 0U);
    EXPECT_FALSE(world.issuer.secrets[std::string(kReference)].spent_by);
  }
  void expect_refused(ByteView request, std::string_view code, CmpFailure failure) {
    const auto answer = world.answer(request);
    EXPECT_EQ(world.code(), code);
    EXPECT_EQ(answer.failure, bit(failure)) << code;
    EXPECT_EQ(answer.text, code);
  }

  World world;
  PrivateKey old_key = PrivateKey::generate(KeyKind::kEcP256);
};

}  // namespace warifu::cmp
