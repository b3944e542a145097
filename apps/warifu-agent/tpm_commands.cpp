#include <fmt/format.h>

#include "keystore/files.h"
#include "tcb_protocol/limits.h"
#include "warifu-agent/device.h"
#include "warifu-agent/output.h"
#include "wire/json.h"

namespace warifu::agent_app {
namespace {

constexpr std::string_view kWhatIsLost =
    "TPM2_Clear ends this device's identity: the key for its hub, everything that was sealed, and all keys of the "
    "owner are gone for good. The endorsement key stays, so that the device can be provisioned anew. Say --yes if "
    "that is what you want";

std::string_view without_white_space_at_its_end(std::string_view text) {
  const auto last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

// Hexadecimal, alone or as "auth" of what `warifud escrow open` prints. An empty file is an empty value.
Result<SecretBytes> read_lockout_auth(const std::string& file) {
  TRY(const auto content, keystore::read_secret_file(file));
  std::string hex(without_white_space_at_its_end(as_text(content.reveal())));
  if (hex.starts_with('{')) {
    TRY(const auto value, wire::parse_json(hex));
    TRY(const auto fields, wire::JsonFields::of(value));
    wipe(hex);
    TRY(hex, fields.required_string("auth"));
  }
  auto bytes = from_hex(hex);
  wipe(hex);
  if (!bytes || bytes->size() > tcb_protocol::kAuthMax)
    return invalid_input(
        "lockout_auth.form",
        fmt::format("expected hexadecimal digits of at most {} bytes, or what `warifud escrow open` prints",
                    tcb_protocol::kAuthMax),
        file);
  return SecretBytes(*std::move(bytes));
}

std::string firmware(std::uint64_t version) {
  // TPM_PT_FIRMWARE_VERSION_1 and _2: vendors show them as four numbers.
  return fmt::format("{}.{}.{}.{}", version >> 48, version >> 32 & 0xFFFF, version >> 16 & 0xFFFF, version & 0xFFFF);
}

boost::json::object to_record(const tcb_protocol::TpmStatus::Answer& status) {
  return {{"manufacturer", status.manufacturer},
          {"model", status.model},
          {"firmware_version", firmware(status.firmware_version)},
          {"specification", fmt::format("2.0 revision {}.{:02}", status.specification_revision / 100,
                                        status.specification_revision % 100)},
          {"registration_id", status.registration_id},
          {"ek_name", to_hex(status.ek_name)},
          {"has_ek_certificate", status.has_ek_certificate},
          {"owner_auth_set", status.owner_auth_set},
          {"endorsement_auth_set", status.endorsement_auth_set},
          {"lockout_auth_set", status.lockout_auth_set},
          {"has_escrow", status.has_escrow},
          {"escrow_delivered", status.escrow_delivered},
          {"clear_disabled", status.clear_disabled},
          {"in_lockout", status.in_lockout},
          {"lockout_counter", status.lockout_counter},
          {"max_tries", status.max_tries},
          {"recovery_seconds", status.recovery_seconds},
          {"lockout_recovery_seconds", status.lockout_recovery_seconds},
          {"orderly", status.orderly}};
}

}  // namespace

Status show_tpm(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY(const auto status, device->ask(tcb_protocol::TpmStatus{}));
  print(context, to_record(status));
  return {};
}

Status print_ek(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY(const auto status, device->ask(tcb_protocol::TpmStatus{}));
  const std::string ek = to_base64(status.ek_public);
  if (context.json)
    print(context,
          {{"registration_id", status.registration_id}, {"ek_name", to_hex(status.ek_name)}, {"ek_public", ek}});
  else
    fmt::print("{}\n", ek);
  return {};
}

Status own_tpm(const Context& context) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY(auto chain, device->meet_server());
  if (chain.empty())
    return Error{ErrorKind::kRefused, "escrow.none",
                 "there is no organisation that keeps the lockout password, so none is set"};
  TRY(const auto before, tcb_protocol::call(device->outside().tcb, tcb_protocol::TpmStatus{}));
  TRY_STATUS(tcb_protocol::call(device->outside().tcb, tcb_protocol::Own{std::move(chain)}));
  fmt::print(stderr, "the TPM's lockout password {}; only the organisation can open it\n",
             before.lockout_auth_set ? "is set already" : "was set");
  // Needs the device's identity: before it is provisioned, that comes with the provisioning.
  agent::Care(device->outside()).deliver();
  return {};
}

Status clear_tpm(const Context& context, const std::string& lockout_auth_file, bool yes) {
  if (!yes) return invalid_input("tpm.clear.unsure", std::string(kWhatIsLost), "--yes");
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY(auto auth, read_lockout_auth(lockout_auth_file));
  TRY_STATUS(tcb_protocol::call(device->outside().tcb, tcb_protocol::Clear{std::move(auth)}));
  fmt::print(stderr, "the TPM was cleared; the device can be provisioned anew\n");
  return {};
}

Status reset_lockout(const Context& context, const std::string& lockout_auth_file) {
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  TRY(auto auth, read_lockout_auth(lockout_auth_file));
  TRY_STATUS(tcb_protocol::call(device->outside().tcb, tcb_protocol::ResetLockout{std::move(auth)}));
  fmt::print(stderr, "the TPM's counter of wrong passwords is zero again\n");
  return {};
}

}  // namespace warifu::agent_app
