#include "crypto/serial_set.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <thread>

#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

// Small numbers, so that some come twice and some differ by a leading zero of others.
SerialNumber small(std::uint32_t number) {
  Bytes bytes;
  for (; number != 0; number >>= 8)
    bytes.insert(bytes.begin(), static_cast<std::uint8_t>(number));
  return *SerialNumber::from_bytes(bytes);
}

TEST(SerialSet, HasWhatWasAddedAndNothingElse) {
  SystemEntropy entropy;
  SerialSet set(entropy);
  EXPECT_FALSE(set.contains(small(1)));
  EXPECT_FALSE(set.remove(small(1)));
  for (std::uint32_t i = 1; i < 20'000; i += 2) {
    EXPECT_TRUE(set.add(small(i)));
    EXPECT_FALSE(set.add(small(i)));
  }
  EXPECT_EQ(set.size(), 10'000u);
  for (std::uint32_t i = 1; i < 20'000; ++i)
    EXPECT_EQ(set.contains(small(i)), i % 2 == 1) << i;
}

// Removing keeps all others where they are found: as a plain list says.
TEST(SerialSet, ForgetsWhatIsRemovedAndNothingElse) {
  SystemEntropy entropy;
  SerialSet set(entropy);
  constexpr std::uint32_t kNumbers = 3000;
  std::vector<bool> expected(kNumbers);
  std::uint32_t state = 1;
  for (int step = 0; step < 60'000; ++step) {
    state = state * 1664525 + 1013904223;
    const std::uint32_t number = 1 + (state >> 8) % (kNumbers - 1);
    const bool adds = (state >> 7 & 1) == 0;
    EXPECT_EQ(adds ? set.add(small(number)) : set.remove(small(number)), adds != expected[number]);
    expected[number] = adds;
  }
  for (std::uint32_t i = 1; i < kNumbers; ++i)
    EXPECT_EQ(set.contains(small(i)), expected[i]) << i;
  EXPECT_EQ(set.size(), static_cast<std::size_t>(std::ranges::count(expected, true)));
}

TEST(SerialSet, IsAskedForWhatAnybodysCertificateSays) {
  SystemEntropy entropy;
  SerialSet set(entropy);
  const SerialNumber serial = SerialNumber::random(entropy);
  set.add(serial);
  EXPECT_TRUE(set.contains(serial.bytes()));
  Bytes other = to_bytes(serial.bytes());
  other.back() ^= 1;
  EXPECT_FALSE(set.contains(other));
  for (const Bytes& no_number : {Bytes{}, Bytes{0}, Bytes(21, 1), Bytes(64, 1)})
    EXPECT_FALSE(set.contains(no_number));
}

// A million, at that rate, are under 40 MiB at any moment (and in bench/, where they are a million).
TEST(SerialSet, TakesUnder40BytesForEach) {
  SystemEntropy entropy;
  SerialSet set(entropy);
  const std::size_t tables = set.memory();
  for (std::size_t i = 1; i <= 100'000; ++i) {
    set.add(SerialNumber::random(entropy));
    if (i > 10'000 && i % 1000 == 0) {
      EXPECT_LT(set.memory() - tables, 40 * i);
    }
  }
  EXPECT_EQ(set.size(), 100'000u);
}

TEST(SerialSet, IsUsedBySeveralThreads) {
  SystemEntropy entropy;
  SerialSet set(entropy);
  constexpr std::uint32_t kEach = 5000;
  std::vector<std::thread> threads;
  for (std::uint32_t thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (std::uint32_t i = 1; i <= kEach; ++i) {
        EXPECT_TRUE(set.add(small(thread * kEach + i)));
        EXPECT_TRUE(set.contains(small(thread * kEach + i)));
        if (i % 4 == 0) {
          EXPECT_TRUE(set.remove(small(thread * kEach + i)));
        }
      }
    });
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(set.size(), 4 * kEach * 3 / 4);
}

TEST(SipHash, IsThatOfOpenssl) {
  Bytes message;
  for (std::uint8_t i = 0; i < 64; ++i) {
    Bytes key(16);
    for (std::uint8_t k = 0; k < 16; ++k)
      key[k] = static_cast<std::uint8_t>(k * 3 + i);
    std::size_t size = 8;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    std::array<std::uint8_t, 8> expected{};
    std::size_t written = 0;
    ASSERT_NE(EVP_Q_mac(nullptr, "SIPHASH", nullptr, nullptr, params, key.data(), key.size(), message.data(),
                        message.size(), expected.data(), expected.size(), &written),
              nullptr);
    SipKey halves;
    const auto little = [](ByteView bytes) {
      std::uint64_t word = 0;
      for (std::size_t at = 8; at-- > 0;)
        word = word << 8 | bytes[at];
      return word;
    };
    halves.first = little(ByteView(key).first(8));
    halves.second = little(ByteView(key).last(8));
    EXPECT_EQ(siphash(halves, message), little(expected)) << message.size();
    message.push_back(static_cast<std::uint8_t>(200 - i));
  }
}

}  // namespace
}  // namespace warifu::crypto
