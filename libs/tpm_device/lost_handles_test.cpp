#include "tpm_device/lost_handles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

Bytes answer(std::uint32_t count, const std::vector<std::uint32_t>& handles) {
  wire::Writer out;
  out.u16(0x8001).u32(static_cast<std::uint32_t>(19 + 4 * handles.size())).u32(0).u8(0).u32(1).u32(count);
  for (const std::uint32_t handle : handles)
    out.u32(handle);
  return out.take();
}

TEST(LostHandles, AreWhatTheTpmLists) {
  EXPECT_THAT(listed_handles(answer(2, {0x80000001, 0x03000000})), testing::ElementsAre(0x80000001, 0x03000000));
  EXPECT_THAT(listed_handles(answer(0, {})), testing::IsEmpty());
}

TEST(LostHandles, AreNeverWhatStays) {
  EXPECT_THAT(listed_handles(answer(3, {0x81000001, 0x01C00002, 0x02000000})), testing::ElementsAre(0x02000000));
}

TEST(LostHandles, AreNoneInAnAnswerThatBreaksOffOrLies) {
  const Bytes whole = answer(1, {0x80000000});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(listed_handles(cut), testing::IsEmpty());
    if (size < 6) continue;
    cut[5] = static_cast<std::uint8_t>(size);
    EXPECT_THAT(listed_handles(cut), testing::IsEmpty()) << size << " with a size that is right";
  }
  for (const std::uint32_t count : {0u, 2u, 0xFFFFFFFFu})
    EXPECT_THAT(listed_handles(answer(count, {0x80000000})), testing::IsEmpty()) << count;
}

}  // namespace
}  // namespace warifu::tpm_device
