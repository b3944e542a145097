#include "tcb/server_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tcb/test_handshake.h"
#include "tcb/tls_handshake.h"

namespace warifu::tcb {
namespace {

using crypto::KeyKind;
using crypto::PathTime;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr ServerNonce kNonce = {1, 2, 3, 4};
constexpr PathTime kTime{kTestNow + kTestDay};

class ServerIdentity : public testing::Test {
 protected:
  HandshakeOptions with_nonce() const { return {.nonce = to_bytes(kNonce)}; }
  std::vector<Bytes> recorded(const HandshakeOptions& options) const {
    return record_handshake(organisation_, server_, options);
  }
  // Its code, or "" when the server is believed.
  std::string verify(std::span<const Bytes> handshake, PathTime time = kTime) {
    const auto server = verify_server(handshake, kNonce, organisation_.trust(), {}, time);
    message_ = server ? "" : to_string(server.error());
    return server ? "" : std::string(server.error().code);
  }
  std::string verify_leaf(const crypto::CertificateProfile& profile, PathTime time = kTime) {
    return verify(record_handshake(organisation_, organisation_.server(profile, KeyKind::kEcP256), kNonce), time);
  }

  const TestOrganisation organisation_;
  const TestIdentity server_ = organisation_.server();
  std::string message_;
};

TEST_F(ServerIdentity, IsProvedByARealHandshakeOfEveryKindOfKeyAndSuite) {
  for (const KeyKind kind : {KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048}) {
    const TestIdentity server = organisation_.server(kind);
    for (const char* suites : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
      HandshakeOptions options = with_nonce();
      options.suites = suites;
      EXPECT_EQ(verify(record_handshake(organisation_, server, options)), "") << suites << ": " << message_;
      options.asks_for_certificate = false;
      options.retry = true;
      const auto retried = record_handshake(organisation_, server, options);
      EXPECT_EQ(retried.size(), 7U) << "a HelloRetryRequest was wanted";
      EXPECT_EQ(verify(retried), "") << suites << ": " << message_;
    }
  }
}

TEST_F(ServerIdentity, SaysWhoItIsAndSinceWhen) {
  const auto server = verify_server(recorded(with_nonce()), kNonce, organisation_.trust(), {}, kTime);
  ASSERT_TRUE(server);
  EXPECT_EQ(server->name(), "warifu.example");
  EXPECT_EQ(server->certificate_not_before(), kTestNow - std::chrono::minutes(5));
}

TEST_F(ServerIdentity, IsNotProvedWithoutTheNonceOfThisCheck) {
  EXPECT_EQ(verify(recorded({})), "tcb.handshake.nonce");
  EXPECT_THAT(message_, HasSubstr("0xff57"));
  EXPECT_EQ(verify(recorded({.nonce = Bytes(32, 9)})), "tcb.handshake.nonce");
  EXPECT_EQ(verify(recorded({.nonce = Bytes(kNonce.begin(), kNonce.end() - 1)})), "tcb.handshake.nonce");
  Bytes longer = to_bytes(kNonce);
  longer.push_back(0);
  EXPECT_EQ(verify(recorded({.nonce = longer})), "tcb.handshake.nonce");
}

TEST_F(ServerIdentity, IsNotProvedByAHandshakeOfAnEarlierCheck) {
  const auto earlier = recorded(with_nonce());
  ASSERT_EQ(verify(earlier), "");
  const ServerNonce another = {5, 6, 7, 8};
  EXPECT_EQ(verify_server(earlier, another, organisation_.trust(), {}, kTime).error().code, "tcb.handshake.nonce");
}

TEST_F(ServerIdentity, NeedsTheNonceInTheClientHelloThatCounts) {
  HandshakeOptions options = with_nonce();
  options.retry = true;
  ASSERT_EQ(verify(recorded(options)), "") << message_;
  options.nonce_in_first_hello_only = true;
  EXPECT_EQ(verify(recorded(options)), "tcb.handshake.nonce");
}

TEST_F(ServerIdentity, IsNotThatOfAnotherOrganisation) {
  const TestOrganisation other;
  EXPECT_EQ(verify(record_handshake(other, other.server(), kNonce)), "crypto.path.issuer");
  EXPECT_EQ(verify(record_handshake(organisation_, other.server(), kNonce)), "crypto.path.issuer");
}

TEST_F(ServerIdentity, NeedsTheNameOfTheServer) {
  auto profile = organisation_.server_profile();
  profile.dns_names = {"other.example"};
  EXPECT_EQ(verify_leaf(profile), "crypto.path.name");
  EXPECT_THAT(message_, AllOf(HasSubstr("warifu.example"), HasSubstr("other.example")));
}

TEST_F(ServerIdentity, IsBoundToTime) {
  const auto handshake = recorded(with_nonce());
  EXPECT_EQ(verify(handshake, {kTestNow + 91 * kTestDay}), "crypto.path.expired");
  EXPECT_EQ(verify(handshake, {kTestNow - std::chrono::minutes(6)}), "crypto.path.not-yet-valid");
  EXPECT_EQ(verify(handshake, {kTestNow - std::chrono::minutes(6), false}), "") << message_;
  EXPECT_EQ(verify(handshake, {kTestNow + 91 * kTestDay, false}), "crypto.path.expired");
}

TEST_F(ServerIdentity, IsThatOfAServerOnly) {
  auto client = organisation_.server_profile();
  client.server_auth = false;
  client.client_auth = true;
  EXPECT_EQ(verify_leaf(client), "crypto.path.purpose");
  // The role's key may issue servers, but it is none.
  EXPECT_EQ(verify(record_handshake(organisation_, organisation_.role(), kNonce)), "crypto.path.purpose");
}

TEST_F(ServerIdentity, IsNotProvedByTls12) {
  HandshakeOptions options = with_nonce();
  options.tls12 = true;
  EXPECT_THAT(verify(recorded(options)), AnyOf("tcb.handshake.version", "tcb.handshake.form")) << message_;
}

TEST_F(ServerIdentity, IsNotProvedByAResumedSession) {
  HandshakeOptions options = with_nonce();
  options.resume = true;
  const auto resumed = recorded(options);
  EXPECT_EQ(verify(resumed), "tcb.handshake.resumed");
}

// Each byte of what was said is under the signature, or is the signature.
TEST_F(ServerIdentity, IsNotProvedWhenAByteDiffers) {
  HandshakeOptions options = with_nonce();
  options.retry = true;
  const auto handshake = recorded(options);
  ASSERT_EQ(verify(handshake), "") << message_;
  for (std::size_t m = 0; m < handshake.size(); ++m) {
    for (std::size_t i = 0; i < handshake[m].size(); ++i) {
      auto altered = handshake;
      altered[m][i] ^= 1;
      EXPECT_NE(verify(altered), "") << "message " << m << ", byte " << i;
    }
  }
}

TEST_F(ServerIdentity, IsNotProvedByMessagesThatAreCutOff) {
  const auto handshake = recorded(with_nonce());
  for (std::size_t m = 0; m < handshake.size(); ++m) {
    for (std::size_t size = 0; size < handshake[m].size(); ++size) {
      auto cut = handshake;
      cut[m].resize(size);
      EXPECT_NE(verify(cut), "") << "message " << m << ", size " << size;
      // The same with a header that agrees with the shorter body.
      if (size < 4) continue;
      cut[m][1] = 0;
      cut[m][2] = static_cast<std::uint8_t>((size - 4) >> 8);
      cut[m][3] = static_cast<std::uint8_t>(size - 4);
      EXPECT_NE(verify(cut), "") << "message " << m << ", body " << size - 4;
    }
  }
}

TEST_F(ServerIdentity, IsNotProvedByMessagesLeftOutAddedOrMoved) {
  const auto handshake = recorded(with_nonce());
  ASSERT_EQ(handshake.size(), 6U);
  const Bytes finished = {20, 0, 0, 0};
  for (std::size_t m = 0; m < handshake.size(); ++m) {
    auto shorter = handshake;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(m));
    // Without CertificateRequest the order is right, and the signature is not.
    EXPECT_EQ(verify(shorter), m == 3 ? "crypto.signature" : "tcb.handshake.order") << "without message " << m;

    auto doubled = handshake;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(m), handshake[m]);
    EXPECT_THAT(verify(doubled), StartsWith("tcb.handshake.")) << "message " << m << " twice";

