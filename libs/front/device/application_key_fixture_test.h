#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attestation/quote/test_key_proof.h"
#include "front/api/test_operator.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "tpm_types/application_key.h"
#include "wire/writer.h"

// The dialogue of docs/protocols/application-keys.md, with a TPM and its keys in memory: for the tests of this folder.
namespace warifu::front::device {

// The steps of the dialogue, each of a device with its token.
class ApplicationKeyDialogue : public testing::Test {
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
  static std::string code(const net::HttpResponse& response) {
    return response.status < 300 ? "" : test::member(response, "code");
  }
  static unsigned count(const std::string& text, const std::string& part) {
    unsigned times = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++times;
    return times;
  }
  net::HttpResponse give(const std::string& more = R"(,"generate":true)", const std::string& id = "meter-1",
                         const std::string& name = "mqtt") {
    return alice_.post("/api/v1/registrations/" + id + "/application-keys",
                       fmt::format(R"({{"name":"{}"{}}})", name, more));
  }
  static Bytes key_of(const net::HttpResponse& given) { return from_base64(test::member(given, "key")).value(); }
  net::HttpResponse tell(const std::string& token, const std::string& held = "", const std::string& more = "",
                         const std::string& id = "meter-1") {
    return ask("application-keys", fmt::format(R"({{"held":[{}]{}}})", held, more), token, id);
  }
  net::HttpResponse deliver(const std::string& token, const sim::SoftwareTpm& tpm, int version = 1,
                            const std::string& id = "meter-1") {
    return ask("application-keys/deliver",
               fmt::format(R"({{"name":"mqtt","version":{},"ek_public":"{}","srk_public":"{}"}})", version,
                           to_base64(tpm.ek().tpm2b()), to_base64(tpm.srk().tpm2b())),
               token, id);
  }
  std::string nonce(const std::string& token, const std::string& id = "meter-1") {
    world_.clock.advance(std::chrono::seconds(1));
    const auto told = ask("application-keys/nonce", "{}", token, id);
    EXPECT_EQ(told.status, 200) << told.body;
    return test::member(told, "nonce");
  }
  std::string acknowledgement(const Bytes& key, const std::string& nonce, int version = 1,
                              const std::string& id = "meter-1") {
    const auto message = tpm::acknowledgement_message(RegistrationId::parse(id).value(), Label::parse("mqtt").value(),
                                                      static_cast<std::uint32_t>(version), from_base64(nonce).value());
    const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, key, {message});
    return fmt::format(R"({{"name":"mqtt","version":{},"nonce":"{}","mac":"{}"}})", version, nonce,
                       to_base64(mac.bytes()));
  }
  net::HttpResponse acknowledge(const std::string& token, const Bytes& key, int version = 1,
                                const std::string& id = "meter-1") {
    return ask("application-keys/acknowledge", acknowledgement(key, nonce(token, id), version, id), token, id);
  }
  std::string state(int version = 1, const std::string& id = "meter-1") {
    const auto shown = boost::json::parse(alice_.get("/api/v1/registrations/" + id + "/application-keys/mqtt").body);
    for (const auto& item : shown.at("items").as_array())
      if (item.at("version").to_number<int>() == version) return std::string(item.at("state").as_string());
    return "absent";
  }

  test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm> world_;
  test::Operator alice_{world_.server};
  const attestation::SoftwareAk ak_ = attestation::SoftwareAk::of(crypto::KeyKind::kEcP256);
  const std::string held_one_ = R"({"name":"mqtt","version":1})";
};

}  // namespace warifu::front::device
