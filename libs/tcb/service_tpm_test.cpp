#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"
#include "tcb_protocol/codec.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;

TEST_F(Services, SealForThisTpmAndTheseMeasurements) {
  const auto secret = [] { return SecretBytes::copy_of(as_bytes("a secret")); };
  const auto sealed = device_.service->handle(Caller::kAgent, Seal{secret(), {0, 7}});
  ASSERT_TRUE(sealed);
  const auto opened = device_.service->handle(Caller::kAgent, Unseal{sealed->sealed});
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->secret.reveal()), "a secret");
  device_.tpm.boot = 1;
  EXPECT_EQ(device_.ask(Unseal{sealed->sealed}), "tpm.unseal");
}

TEST_F(Services, ReadSealedSecretsStrictly) {
  const auto sealed = device_.service->handle(Caller::kAgent, Seal{SecretBytes(8), {1}})->sealed;
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_EQ(device_.ask(Unseal{Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size))}),
              "wire.truncated");
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_EQ(device_.ask(Unseal{longer}), "wire.trailing");
}

TEST_F(Services, GiveRandomBytesOfEverySizeThatFits) {
  for (const std::uint16_t size : {std::uint16_t{1}, std::uint16_t{32}, std::uint16_t{1024}}) {
    const auto first = device_.service->handle(Caller::kAgent, Random{size});
    const auto second = device_.service->handle(Caller::kAgent, Random{size});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->bytes.size(), size);
    if (size == 1) continue;  // two of them may be the same
    EXPECT_NE(to_hex(first->bytes.reveal()), to_hex(second->bytes.reveal()));
  }
}

TEST_F(Services, KnowWhetherTheLastRequestFoundTheTpmGone) {
  const auto ask = [&] {
    device_.service->answer(Caller::kAgent, encode_request(Random{8})->reveal());
    return device_.service->has_lost_tpm();
  };
  EXPECT_FALSE(ask());
  device_.power.cut_at(1);
  EXPECT_FALSE(ask()) << "another trouble";
  device_.power.code = kTpmUnreachable;
  EXPECT_TRUE(ask());
  device_.power.restore();
  EXPECT_FALSE(ask());
}

TEST_F(Services, AnswerBadFramesWithAnError) {
  for (const Bytes& frame : {Bytes(), Bytes(7), Bytes(2000, 0xff)})
    EXPECT_FALSE(decode_answer<Identity>(device_.service->answer(Caller::kAgent, frame).reveal()));
}

}  // namespace
}  // namespace warifu::tcb
