#include "warifu-tcb/settings.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "device_config/trusted_file.h"

namespace warifu::tcb_program {
namespace {

constexpr std::size_t kSmallFileMax = 64 * 1024;

Result<std::optional<tpm::Name>> parse_key_name(const std::string& text) {
  if (text.empty()) return std::optional<tpm::Name>();
  const auto bytes = from_hex(text);
  const auto name = bytes ? tpm::Name::parse(*bytes) : Result<tpm::Name>(bytes.error());
  if (name) return std::optional(*name);
  return invalid_input("config.ek_name",
                       fmt::format("--ek-name is the Name of a key in hexadecimal (000b and 64 digits for SHA-256): {}",
                                   name.error().message));
}

// Without the line end that editors leave.
Result<SecretBytes> read_auth(const std::optional<std::filesystem::path>& file) {
  if (!file) return SecretBytes();
  TRY(const SecretBytes content, device_config::read_trusted_secret(*file, kSmallFileMax));
  const auto end = as_text(content.reveal()).find_last_not_of("\r\n");
  return SecretBytes::copy_of(content.reveal().first(end == std::string_view::npos ? 0 : end + 1));
}

template <class Value>
Value either(const std::string& option, Value configured) {
  return option.empty() ? configured : Value(option);
}

}  // namespace

Result<Settings> Settings::from(const Options& options) {
  TRY(auto config, device_config::load(options.config));
  TRY(const std::string root_pem, device_config::read_trusted_file(config.server.root, kSmallFileMax));
  TRY(auto root, crypto::Certificate::from_pem(root_pem));
  TRY(auto ek_name, parse_key_name(options.ek_name));
  TRY(auto owner_auth, read_auth(config.tpm.owner_auth_file));
  TRY(auto endorsement_auth, read_auth(config.tpm.endorsement_auth_file));
  TRY(const auto agent, process::find_user(config.tcb.agent_user.text));
  std::optional<process::User> own_user;
  if (!options.user.empty()) {
    TRY(own_user, process::find_user(options.user));
  }
  return Settings{.server_name = config.server.url.host,
                  .root = std::move(root),
                  .id_scope = std::move(config.device.id_scope),
                  .registration_id = std::move(config.device.registration_id),
                  .state = either(options.state, config.tcb.state),
                  .socket = either(options.socket, config.tcb.socket),
                  .tcti = either(options.tcti, config.tcb.tcti),
                  .ek_template = config.tcb.ek_template,
                  .ek_name = ek_name,
                  .owner_auth = std::move(owner_auth),
                  .endorsement_auth = std::move(endorsement_auth),
                  .agent = agent,
                  .own_user = own_user,
                  .is_confined = !options.unconfined};
}

}  // namespace warifu::tcb_program
