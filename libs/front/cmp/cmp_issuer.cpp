#include "front/cmp/cmp_issuer.h"

#include <fmt/format.h>

namespace warifu::front::cmp_door {
namespace {

// A device attests every minute, unless it is told otherwise.
constexpr std::chrono::seconds kAskAgainAfter{30};

// What a secret is spent for begins so, and goes on with the key: a transactionID is the client's own choice, and must
// not buy a certificate for each key.
std::string use_of(ByteView transaction) {
  return fmt::format("cmp:{}:", to_hex(transaction));
}

Error not_its_own() {
  return refused("certificate.not-own", "a device revokes its own certificates, and no other's");
}

}  // namespace

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
  TRY(const auto client, client_of_certificate(signer));
  return fmt::format("{}/{}", client.scope.text(), client.registration.text());
}

Result<CmpIssuer::Client> CmpIssuer::client_of_secret(const std::string& reference,
                                                      const std::string& spent_for) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto found, office_.desk().find_secret(snapshot.device_ca(), reference, spent_for));
    client = Client{.scope = found.record.scope,
                    .registration = found.record.registration_id,
                    .secret = certificates::Spending{reference, spent_for}};
    return {};
  }));
  return *std::move(client);
}

Result<CmpIssuer::Client> CmpIssuer::client_of_certificate(const crypto::Certificate& certificate) const {
  std::optional<Client> client;
  TRY_STATUS(store_.read([&](store::Snapshot& snapshot) -> Status {
    TRY(const auto shown, office_.desk().authenticate(snapshot.device_ca(), certificate.to_der()));
    TRY_STATUS(applicants_.may_use(snapshot.provisioning(), shown));
    client = Client{.scope = shown.scope, .registration = shown.registration_id, .certificate = shown.serial};
    return {};
  }));
  return *std::move(client);
}

Result<cmp::Decision> CmpIssuer::issue(const cmp::Order& order) {
  auto public_key = order.key.spki();
  const std::string spent_for = use_of(order.transaction) + to_hex(device_ca::key_sha256_of(public_key));
  const auto* secret = std::get_if<cmp::BySecret>(&order.asker);
  TRY(auto client, secret != nullptr ? client_of_secret(secret->reference, spent_for)
                                     : client_of_certificate(std::get<cmp::ByCertificate>(order.asker).certificate));
  TRY_STATUS(certificates::check_requested_names(order.names, client.registration));
  const certificates::Request request{.client = std::move(client),
                                      .door = device_ca::Door::kCmp,
                                      .public_key = std::move(public_key),
                                      .must_confirm = true};
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

Status CmpIssuer::withdraw(ByteView, const crypto::Certificate& certificate) {
  TRY(const auto found, find(certificate));
  return store_.write([&](store::Transaction& transaction) {
    return office_.desk().withdraw(transaction.device_ca(), transaction.audit(), found.scope, found.serial, "rejected");
  });
}

Status CmpIssuer::revoke(const cmp::Asker& asker, const crypto::CmpRevocation& revocation, ByteView) {
  // Who knows a one-time secret has no certificate yet.
  const auto* signer = std::get_if<cmp::ByCertificate>(&asker);
  if (signer == nullptr) return not_its_own();
  TRY(const auto client, client_of_certificate(signer->certificate));
  TRY(const auto issuer, office_.issuer_certificate());
  if (!revocation.certificate.is_issued_by(issuer)) return not_its_own();
  return store_.write([&](store::Transaction& change) -> Status {
    TRY(const auto found, change.device_ca().find_certificate(client.scope, revocation.certificate.serial));
    if (!found || found->registration_id != client.registration) return not_its_own();
    // Without the one that is suspended it would get another.
    TRY(const bool is_held, change.device_ca().has_held(client.scope, client.registration));
    if (is_held)
      return refused("certificate.held", "a certificate of this device is suspended: its operator revokes, if anybody");
    const audit::Requester who{client.scope, fmt::format("device:{}", client.registration.text())};
    return office_.desk().revoke(change.device_ca(), change.audit(), who, found->serial, revocation.reason);
  });
}

Result<std::vector<crypto::Certificate>> CmpIssuer::ca_certificates() {
  return office_.ca_certificates();
}

}  // namespace warifu::front::cmp_door
