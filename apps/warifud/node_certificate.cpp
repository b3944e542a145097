#include "warifud/node_certificate.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "signer_protocol/codec.h"

namespace warifu::warifud {
namespace {

Status record_renewal(store::Store& store, const crypto::Certificate& renewed) {
  return store.write([&](store::Transaction& transaction) -> Status {
    TRY(const auto scopes, transaction.provisioning().list_scopes());
    if (scopes.empty()) return Error{ErrorKind::kNotFound, "scope.none", "the database holds no organisation"};
    for (const ScopeId& scope : scopes)
      TRY_STATUS(
          transaction.audit().record(scope, {"system", "certificate.renew", "node:" + renewed.common_name(),
                                             fmt::format(R"({{"serial":"{}","not_after":"{}"}})",
                                                         to_hex(renewed.serial()), to_rfc3339(renewed.not_after()))}));
    return {};
  });
}

// As they were given: the common name first.
std::vector<std::string> names_in(const crypto::Certificate& certificate) {
  const auto names = pki::ServerNames::of(certificate);
  std::vector<std::string> all{names.primary};
  for (const auto& some : {names.dns_names, names.ip_addresses})
    std::ranges::copy_if(some, std::back_inserter(all), [&](const std::string& name) { return name != names.primary; });
  return all;
}

Result<SignersWord> ask_own(frames::Channel& signer, const keystore::DataDir& data_dir) {
  TRY(auto word, SignersWord::ask(signer));
  TRY(const auto root, data_dir.read_trust_root());
  if (word.root.to_der() == root.to_der()) return word;
  return refused("signer.root",
                 fmt::format("the signer is of \"{}\", whose root is not the one in {} (after a rotation of "
                             "the root: warifud trust install)",
                             word.organisation, data_dir.trust_root().string()));
}

}  // namespace

Status check_signer(const Organisation& organisation, frames::Channel& signer) {
  TRY_STATUS(ask_own(signer, organisation.data_dir));
  return {};
}

Result<SignersWord> SignersWord::ask(frames::Channel& signer) {
  TRY(auto answer, signer_protocol::call(signer, signer_protocol::Organisation{}));
  TRY(auto root, crypto::Certificate::from_der(answer.root));
  SignersWord word{std::move(answer.name), std::move(root), {}};
  for (std::size_t i = 0; i < std::min(answer.roles.size(), answer.certificates.size()); ++i) {
    TRY(const auto role, pki::parse_role(answer.roles[i]));
    TRY(auto certificate, crypto::Certificate::from_der(answer.certificates[i]));
    word.roles.emplace_back(role, std::move(certificate));
  }
  return word;
}

Result<const crypto::Certificate*> SignersWord::certificate_of(pki::Role role) const {
  const auto found = std::ranges::find(roles, role, [](const auto& entry) { return entry.first; });
  if (found != roles.end()) return &found->second;
  return Error{ErrorKind::kNotFound, "signer.role",
               fmt::format("the signer has no certificate of the role {}", to_string(role))};
}

Result<NodeCertificate> NodeCertificate::make(frames::Channel& signer, const SignersWord& word,
                                              const std::vector<std::string>& names, std::chrono::seconds lifetime) {
  TRY(const auto* issuer, word.certificate_of(pki::Role::kServerCommunication));
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  TRY(const auto answer,
      signer_protocol::call(signer, signer_protocol::CertifyNode{names, key.public_key().spki(),
                                                                 static_cast<std::uint64_t>(lifetime.count())}));
  TRY(auto leaf, crypto::Certificate::from_der(answer.certificate));
  TRY(const auto certified, leaf.public_key());
  if (certified != key.public_key() || !leaf.issued_by(*issuer) || !issuer->issued_by(word.root))
    return refused("signer.answer", "the signer certified something else than it was asked for");
  return NodeCertificate{std::move(key), std::move(leaf), issuer->clone()};
}

Status write_roles(const keystore::DataDir& data_dir, const SignersWord& word) {
  for (const auto& [role, certificate] : word.roles)
    TRY_STATUS(data_dir.write_role_certificate(to_string(role), certificate));
  return {};
}

Status renew_node(const Organisation& organisation, store::Store& store, frames::Channel& signer,
                  const std::vector<std::string>& names, std::chrono::seconds lifetime, Outside& outside) {
  const auto& data_dir = organisation.data_dir;
  TRY(const auto chain, data_dir.read_node_chain());
  TRY(const auto word, ask_own(signer, data_dir));
  TRY(const auto made, NodeCertificate::make(signer, word, names.empty() ? names_in(chain.front()) : names, lifetime));
  // First, so that no certificate is ever in service that the audit log does not know.
  TRY_STATUS(record_renewal(store, made.leaf));
  TRY_STATUS(write_roles(data_dir, word));
  TRY_STATUS(
      data_dir.write_node(made.leaf, made.issuer, made.key, organisation.master_key.key_passphrase(), outside.entropy));
  spdlog::info("certificate of {} renewed until {}", made.leaf.common_name(), to_rfc3339(made.leaf.not_after()));
  return {};
}

}  // namespace warifu::warifud
