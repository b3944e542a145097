#include <fmt/format.h>

#include <boost/json/value.hpp>
#include <cstring>

#include "agent/care.h"
#include "keystore/files.h"
#include "process/privileges.h"
#include "tcb_protocol/codec.h"
#include "tcb_protocol/limits.h"
#include "warifu-agent/device.h"
#include "warifu-agent/local_device.h"
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

// The text of one member, which is wiped in `value`.
Result<SecretBytes> take_text(boost::json::value& value, std::string_view name) {
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY(auto text, fields.required_string(name));
  auto secret = SecretBytes::copy_of(as_bytes(text));
  wipe(text);
  auto& member = value.as_object()[name].as_string();
  explicit_bzero(member.data(), member.size());
  return secret;
}

Result<SecretBytes> hex_of(std::string_view content) {
  if (!content.starts_with('{')) return SecretBytes::copy_of(as_bytes(content));
  TRY(auto value, wire::parse_json(content));
  return take_text(value, "auth");
}

// Hexadecimal, alone or as "auth" of what `warifud escrow open` prints. An empty file is an empty value.
Result<SecretBytes> read_lockout_auth(const std::string& file) {
  TRY(const auto content, keystore::read_secret_file(file));
  TRY(const auto hex, hex_of(without_white_space_at_its_end(as_text(content.reveal()))));
  auto bytes = from_hex(as_text(hex.reveal()));
  if (bytes && bytes->size() > tcb_protocol::kAuthMax) wipe(*bytes);
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

// Root is told without a server, and this is no reason for it to have one.
Result<tcb_protocol::TpmStatus::Answer> read_status(const Context& context) {
  TRY(auto local, LocalDevice::open(context));
  auto status = local.ask(tcb_protocol::TpmStatus{});
  if (status || status.error().code != "tcb.server.unverified" || process::runs_as_root()) return status;
  TRY(const auto device, Device::open(context, Device::Tells::kNotes));
  return device->ask(tcb_protocol::TpmStatus{});
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
  TRY(const auto status, read_status(context));
  print(context, to_record(status));
  return {};
}

Status print_ek(const Context& context) {
  TRY(const auto status, read_status(context));
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
  TRY(auto device, LocalDevice::open(context));
  TRY(auto auth, read_lockout_auth(lockout_auth_file));
  TRY_STATUS(device.ask(tcb_protocol::Clear{std::move(auth)}));
  fmt::print(stderr, "the TPM was cleared; the device can be provisioned anew\n");
  return {};
}

Status reset_lockout(const Context& context, const std::string& lockout_auth_file) {
  TRY(auto device, LocalDevice::open(context));
  TRY(auto auth, read_lockout_auth(lockout_auth_file));
  TRY_STATUS(device.ask(tcb_protocol::ResetLockout{std::move(auth)}));
  fmt::print(stderr, "the TPM's counter of wrong passwords is zero again\n");
  return {};
}

}  // namespace warifu::agent_app
