#pragma once

#include <fmt/format.h>

#include <string>

#include "base/secret.h"
#include "crypto/digest.h"
#include "front/test_server.h"

namespace warifu::front::test {

inline std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  return out;
}

// A DPS client as the Node SDK is one, around a TPM: sim::SoftwareTpm, or what has its functions.
template <class Tpm>
class Device {
 public:
  Device(Server& server, const Clock& clock, const Tpm& tpm, std::string registration_id)
      : server_(&server), clock_(clock), tpm_(tpm), id_(std::move(registration_id)) {}

  // After a restart there is another server.
  void move_to(Server& server) { server_ = &server; }

  const std::string& id() const { return id_; }
  const Tpm& tpm() const { return tpm_; }

  // As our own agent is one: it shows the EK certificate, and the authorities that came with it.
  Device with_certificate(const Bytes& certificate, const std::vector<Bytes>& authorities = {}) const {
    Device other = *this;
    other.certificate_ = fmt::format(R"(,"endorsementCertificate":"{}")", to_base64(certificate));
    std::string chain;
    for (const Bytes& authority : authorities)
      chain += fmt::format("{}\"{}\"", chain.empty() ? "" : ",", to_base64(authority));
    if (!chain.empty()) other.certificate_ += fmt::format(R"(,"endorsementCertificateChain":[{}])", chain);
    return other;
  }

  std::string body() const {
    return fmt::format(R"({{"registrationId":"{}","tpm":{{"endorsementKey":"{}","storageRootKey":"{}"{}}}}})", id_,
                       to_base64(tpm_.ek().tpm2b()), to_base64(tpm_.srk().tpm2b()), certificate_);
  }
  std::string path() const { return fmt::format("/{}/registrations/{}", kScope, id_); }

  net::HttpRequest register_request(const std::string& token = {}) const {
    return request(net::Method::kPut, path() + "/register?api-version=2019-03-31", token, body());
  }
  net::HttpRequest poll_request(const std::string& operation, const std::string& token) const {
    // Node sends a body with its GET.
    return request(net::Method::kGet, fmt::format("{}/operations/{}?api-version=2019-03-31", path(), operation), token,
                   "{}");
  }
  net::HttpRequest lookup_request(const std::string& token) const {
    return request(net::Method::kPost, path() + "?api-version=2019-03-31", token, body());
  }
  static net::HttpRequest request(net::Method method, std::string target, const std::string& token, std::string body) {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"Host", "dps.example"}};
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    request.body = std::move(body);
    request.peer_address = "192.0.2.7";
    return request;
  }

  std::string sign(const SecretBytes& key, std::chrono::seconds lifetime = std::chrono::hours(1)) const {
    return sign_for(key, fmt::format("{}%2Fregistrations%2F{}", kScope, id_), lifetime);
  }
  std::string sign_for(const SecretBytes& key, std::string_view resource, std::chrono::seconds lifetime) const {
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.now() + lifetime).time_since_epoch().count();
    const auto mac = Tpm::hmac(key, as_bytes(fmt::format("{}\n{}", resource, expiry)));
    return fmt::format("SharedAccessSignature sr={}&sig={}&se={}&skn=registration", resource,
                       percent_encoded(to_base64(mac.bytes())), expiry);
  }

  // The key inside an answer that carries one at this path.
  Result<SecretBytes> open(const net::HttpResponse& response, const std::string& path_to_key) const {
    TRY(const auto blob, from_base64(member(response, path_to_key)));
    return tpm_.open_authentication_key(blob);
  }

  net::HttpResponse ask(net::HttpRequest request) const { return server_->device_asks(std::move(request)); }

  // The steps of a registration; each gives what the next one needs, or the answer that was not the expected one.
  Result<SecretBytes> get_challenge() const {
    const auto response = ask(register_request());
    if (response.status != 401) return unexpected(response);
    return open(response, "authenticationKey");
  }
  Result<std::string> open_operation(const std::string& token) const {
    const auto response = ask(register_request(token));
    if (response.status != 202) return unexpected(response);
    return member(response, "operationId");
  }
  Result<SecretBytes> collect(const std::string& operation, const std::string& token) const {
    const auto response = ask(poll_request(operation, token));
    if (response.status != 200 || member(response, "status") != "assigned") return unexpected(response);
    return open(response, "registrationState.tpm.authenticationKey");
  }
  // Registers, and polls once. `told` is "assigned", "waits", or the code of the refusal.
  struct Came {
    std::string operation, token, told;
  };
  Came come() const {
    const auto challenge = ask(register_request());
    if (challenge.status != 401 || member(challenge, "authenticationKey") == "absent")
      return {{}, {}, member(challenge, "info.code")};
    const auto token = sign(open(challenge, "authenticationKey").value());
    const auto accepted = ask(register_request(token));
    if (accepted.status != 202) return {{}, token, member(accepted, "info.code")};
    const auto operation = member(accepted, "operationId");
    return {operation, token, poll(operation, token)};
  }
  std::string poll(const std::string& operation, const std::string& token) const {
    const auto told = ask(poll_request(operation, token));
    return told.status == 200 ? "assigned" : told.status == 202 ? "waits" : member(told, "info.code");
  }
  Result<SecretBytes> provision() const {
    TRY(const auto key, get_challenge());
    const auto token = sign(key);
    TRY(const auto operation, open_operation(token));
    return collect(operation, token);
  }

 private:
  static Error unexpected(const net::HttpResponse& response) {
    return {ErrorKind::kRefused, "test.unexpected", fmt::format("{}: {}", response.status, response.body)};
  }

  Server* server_;
  const Clock& clock_;
  const Tpm& tpm_;
  const std::string id_;
  std::string certificate_;  // members of "tpm", each with a comma before it
};

