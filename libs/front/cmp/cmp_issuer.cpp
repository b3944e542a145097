#include "front/cmp/cmp_issuer.h"

#include <fmt/format.h>

namespace warifu::front::cmp_door {
namespace {

// A device attests every minute, unless it is told otherwise.
constexpr std::chrono::seconds kAskAgainAfter{30};

std::string use_of(ByteView transaction) {
  return fmt::format("cmp:{}", to_hex(transaction));
}

Error not_its_own() {
  return refused("certificate.not-own", "a device revokes its own certificates, and no other's");
}

}  // namespace

void CmpIssuer::set_root(std::optional<crypto::Certificate> root) {
  const std::lock_guard lock(mutex_);
  root_ = std::move(root);
}

Result<SecretBytes> CmpIssuer::secret(std::string_view reference, ByteView transaction) {
  SecretBytes secret;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(auto found, office_.desk().find_secret(snapshot.device_ca(), reference, use_of(transaction)));
    secret = std::move(found.secret);
    return {};
  }));
  return secret;
}

Result<std::string> CmpIssuer::identify(const crypto::Certificate& signer, std::span<const crypto::Certificate>) {
  std::string name;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto shown, office_.desk().authenticate(snapshot.device_ca(), signer.to_der()));
    TRY_STATUS(applicants_.may_use(snapshot.provisioning(), shown.scope, shown.registration_id));
    name = fmt::format("{}/{}", shown.scope.text(), shown.registration_id.text());
    return {};
  }));
  return name;
}

Result<CmpIssuer::Client> CmpIssuer::client_of(const cmp::Asker& asker, const std::string& spent_for) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    auto& records = snapshot.device_ca();
    if (const auto* secret = std::get_if<cmp::BySecret>(&asker)) {
      TRY(const auto found, office_.desk().find_secret(records, secret->reference, spent_for));
      client = Client{found.record.scope, found.record.registration_id, secret->reference};
    } else {
      TRY(const auto shown,
          office_.desk().authenticate(records, std::get<cmp::ByCertificate>(asker).certificate.to_der()));
      client = Client{shown.scope, shown.registration_id};
    }
    return {};
  }));
  return *std::move(client);
}

Result<cmp::Decision> CmpIssuer::issue(const cmp::Order& order) {
  const std::string spent_for = use_of(order.transaction);
  TRY(const auto client, client_of(order.asker, spent_for));
  TRY_STATUS(certificates::check_requested_names(order.names, client.registration));
  certificates::Request request{.scope = client.scope,
                                .registration = client.registration,
                                .door = device_ca::Door::kCmp,
                                .public_key = order.key.spki(),
                                .must_confirm = true};
  if (!client.reference.empty())
    request.settle = [&](store::Transaction& transaction) {
      return office_.desk().spend(transaction.device_ca(), transaction.audit(), client.reference, spent_for);
    };
  const auto issued = office_.issue(request);
  if (!issued && certificates::is_pending(issued.error())) return cmp::Decision(cmp::Wait{kAskAgainAfter});
  if (!issued) return issued.error();
  TRY(auto certificate, crypto::Certificate::from_der(issued->certificate.certificate));
  TRY(auto issuer, office_.issuer_certificate());
  cmp::Issued answer{std::move(certificate), {}};
  answer.chain.push_back(std::move(issuer));
  return cmp::Decision(std::move(answer));
}

Result<device_ca::DeviceCertificate> CmpIssuer::find(const crypto::Certificate& certificate) const {
  std::optional<device_ca::DeviceCertificate> found;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(found, office_.desk().recognise(snapshot.device_ca(), certificate.to_der()));
    return {};
  }));
  return *std::move(found);
}

Status CmpIssuer::confirm(ByteView, const crypto::Certificate& certificate) {
  TRY(const auto found, find(certificate));
  return store_.write([&](store::Transaction& transaction) {
    return office_.desk().confirm(transaction.device_ca(), transaction.audit(), found.scope, found.serial);
  });
}

Status CmpIssuer::withdraw(ByteView, const crypto::Certificate& certificate, cmp::Withdrawal why) {
  TRY(const auto found, find(certificate));
  // One that was confirmed before, and was given again to a client that lost the answer, stays what it is.
  if (!found.confirm_by && why == cmp::Withdrawal::kNotConfirmed) return {};
  return store_.write([&](store::Transaction& transaction) {
    return office_.desk().withdraw(transaction.device_ca(), transaction.audit(), found.scope, found.serial,
                                   why == cmp::Withdrawal::kRejected ? "rejected" : "not confirmed");
  });
}

Status CmpIssuer::revoke(const cmp::Asker& asker, const crypto::CmpRevocation& revocation, ByteView transaction) {
  // Who knows a one-time secret has no certificate yet.
  if (std::holds_alternative<cmp::BySecret>(asker)) return not_its_own();
  TRY(const auto client, client_of(asker, use_of(transaction)));
  TRY(const auto issuer, office_.issuer_certificate());
  if (!revocation.certificate.is_issued_by(issuer)) return not_its_own();
  return store_.write([&](store::Transaction& change) -> Status {
    TRY(const auto found, change.device_ca().find_certificate(client.scope, revocation.certificate.serial));
    if (!found || found->registration_id != client.registration) return not_its_own();
    const audit::Requester who{client.scope, fmt::format("device:{}", client.registration.text())};
    return office_.desk().revoke(change.device_ca(), change.audit(), who, found->serial, revocation.reason);
  });
}

Result<std::vector<crypto::Certificate>> CmpIssuer::ca_certificates() {
  TRY(auto issuer, office_.issuer_certificate());
  std::vector<crypto::Certificate> all;
  all.push_back(std::move(issuer));
  const std::lock_guard lock(mutex_);
  if (root_) all.push_back(root_->clone());
  return all;
}

}  // namespace warifu::front::cmp_door
