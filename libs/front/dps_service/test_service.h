#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/certificate.h"
#include "front/test_world.h"

// For the tests of the service API: a client as the vendor's SDKs are one.
namespace warifu::front::test {

inline constexpr std::string_view kVersion = "?api-version=2021-10-01";

// A certificate of its own making, in DER.
inline Bytes make_certificate(Entropy& entropy, const std::string& name, bool is_ca) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const Timestamp begin{std::chrono::seconds(1'780'000'000)};
  return crypto::issue_certificate({.common_name = name,
                                    .not_before = begin,
                                    .not_after = begin + std::chrono::hours(24 * 365),
                                    .is_ca = is_ca},
                                   key.public_key(), nullptr, key, entropy)
      .value()
      .to_der();
}

// Signs each request with one service key.
class ServiceClient {
 public:
  ServiceClient(Server& server, const Clock& clock, std::string name, SecretBytes key)
      : server_(server), clock_(clock), name_(std::move(name)), key_(std::move(key)) {}

  std::string authorization(std::string_view host = "dps.example") const {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count() + 3600;
    const auto mac =
        crypto::hmac(crypto::HashAlgorithm::kSha256, key_.reveal(), {as_bytes(fmt::format("{}\n{}", host, expiry))});
    return fmt::format("SharedAccessSignature sr={}&sig={}&skn={}&se={}", host, percent_encoded(to_base64(mac.bytes())),
                       name_, expiry);
  }
  // `path` is without api-version.
  net::HttpResponse ask(net::Method method, std::string_view path, std::string body = {},
                        net::Headers headers = {}) const {
    net::HttpRequest request;
    request.method = method;
    request.target = fmt::format("{}{}", path, kVersion);
    request.headers = {{"Host", "dps.example"}, {"Authorization", authorization()}};
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    request.body = std::move(body);
    request.peer_address = "192.0.2.9";
    return server_.operator_asks(std::move(request));
  }
  net::HttpResponse get(std::string_view path) const { return ask(net::Method::kGet, path); }
  net::HttpResponse put(std::string_view path, std::string body, const std::string& if_match = {}) const {
    return ask(net::Method::kPut, path, std::move(body),
               if_match.empty() ? net::Headers() : net::Headers{{"If-Match", if_match}});
  }
  net::HttpResponse post(std::string_view path, std::string body = {}, net::Headers headers = {}) const {
    return ask(net::Method::kPost, path, std::move(body), std::move(headers));
  }
  net::HttpResponse remove(std::string_view path, const std::string& if_match = {}) const {
    return ask(net::Method::kDelete, path, {},
               if_match.empty() ? net::Headers() : net::Headers{{"If-Match", if_match}});
  }

 private:
  Server& server_;
  const Clock& clock_;
  std::string name_;
  SecretBytes key_;
};

// A client with a new service key of that scope.
inline ServiceClient make_client(Server& server, store::Store& store, const Clock& clock, const ScopeId& scope,
                                 const std::string& name,
                                 std::optional<operators::Permissions> permissions = std::nullopt) {
  SecretBytes key;
  must(store.write([&](store::Transaction& t) -> Status {
    const auto label = Label::parse(name).value();
    TRY(auto issued, server.desk.create_service_key(t.operators(), t.audit(),
                                                    {scope, std::nullopt, label, operators::Permissions::all()},
                                                    {label, permissions}));
    key = std::move(issued.key);
    return {};
  }));
  return {server, clock, name, std::move(key)};
}

inline std::string certificate_attestation(std::string_view member, const Bytes& primary) {
  return fmt::format(R"({{"type":"x509","x509":{{"{}":{{"primary":{{"certificate":"{}"}}}}}}}})", member,
                     to_base64(primary));
}
inline std::string tpm_attestation(const tpm::EkPublic& ek) {
  return fmt::format(R"({{"type":"tpm","tpm":{{"endorsementKey":"{}"}}}})", to_base64(ek.tpm2b()));
}
inline std::string enrollment(std::string_view id, std::string_view attestation, std::string_view more = {}) {
  return fmt::format(R"({{"registrationId":"{}","attestation":{}{}}})", id, attestation, more);
}
inline std::string group(std::string_view id, std::string_view attestation, std::string_view more = {}) {
  return fmt::format(R"({{"enrollmentGroupId":"{}","attestation":{}{}}})", id, attestation, more);
}
inline constexpr std::string_view kSymmetric = R"({"type":"symmetricKey"})";

// One organisation, and a client of its service API. `World` is a BasicWorld.
template <class World>
class BasicServiceTest : public ::testing::Test {
 protected:
  ServiceClient client(const std::string& name, std::optional<operators::Permissions> permissions = {}) {
    return make_client(world_.server, *world_.store, world_.clock, scope_id(), name, permissions);
  }
  // Azure's error object, with this code.
  static void expect_error(const net::HttpResponse& answer, int code, std::string_view info) {
    EXPECT_EQ(answer.status, code / 1000) << info << answer.body;
    EXPECT_EQ(member(answer, "errorCode"), std::to_string(code)) << info;
    EXPECT_EQ(member(answer, "info.code"), info) << answer.body;
    EXPECT_TRUE(Uuid::parse(member(answer, "trackingId"))) << info;
    EXPECT_EQ(net::find_header(answer.headers, "x-ms-request-id"), member(answer, "trackingId"));
  }
  // Reads it, and writes back what was read: no change.
  void expect_round_trip(const std::string& path) {
    const auto read = service_.get(path);
    ASSERT_EQ(read.status, 200) << path << read.body;
    const std::string before = world_.stored();
    const auto written = service_.put(path, read.body, member(read, "etag"));
    EXPECT_EQ(written.status, 200) << path << written.body;
    EXPECT_EQ(boost::json::parse(written.body), boost::json::parse(read.body)) << path;
    EXPECT_EQ(world_.stored(), before) << "writing back what was read is no change";
  }

  World world_;
  ServiceClient service_ = client("ci");
};

}  // namespace warifu::front::test
