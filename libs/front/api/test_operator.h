#pragma once

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include <string>
#include <utility>

#include "front/test_server.h"
#include "tpm_types/storage_key.h"

// For the tests of this folder: an operator with a token.
namespace warifu::front::test {

class Operator {
 public:
  explicit Operator(Server& server, operators::Permissions permissions = operators::Permissions::all(),
                    const ScopeId& scope = scope_id())
      : server_(server), token_(server.access_token(permissions, operators::kAccessLifetimeDefault, scope).value()) {}

  net::HttpResponse ask(net::Method method, std::string target, std::string body = {},
                        net::Headers headers = {}) const {
    net::HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.headers.emplace_back("Authorization", "Bearer " + token_);
    request.body = std::move(body);
    request.peer_address = "192.0.2.8";
    return server_.operator_asks(std::move(request));
  }
  net::HttpResponse get(std::string target) const { return ask(net::Method::kGet, std::move(target)); }
  net::HttpResponse post(std::string target, std::string body = {}) const {
    return ask(net::Method::kPost, std::move(target), std::move(body));
  }
  net::HttpResponse put(std::string target, std::string body, net::Headers headers = {}) const {
    return ask(net::Method::kPut, std::move(target), std::move(body), std::move(headers));
  }
  net::HttpResponse remove(std::string target, net::Headers headers = {}) const {
    return ask(net::Method::kDelete, std::move(target), {}, std::move(headers));
  }
  // What is sent about a wish: the names that the list shows of it, or those of nobody's keys.
  std::string approval_keys(const std::string& id) const {
    std::string ek = "000b" + std::string(64, '0');
    std::string srk = ek;
    const auto listed = boost::json::parse(get("/api/v1/approvals").body);
    for (const auto& item : listed.at("items").as_array()) {
      if (item.at("registration_id").as_string() != std::string_view(id)) continue;
      ek = std::string(item.at("ek_name").as_string());
      srk = std::string(item.at("srk_name").as_string());
    }
    return fmt::format(R"({{"ek_name":"{}","srk_name":"{}"}})", ek, srk);
  }
  // "approve" or "reject", on what the list shows now.
  net::HttpResponse decide(const std::string& verb, const std::string& id) const {
    return post("/api/v1/approvals/" + id + "/" + verb, approval_keys(id));
  }

 private:
  Server& server_;
  std::string token_;
};

// Bodies; `more` are further members, each with a comma before it.
inline std::string tpm_enrollment(const std::string& id, const tpm::EkPublic& ek, const std::string& more = {}) {
  return fmt::format(R"({{"registration_id":"{}","attestation":{{"type":"tpm","tpm":{{"endorsement_key":"{}"}}}}{}}})",
                     id, to_base64(ek.tpm2b()), more);
}
inline std::string key_enrollment(const std::string& id, const std::string& more = {}) {
  return fmt::format(R"({{"registration_id":"{}","attestation":{{"type":"symmetric-key"}}{}}})", id, more);
}
inline std::string tpm_group(const std::string& id, const std::string& naming, const std::string& more = {}) {
  return fmt::format(R"({{"group_id":"{}","attestation":{{"type":"tpm","tpm":{{"naming":"{}"}}}}{}}})", id, naming,
                     more);
}
// `authorities` are fingerprints in hexadecimal.
inline std::string authority_group(const std::string& id, const std::string& naming,
                                   const std::vector<std::string>& authorities, bool approve_uncertified = false,
                                   const std::string& more = {}) {
  std::string list;
  for (const auto& authority : authorities)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", authority);
  return fmt::format(
      R"({{"group_id":"{}","attestation":{{"type":"tpm","tpm":{{"naming":"{}","ek_authorities":[{}],"approve_uncertified":{}}}}}{}}})",
      id, naming, list, approve_uncertified, more);
}
inline std::string key_group(const std::string& id, const std::string& more = {}) {
  return fmt::format(R"({{"group_id":"{}","attestation":{{"type":"symmetric-key"}}{}}})", id, more);
}
inline std::string ek_list(const std::vector<const tpm::EkPublic*>& eks) {
  std::string list;
  for (const auto* ek : eks)
    list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", to_base64(ek->tpm2b()));
  return fmt::format(R"({{"eks":[{}]}})", list);
}

}  // namespace warifu::front::test
