#include "provisioning/escrow_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "provisioning/sealed_keys.h"
#include "provisioning/statement.h"

namespace warifu::provisioning {
namespace {

constexpr std::string_view kKeyName = "device";

Error not_signed() {
  return {ErrorKind::kUnauthenticated, "token.signature",
          "the token is not signed for this package by the hub key of a device that is assigned here: provision first"};
}

std::string hex_sha256(ByteView bytes) {
  return to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {bytes}).bytes());
}

std::string subject_of(const DeviceId& device) {
  return fmt::format("device:{}", device.text());
}

// The device, if it stands on an enrollment or group that stands. One that was removed takes with it what was proved
// under it. A disabled one does not: its device may be the one whose TPM the operator has to take back.
Result<std::optional<Device>> find_enrolled_device(RecordsView& records, const ScopeId& scope,
                                                   const RegistrationId& registration) {
  TRY(auto device, records.find_device_of(scope, registration));
  // Without a hub key of ours there is nothing that signs a deposit.
  if (!device || device->sealed_hub_key.empty()) return std::optional<Device>();
  TRY(const auto statement, find_statement(records, scope, registration, device->group, device->enrollment_id));
  return statement ? std::move(device) : std::optional<Device>();
}

}  // namespace

Result<SignedPackage> EscrowDesk::verify(RecordsView& records, Claim claim) const {
  const SasToken& token = claim.token;
  TRY_STATUS(check_expiry(token, clock_.now()));
  if (token.key_name != kKeyName)
    return Error{ErrorKind::kUnauthenticated, "token.key_name", "this request needs a token with skn=device", "skn"};
  TRY(const auto subject, deposit_subject_of(token));
  if (subject.package_sha256 != hex_sha256(claim.package)) return not_signed();
  TRY(auto device, find_enrolled_device(records, subject.scope, subject.registration));
  if (!device) return not_signed();
  TRY(const auto hub_key, open_hub_key(envelope_key_, subject.scope, device->device_id, device->sealed_hub_key));
  if (!is_signed_by(token, hub_key)) return not_signed();
  TRY_STATUS(may(device->standing, lifecycle::Action::kDepositEscrow));
  TRY(auto package, EscrowPackage::parse(std::move(claim.package)));
  return SignedPackage(*std::move(device), std::move(package));
}

Result<bool> EscrowDesk::has(RecordsView& records, const SignedPackage& proven) const {
  TRY(const auto deposits, records.list_escrow_deposits(proven.device_.scope, proven.device_.device_id));
  if (std::ranges::find(deposits, proven.package_.sha256(), &EscrowDeposit::sha256) != deposits.end()) return true;
  if (deposits.size() >= kDepositsPerDeviceMax)
    return Error{ErrorKind::kConflict, "escrow.full",
                 fmt::format("{} packages of this device are kept, and none is replaced: its operator must look at why "
                             "its TPM needs so many",
                             deposits.size())};
  return false;
}

Status EscrowDesk::deposit(Records& records, audit::Trail& trail, const SignedPackage& proven) const {
  const ScopeId& scope = proven.device_.scope;
  const DeviceId& device_id = proven.device_.device_id;
  TRY(const auto device, find_enrolled_device(records, scope, proven.device_.registration_id));
  // Each assignment makes another hub key.
  if (!device || device->operation_id != proven.device_.operation_id) return not_signed();
  TRY_STATUS(may(device->standing, lifecycle::Action::kDepositEscrow));
  TRY(const bool is_there, has(records, proven));
  if (is_there) return {};

  TRY(const auto deposits, records.list_escrow_deposits(scope, device_id));
  const auto number = static_cast<std::uint32_t>(deposits.size() + 1);
  const Bytes sha256 = proven.package_.sha256();
  TRY_STATUS(records.insert_escrow_deposit(
      {scope, device_id, number, sha256, device->ek_name, to_bytes(proven.package_.der()), clock_.now()}));
  return trail.record(scope, {subject_of(device_id), "escrow.deposit", subject_of(device_id),
                              fmt::format(R"({{"number":{},"sha256":"{}"}})", number, to_hex(sha256))});
}

Result<std::vector<EscrowDeposit>> EscrowDesk::reveal(Records& records, audit::Trail& trail, const ScopeId& scope,
                                                      const std::string& actor, const DeviceId& device_id) const {
  TRY(const auto device, records.find_device(scope, device_id));
  if (!device)
    return Error{ErrorKind::kNotFound, "device.unknown",
                 fmt::format("no device {} has registered here", device_id.text())};
  TRY(auto deposits, records.list_escrow_deposits(scope, device_id));
  TRY_STATUS(trail.record(
      scope, {actor, "escrow.read", subject_of(device_id), fmt::format(R"({{"packages":{}}})", deposits.size())}));
  return deposits;
}

}  // namespace warifu::provisioning
