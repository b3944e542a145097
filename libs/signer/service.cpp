#include "signer/service.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "signer/entries.h"
#include "signer_protocol/codec.h"

namespace warifu::signer {
namespace {

namespace json = boost::json;
using pki::Role;

Status require_administrator(const Caller& caller) {
  if (caller.is_administrator) return {};
  return refused("signer.denied", "only root and the signer's own user may ask for this");
}

Status check_lifetime(const NodeRules& rules, std::uint64_t lifetime_seconds) {
  const auto most = static_cast<std::uint64_t>(rules.lifetime_max.count());
  if (lifetime_seconds >= 1 && lifetime_seconds <= most) return {};
  return refused("signer.lifetime",
                 fmt::format("a server's certificate lives for 1 to {} seconds, not {}", most, lifetime_seconds));
}

}  // namespace

Service::Service(const Surroundings& surroundings, NodeRules nodes, DeviceRules devices)
    : world_(surroundings),
      rules_(std::move(nodes)),
      device_rules_(devices),
      node_budget_(rules_.certificates_a_day, std::chrono::days(1), surroundings.monotonic),
      device_budget_(device_rules_.certificates_a_day, std::chrono::days(1), surroundings.monotonic),
      responder_budget_(device_rules_.responders_a_day, std::chrono::days(1), surroundings.monotonic) {
}

SecretBytes Service::answer(const Caller& caller, ByteView request_frame) {
  return signer_protocol::answer(request_frame, [&](const auto& request) {
    auto answer = handle(caller, request);
    if (!answer)
      world_.journal.tell(
          fmt::format("refused uid={}: {} [{}]", caller.user, to_string(answer.error()), answer.error().code));
    return answer;
  });
}

Result<pki::Authority> Service::authority(Role role) {
  const auto found = world_.organisation.roles.find(role);
  if (found == world_.organisation.roles.end())
    return Error{ErrorKind::kNotFound, "signer.role",
                 fmt::format("this signer has no certificate of the role {}", to_string(role))};
  TRY(auto key, world_.keys.signer(role));
  return pki::Authority{found->second.clone(), std::move(key)};
}

Status Service::note(const Caller& caller, std::string_view action, const json::object& entry) {
  json::object line{{"at", to_rfc3339(world_.clock.now())}, {"uid", caller.user}, {"action", action}};
  line.insert(entry.begin(), entry.end());
  return world_.journal.add(std::move(line));
}

Result<signer_protocol::Organisation::Answer> Service::handle(const Caller&, const signer_protocol::Organisation&) {
  signer_protocol::Organisation::Answer answer;
  answer.name = world_.organisation.name;
  answer.root = world_.organisation.root.to_der();
  for (const auto& [role, certificate] : world_.organisation.roles) {
    answer.roles.emplace_back(to_string(role));
    answer.certificates.push_back(certificate.to_der());
  }
  return answer;
}

Result<signer_protocol::CertifyNode::Answer> Service::handle(const Caller& caller,
                                                             const signer_protocol::CertifyNode& request) {
  TRY_STATUS(require_server(caller));
  TRY(const auto names, pki::ServerNames::parse(request.names));
  TRY_STATUS(check_names(rules_, request.names));
  TRY_STATUS(check_lifetime(rules_, request.lifetime_seconds));
  TRY(const auto key, crypto::PublicKey::from_spki(request.public_key));
  TRY(const auto issuer, authority(Role::kServerCommunication));
  if (const auto wait = node_budget_.take())
    return Error{ErrorKind::kThrottled, "signer.budget",
                 fmt::format("{} certificates of servers a day, and no more; the next one in {} s",
                             rules_.certificates_a_day, wait->count())};
  const auto lifetime = std::chrono::seconds(request.lifetime_seconds);
  TRY(const auto certificate, pki::certify_node(names, key, issuer, lifetime, world_.clock, world_.entropy));
  auto der = certificate.to_der();
  TRY_STATUS(note(caller, "node.certify",
                  {{"role", to_string(Role::kServerCommunication)},
                   {"serial", to_hex(certificate.serial())},
                   {"names", json::array(request.names.begin(), request.names.end())},
                   {"not_after", to_rfc3339(certificate.not_after())},
                   {"sha256", sha256_of(der)}}));
  return signer_protocol::CertifyNode::Answer{std::move(der)};
}

Result<signer_protocol::OpenEscrow::Answer> Service::handle(const Caller& caller,
                                                            const signer_protocol::OpenEscrow& request) {
  TRY_STATUS(require_administrator(caller));
  TRY(auto content, world_.keys.open_escrow(request.package));
  // First: who has seen it is known, whatever happens to the answer.
  TRY_STATUS(note(caller, "escrow.open", {{"role", to_string(Role::kEscrow)}, {"sha256", sha256_of(request.package)}}));
  return signer_protocol::OpenEscrow::Answer{std::move(content)};
}

}  // namespace warifu::signer
