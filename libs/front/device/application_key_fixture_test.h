#pragma once

#include <fmt/format.h>

#include "front/device/device_dialogue_fixture_test.h"
#include "tpm_types/application_key.h"

// The dialogue of docs/protocols/application-keys.md, with a TPM and its keys in memory: for the tests of this folder.
namespace warifu::front::device {

// The steps of the dialogue, each of a device with its token.
class ApplicationKeyDialogue : public AttestedDeviceDialogue {
 protected:
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

  const std::string held_one_ = R"({"name":"mqtt","version":1})";
};

}  // namespace warifu::front::device
