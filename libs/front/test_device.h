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

  std::string body() const {
    return fmt::format(R"({{"registrationId":"{}","tpm":{{"endorsementKey":"{}","storageRootKey":"{}"}}}})", id_,
                       to_base64(tpm_.ek().tpm2b()), to_base64(tpm_.srk().tpm2b()));
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
};

}  // namespace warifu::front::test