    auto longer = handshake;
    longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(m), finished);
    EXPECT_EQ(verify(longer), "tcb.handshake.order") << "another before message " << m;

    if (m == 0) continue;
    auto swapped = handshake;
    std::swap(swapped[m - 1], swapped[m]);
    EXPECT_EQ(verify(swapped), "tcb.handshake.order") << "messages " << m - 1 << " and " << m;
  }
  auto longer = handshake;
  longer.push_back(finished);
  EXPECT_EQ(verify(longer), "tcb.handshake.order");
  EXPECT_EQ(verify({}), "tcb.handshake.order");
  EXPECT_EQ(verify(std::vector<Bytes>(6)), "tcb.handshake.order");
}

// The key made the signature, on the right transcript, as a TLS client: it proves nothing of a server.
TEST_F(ServerIdentity, IsNotProvedByASignatureOfAClient) {
  auto handshake = recorded(with_nonce());
  const auto transcript = parse_tls_handshake(handshake)->transcript;
  const auto verify_message = [&](std::string_view context) {
    Bytes content(64, ' ');
    std::ranges::copy(as_bytes(context), std::back_inserter(content));
    content.push_back(0);
    std::ranges::copy(transcript.bytes(), std::back_inserter(content));
    const Bytes signature = server_.key.sign(content);
    const auto size = static_cast<std::uint8_t>(signature.size());
    Bytes message = {15, 0, 0, static_cast<std::uint8_t>(size + 4), 0x04, 0x03, 0, size};
    std::ranges::copy(signature, std::back_inserter(message));
    return message;
  };
  handshake.back() = verify_message("TLS 1.3, server CertificateVerify");
  EXPECT_EQ(verify(handshake), "") << "the same by hand, as a server: " << message_;
  handshake.back() = verify_message("TLS 1.3, client CertificateVerify");
  EXPECT_EQ(verify(handshake), "crypto.signature");
}

}  // namespace
}  // namespace warifu::tcb