// A DPS client without a TPM: it has a client certificate, a symmetric key, or what a test gives it.
class PlainDevice {
 public:
  PlainDevice(Server& server, const Clock& clock, std::string registration_id)
      : server_(server), clock_(clock), id_(std::move(registration_id)) {}

  PlainDevice with_key(const Bytes& key) const {
    PlainDevice other = *this;
    other.key_ = key;
    return other;
  }
  // DER, the leaf first; the handshake is taken for granted.
  PlainDevice with_chain(std::vector<Bytes> chain) const {
    PlainDevice other = *this;
    other.chain_ = std::make_shared<const std::vector<Bytes>>(std::move(chain));
    return other;
  }
  PlainDevice in_scope(std::string scope) const {
    PlainDevice other = *this;
    other.scope_ = std::move(scope);
    return other;
  }

  // Without a key there is no token.
  std::string sign(std::chrono::seconds lifetime = std::chrono::hours(1)) const {
    if (key_.empty()) return {};
    const auto resource = fmt::format("{}%2Fregistrations%2F{}", scope_, id_);
    const auto expiry = std::chrono::floor<std::chrono::seconds>(clock_.now() + lifetime).time_since_epoch().count();
    const auto mac =
        crypto::hmac(crypto::HashAlgorithm::kSha256, key_, {as_bytes(fmt::format("{}\n{}", resource, expiry))});
    return fmt::format("SharedAccessSignature sr={}&sig={}&se={}&skn=registration", resource,
                       percent_encoded(to_base64(mac.bytes())), expiry);
  }

  net::HttpResponse ask_to_register(const std::string& token, std::string_view version = "2019-03-31") const {
    return ask(net::Method::kPut, fmt::format("/register?api-version={}", version), token);
  }
  net::HttpResponse poll(const std::string& operation, const std::string& token) const {
    return ask(net::Method::kGet, fmt::format("/operations/{}?api-version=2019-03-31", operation), token);
  }
  net::HttpResponse look_up(const std::string& token) const {
    return ask(net::Method::kPost, "?api-version=2019-03-31", token);
  }
  // The answer to the last request: the result, or the refusal.
  net::HttpResponse provision(std::string_view version = "2019-03-31") const {
    const auto token = sign();
    const auto accepted = ask_to_register(token, version);
    return accepted.status == 202 ? poll(member(accepted, "operationId"), token) : accepted;
  }

 private:
  net::HttpResponse ask(net::Method method, const std::string& rest, const std::string& token) const {
    net::HttpRequest request;
    request.method = method;
    request.target = fmt::format("/{}/registrations/{}{}", scope_, id_, rest);
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"Host", "dps.example"}};
    if (!token.empty()) request.headers.emplace_back("Authorization", token);
    request.body = fmt::format(R"({{"registrationId":"{}"}})", id_);
    request.peer_address = "192.0.2.9";
    request.peer_chain = chain_;
    return server_.device_asks(std::move(request));
  }

  Server& server_;
  const Clock& clock_;
  const std::string id_;
  std::string scope_ = kScope;
  Bytes key_;
  provisioning::PresentedChain chain_;
};

}  // namespace warifu::front::test
