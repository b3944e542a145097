#pragma once

// A server that follows the protocol, until a test makes it do otherwise.

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "agent/client_identity.h"
#include "agent/contact.h"
#include "agent/test_tcb.h"

namespace warifu::agent::test {

inline HttpReply reply(int status, std::string body = {}) {
  return {.status = status, .body = std::move(body), .retry_after = {}, .date = kServerTime, .request_id = {}};
}

// Asks the TCB on each connection, as the real one does.
class ScriptedServer final : public Transport {
 public:
  explicit ScriptedServer(ServerCheck& check) : check_(check) {}

  Result<HttpReply> send(const HttpRequest& request) override {
    if (unreachable > 0) {
      --unreachable;
      return Error{ErrorKind::kUnavailable, "server.unreachable", "nobody there"};
    }
    if (!connected) {
      TRY(const auto nonce, check_.begin());
      TRY_STATUS(check_.judge({nonce}));
      shown.clear();
      if (identity != nullptr) {
        identity->begin();
        TRY(const auto chain, identity->show());
        if (!chain.empty()) {
          TRY_STATUS(identity->sign({nonce, chain.front()}));
          shown = chain.front();
        }
      }
      connected = true;
    }
    if (request.path.starts_with(kBundlePath)) {
      fetched.push_back(request.path);
      return bundle_at(request);
    }
    requests.push_back(request);
    if (!shown.empty() && refuse_certificate && request.path.starts_with("/api/v1/device/"))
      if (const auto code = refuse_certificate(shown); !code.empty())
        return reply(403, R"({"title":"no","detail":"because","code":")" + code + "\"}");
    const std::string key = step_of(request);
    if (const auto once = first.find(key); once != first.end() && !once->second.empty()) {
      HttpReply answer = std::move(once->second.front());
      once->second.pop_front();
      return answer;
    }
    if (const auto found = instead.find(key); found != instead.end()) return found->second;
    return honest(key);
  }
  void close() override { connected = false; }
  // Nobody judges, and nothing is told.
  Result<HttpReply> fetch_from_anybody(const HttpRequest& request) override {
    fetched_from_anybody.push_back(request.path);
    return bundle_at(request);
  }
  Status trust_also(const std::vector<Bytes>& roots) override {
    trusted_also = roots;
    return {};
  }

  // "escrow-certificate", "challenge", "proof", "poll", "escrow"
  static std::string step_of(const HttpRequest& request) {
    if (request.path == "/api/v1/device/escrow-certificate") return "escrow-certificate";
    if (request.path == "/api/v1/device/escrow") return "escrow";
    if (request.path == "/api/v1/device/self") return "self";
    if (request.path.ends_with("/certificates/nonce")) return "certificate nonce";
    if (const auto at = request.path.find("/application-keys"); at != std::string::npos)
      return "keys" + request.path.substr(at + std::string_view("/application-keys").size());
    if (request.path.ends_with("/certificates")) return "certificate";
    if (const auto at = request.path.find("/attestation/"); at != std::string::npos)
      return request.path.substr(at + std::string_view("/attestation/").size());
    if (request.path.find("/operations/") != std::string::npos) return "poll";
    return request.authorization.empty() ? "challenge" : "proof";
  }

  static constexpr std::string_view kBundlePath = "/api/v1/device/trust-bundle";
  std::vector<std::string> bundles;  // from the first
  std::vector<std::string> fetched, fetched_from_anybody;
  std::vector<Bytes> trusted_also;
  ClientIdentity* identity = nullptr;  // what a connection shows of the device
  Bytes shown;                         // on this connection: DER; empty: none
  // The code with which a certificate is refused; empty: it is taken.
  std::function<std::string(const Bytes& shown)> refuse_certificate;
  int unreachable = 0;
  int assigning = 1;  // polls that are answered "assigning"
  bool connected = false;
  std::map<std::string, HttpReply> instead;
  std::map<std::string, std::deque<HttpReply>> first;  // before `instead`
  std::vector<HttpRequest> requests;

  static std::string assigned(std::string_view hub = "hub.example", std::string_view device = "meter-1",
                              std::string_view id = "meter-1") {
    return std::string(R"({"operationId":"op-1","status":"assigned","registrationState":{"registrationId":")")
        .append(id)
        .append(R"(","assignedHub":")")
        .append(hub)
        .append(R"(","deviceId":")")
        .append(device)
        .append(R"(","status":"assigned","substatus":"initialAssignment","tpm":{"authenticationKey":"BAUG"}}})");
  }

 private:
  HttpReply bundle_at(const HttpRequest& request) const {
    const auto rest = std::string_view(request.path).substr(kBundlePath.size());
    const std::size_t version = rest.empty() ? bundles.size() : std::stoul(std::string(rest.substr(1)));
    if (version == 0 || version > bundles.size()) return reply(404, R"({"code":"trust.none"})");
    auto answer = reply(200, bundles[version - 1]);
    answer.etag = "\"" + std::to_string(version) + "\"";
    if (answer.etag == request.if_none_match) return reply(304);
    return answer;
  }
  HttpReply honest(const std::string& step) {
    if (step == "escrow-certificate") return reply(200, R"({"chain":["CQk=","CA=="]})");
    if (step == "challenge")
      return reply(401, R"({"message":"m","authenticationKey":"AQID","keyName":"registration"})");
    if (step == "escrow") return reply(204);
    auto answer = step == "poll" && assigning-- <= 0 ? reply(200, assigned())
                                                     : reply(202, R"({"operationId":"op-1","status":"assigning"})");
    if (answer.status == 202) answer.retry_after = std::chrono::seconds(3);
    return answer;
  }

  ServerCheck& check_;
};

}  // namespace warifu::agent::test
