#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attestation/quote/test_key_proof.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "wire/writer.h"

// What a device with a TPM asks after it has bound an attestation key, with that TPM in memory: for the tests of this
// folder.
namespace warifu::front::device {

class AttestedDeviceDialogue : public testing::Test {
 protected:
  net::HttpResponse ask(const std::string& step, std::string body, const std::string& token = {},
                        const std::string& id = "meter-1") {
    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.target = fmt::format("/api/v1/device/{}/registrations/{}/{}", test::kScope, id, step);
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    request.body = std::move(body);
    request.peer_address = "192.0.2.7";
    return world_.server.device_asks(std::move(request));
  }
  std::string activated(const sim::SoftwareTpm& tpm, const attestation::SoftwareAk& ak,
                        const std::string& id = "meter-1") {
    const Bytes area = wire::Writer().sized16(ak.tpmt()).take();
    const auto asked = ask(
        "attestation/key",
        fmt::format(R"({{"ek_public":"{}","ak_public":"{}"}})", to_base64(tpm.ek().tpm2b()), to_base64(area)), {}, id);
    EXPECT_EQ(asked.status, 200) << asked.body;
    const Bytes id_object = from_base64(test::member(asked, "id_object")).value();
    const Bytes encrypted = from_base64(test::member(asked, "encrypted_secret")).value();
    const auto secret = tpm.activate_credential(ByteView(id_object).subspan(2), ByteView(encrypted).subspan(2),
                                                ak.ak().identity()->name);
    const auto done = ask("attestation/activation",
                          fmt::format(R"({{"session":"{}","secret":"{}"}})", test::member(asked, "session"),
                                      to_base64(secret.value().reveal())),
                          {}, id);
    EXPECT_EQ(done.status, 200) << done.body;
    return test::member(done, "token");
  }

  test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm> world_;
  test::Operator alice_{world_.server};
  const attestation::SoftwareAk ak_ = attestation::SoftwareAk::of(crypto::KeyKind::kEcP256);
};

}  // namespace warifu::front::device
