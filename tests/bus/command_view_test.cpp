#include "command_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "summary.h"
#include "test_frames.h"

namespace warifu::bus {
namespace {

TEST(CommandView, ReadsHandlesSessionsAndParameters) {
  const auto view = view_command(unseal({session(0x02000000, 0x41, Bytes(32, 9)), session(0x03000001, 0, {})}));
  ASSERT_TRUE(view) << to_string(view.error());
  EXPECT_EQ(command_name(view->code), "TPM2_Unseal");
  EXPECT_EQ(view->handles, std::vector<std::uint32_t>{0x80000001});
  ASSERT_EQ(view->sessions.size(), 2u);
  EXPECT_TRUE(view->sessions[0].is_hmac());
  EXPECT_TRUE(view->sessions[1].is_policy());
  EXPECT_TRUE(view->has(kParameterOut));
  EXPECT_FALSE(view->has(kParameterIn));
  EXPECT_TRUE(view->parameters.empty());
}

TEST(CommandView, DoesNotCountAttributesOfAPassword) {
  const auto view = view_command(unseal({session(kPasswordSession, 0x61, {})}));
  ASSERT_TRUE(view);
  EXPECT_FALSE(view->has(kParameterOut));
}

TEST(CommandView, KnowsAnUnsaltedSession) {
  EXPECT_TRUE(starts_salted_session(*view_command(start_session(0x81010001))));
  EXPECT_FALSE(starts_salted_session(*view_command(start_session(0x40000007))));
}

TEST(CommandView, RefusesWhatBreaksOffLiesOrIsUnknown) {
  const Bytes whole = unseal({session(0x02000000, 0x41, Bytes(32))});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(view_command(cut)) << size;
    if (size < kHeaderSize) continue;
    cut[4] = static_cast<std::uint8_t>(size >> 8);
    cut[5] = static_cast<std::uint8_t>(size);
    EXPECT_FALSE(view_command(cut)) << size << " with a size that is right";
  }
  EXPECT_FALSE(view_command(frame(0x8001, 0x1FFF, {})));
}

TEST(Summary, SaysWhatProtectsEachCommand) {
  wire::Writer started;
  started.u32(0x02000005);
  const Message ok{Direction::kResponse, frame(0x8001, 0, {})};
  const Recording recording = {{Direction::kCommand, start_session(0x81010001)},
                               {Direction::kResponse, frame(0x8001, 0, started)},
                               {Direction::kCommand, unseal({session(0x02000005, 0x41, Bytes(32))})},
                               ok,
                               {Direction::kCommand, unseal({session(0x02000006, 0x01, Bytes(32))})},
                               ok,
                               {Direction::kCommand, unseal({session(kPasswordSession, 0, as_bytes("secret"))})},
                               ok};
  const std::string text = summarize(recording);
  EXPECT_THAT(text, testing::ContainsRegex("TPM2_Unseal +HMAC salted +clear +encrypted +ok"));
  EXPECT_THAT(text, testing::ContainsRegex("TPM2_Unseal +HMAC unsalted +clear +clear +ok"));
  EXPECT_THAT(text, testing::ContainsRegex("TPM2_Unseal +PASSWORD IN CLEAR +clear +clear +ok"));
  EXPECT_THAT(text, testing::HasSubstr("4 commands, 2 of them"));
}

}  // namespace
}  // namespace warifu::bus
