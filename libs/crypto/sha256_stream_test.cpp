#include "crypto/sha256_stream.h"

#include <gtest/gtest.h>

namespace warifu::crypto {
namespace {

TEST(Sha256Stream, IsTheDigestOfAllPieces) {
  Bytes all(10'000);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<std::uint8_t>(i * 7);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{63}, std::size_t{64}, all.size()}) {
    Sha256Stream stream;
    for (std::size_t at = 0; at < all.size(); at += piece)
      stream.add(ByteView(all).subspan(at, std::min(piece, all.size() - at)));
    EXPECT_EQ(stream.finish(), digest(HashAlgorithm::kSha256, {all})) << piece;
  }
  EXPECT_EQ(Sha256Stream().finish(), digest(HashAlgorithm::kSha256, {}));
}

}  // namespace
}  // namespace warifu::crypto
