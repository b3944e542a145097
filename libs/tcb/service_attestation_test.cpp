#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"
#include "tcb_protocol/limits.h"
#include "tpm_types/attest.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;

// The messages' Quote has no room for an extraData of the caller's choice: the fake's attest shows what the TPM was
// given.
TEST_F(Services, QuoteOverTheHashOfTheServersNonce) {
  device_.verify_server();
  const Bytes nonce(48, 9);
  const auto answer = device_.service->handle(Caller::kAgent, Quote{nonce, {{}, {0, 7, 10}, {1}, {}}});
  ASSERT_TRUE(answer) << to_string(answer.error());
  const auto attest = tpm::QuoteAttest::parse(answer->attest);
  ASSERT_TRUE(attest) << to_string(attest.error());
  const auto expected = crypto::digest(crypto::HashAlgorithm::kSha256, {nonce});
  EXPECT_EQ(to_hex(attest->extra_data), to_hex(expected.bytes()));
  EXPECT_EQ(answer->values.size(), 3U * 32 + 48);
  EXPECT_EQ(to_hex(attest->pcr_digest),
            to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {answer->values}).bytes()));
  EXPECT_EQ(to_hex(answer->null_attest), to_hex(expected.bytes()));
  EXPECT_FALSE(answer->null_public.empty());
  EXPECT_EQ(device_.ask(Quote{nonce, {}}), "tcb.quote.registers");
}

TEST_F(Services, QuoteAgainWhenARegisterMovedMeanwhile) {
  device_.verify_server();
  const Quote request{Bytes(48, 9), {{}, {10}, {}, {}}};
  device_.tpm.moves_left = 4;
  const auto answer = device_.service->handle(Caller::kAgent, request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(device_.tpm.quotes, 5);
  const auto attest = tpm::QuoteAttest::parse(answer->attest);
  EXPECT_EQ(to_hex(attest->pcr_digest),
            to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {answer->values}).bytes()));
  device_.tpm.moves_left = 5;
  EXPECT_EQ(device_.ask(request), "tcb.quote.moving");
}

TEST_F(Services, QuoteNoOtherRegistersThanTheyWereAskedFor) {
  device_.verify_server();
  device_.tpm.missing_bank = crypto::HashAlgorithm::kSha384;
  EXPECT_EQ(device_.ask(Quote{Bytes(48), {{}, {10}, {10}, {}}}), "tcb.quote.selection");
  EXPECT_EQ(device_.ask(Quote{Bytes(48), {{}, {10}, {}, {}}}), "");
}

TEST_F(Services, QuoteWithoutANullPrimaryWhereTheTpmHasNoEcc) {
  device_.verify_server();
  device_.tpm.has_ecc = false;
  const auto answer = device_.service->handle(Caller::kAgent, Quote{Bytes(48), {{}, {10}, {}, {}}});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->null_public.empty() && answer->null_attest.empty() && answer->null_signature.empty());
}

// Without a server.
TEST_F(Services, QuoteForThisDeviceItselfOverWhatNobodyChose) {
  const LocalQuote request{{{}, {0, 7}, {}, {}}};
  const auto first = device_.service->handle(Caller::kAgent, request);
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ(first->ak_public, device_.tpm.ak_public);
  const auto attest = tpm::QuoteAttest::parse(first->quote.attest);
  ASSERT_TRUE(attest) << to_string(attest.error());
  const auto over = [](ByteView prefix, ByteView nonce) {
    return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {prefix, nonce}).bytes());
  };
  EXPECT_EQ(to_hex(attest->extra_data), over(as_bytes(kLocalQuotePrefix), first->nonce));
  EXPECT_NE(to_hex(attest->extra_data), over({}, first->nonce)) << "it is no quote over that nonce";
  EXPECT_EQ(to_hex(first->quote.null_attest), to_hex(attest->extra_data));
  const auto second = device_.service->handle(Caller::kAdministrator, request);
  ASSERT_TRUE(second);
  EXPECT_NE(to_hex(first->nonce), to_hex(second->nonce));
  EXPECT_EQ(device_.ask(LocalQuote{}), "tcb.quote.registers");
  device_.tpm.moves_left = 5;
  EXPECT_EQ(device_.ask(request), "tcb.quote.moving");
}

// A broken generator in the TPM does not let anybody know the nonce before.
TEST_F(Services, DrawTheNonceOfALocalQuoteFromTheSystemToo) {
  device_.tpm.constant_random = 7;
  const auto first = device_.service->handle(Caller::kAgent, LocalQuote{{{}, {0}, {}, {}}});
  const auto second = device_.service->handle(Caller::kAgent, LocalQuote{{{}, {0}, {}, {}}});
  ASSERT_TRUE(first && second);
  EXPECT_NE(to_hex(first->nonce), to_hex(second->nonce));
}

// Else the one who asks first could have what the other would be given.
TEST_F(Services, QuoteOverNoServersNonceThatIsALocalOnes) {
  device_.verify_server();
  Bytes nonce = to_bytes(as_bytes(kLocalQuotePrefix));
  const RegisterLists registers{{}, {0}, {}, {}};
  EXPECT_EQ(device_.ask(Quote{nonce, registers}), "tcb.quote.local");
  nonce.resize(nonce.size() + 32, 9);
  EXPECT_EQ(device_.ask(Quote{nonce, registers}), "tcb.quote.local");
  nonce.front() ^= 1;
  EXPECT_EQ(device_.ask(Quote{nonce, registers}), "");
}

TEST_F(Services, GiveWhatWasActivatedForTheirAkAndNoOther) {
  device_.verify_server();
  const auto keys = device_.service->handle(Caller::kAgent, AttestationKey{});
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->ek_public), to_hex(device_.software.ek().tpm2b()));
  EXPECT_EQ(keys->ak_public, device_.tpm.ak_public);
  const auto opened = device_.service->handle(Caller::kAgent, ActivateAttestation{device_.tpm.ak_public, Bytes(32, 5)});
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_hex(opened->secret.reveal()), to_hex(Bytes(32, 5)));
  EXPECT_EQ(device_.ask(ActivateAttestation{Bytes(8), Bytes(32, 5)}), "tpm.activation");
}

}  // namespace
}  // namespace warifu::tcb
