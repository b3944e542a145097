#pragma once

#include <boost/json/parse.hpp>

#include "crypto/certificate_request.h"
#include "crypto/certs_only.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

// Certificates as devices get them, for the tests of this folder: each by EST with a secret, for a key in software, of
// an enrollment that allows it. They begin inactive.
namespace warifu::front::test {

class CertificateWorld {
 public:
  using World = BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

  // Each of a device of its own: none takes the place of another.
  crypto::Certificate inactive() {
    const std::string id = "soft-" + std::to_string(++devices_);
    const auto made = alice.post("/api/v1/enrollments", key_enrollment(id, R"(,"allow_software_keys":true)"));
    EXPECT_EQ(made.status, 201) << made.body;
    auto answer = enroll(id);
    EXPECT_EQ(answer.status, 200) << answer.body;
    answer.body.pop_back();  // the line feed
    return std::move(crypto::read_certs_only(from_base64(answer.body).value()).value().front());
  }
  crypto::Certificate active() {
    auto certificate = inactive();
    change(certificate, "activate");
    return certificate;
  }
  // By EST with a fresh secret, with a certificate in the handshake.
  net::HttpResponse enroll(const std::string& id, const Bytes& shown = {}) {
    // Somebody who has just logged in: a test may have let months pass.
    const auto made = Operator(world.server).post("/api/v1/registrations/" + id + "/certificate-secret");
    const std::string credentials = member(made, "reference") + ":" + member(made, "secret");
    const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
    const auto request = crypto::make_certificate_request({.common_name = id}, crypto::Signer(key)).value();
    return ask(net::Method::kPost, "/.well-known/est/simpleenroll", to_base64(request), shown,
               {{"Authorization", "Basic " + to_base64(as_bytes(credentials))}});
  }
  // As `warifu certificate VERB` does.
  void change(const crypto::Certificate& certificate, const std::string& verb, const std::string& body = {}) {
    world.clock.advance(std::chrono::milliseconds(1));
    const auto done = alice.post("/api/v1/certificates/" + to_hex(certificate.serial()) + "/" + verb, body);
    EXPECT_EQ(done.status, 200) << done.body;
  }
  // All that the node can know.
  void look() {
    for (bool has_more = true; has_more;)
      has_more = world.server.standings.look().value();
  }

  // On the devices listener, with a certificate in the handshake.
  net::HttpResponse ask(net::Method method, std::string target, std::string body = {}, const Bytes& shown = {},
                        net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = std::move(headers);
    if (!shown.empty()) request.peer_chain = std::make_shared<const std::vector<Bytes>>(1, shown);
    request.body = std::move(body);
    request.peer_address = "192.0.2.9";
    return world.server.device_asks(std::move(request));
  }
  // Over plain HTTP.
  net::HttpResponse ask_plain(net::Method method, std::string target, std::string body = {},
                              net::Headers headers = {}) {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.body = std::move(body);
    request.peer_address = "192.0.2.10";
    request.tls_version = std::nullopt;
    return world.server.anybody_asks(std::move(request));
  }

  World world;
  Operator alice{world.server};

 private:
  int devices_ = 0;
};

inline std::string header_of(const net::HttpResponse& response, std::string_view name) {
  return std::string(net::find_header(response.headers, name).value_or("absent"));
}

}  // namespace warifu::front::test
