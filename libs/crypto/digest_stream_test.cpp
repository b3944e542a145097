#include "crypto/digest_stream.h"

#include <gtest/gtest.h>

namespace warifu::crypto {
namespace {

TEST(DigestStream, IsTheDigestOfAllPieces) {
  Bytes all(10'000);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<std::uint8_t>(i * 7);
  for (const HashAlgorithm hash : {HashAlgorithm::kSha256, HashAlgorithm::kSha384}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{63}, std::size_t{64}, all.size()}) {
      DigestStream stream(hash);
      for (std::size_t at = 0; at < all.size(); at += piece)
        stream.add(ByteView(all).subspan(at, std::min(piece, all.size() - at)));
      EXPECT_EQ(stream.finish(), digest(hash, {all})) << piece;
    }
    EXPECT_EQ(DigestStream(hash).finish(), digest(hash, {}));
  }
}

}  // namespace
}  // namespace warifu::crypto
