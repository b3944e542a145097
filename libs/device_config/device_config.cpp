#include "device_config/device_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/place.h"
#include "device_config/toml_text.h"
#include "device_config/trusted_file.h"

namespace warifu::device_config {
namespace {

constexpr std::size_t kPathSizeMax = 4095;
constexpr std::size_t kSocketPathSizeMax = 107;  // sockaddr_un, with its terminating zero
constexpr std::size_t kTctiSizeMax = 1024;
constexpr std::size_t kUserNameSizeMax = 32;

// One table of the file, there or not.
class Section {
 public:
  Section(std::string_view name, const Table* table) : name_(name), table_(table) {}

  std::string path_of(std::string_view key) const { return fmt::format("{}.{}", name_, key); }
  std::string line_of_key(std::string_view key) const {
    const Setting* setting = table_ == nullptr ? nullptr : table_->find(key);
    return setting == nullptr ? std::string() : fmt::format("line {}", setting->line);
  }

  // The keys that it may have.
  template <std::size_t N>
  Status allow(const std::array<std::string_view, N>& keys) const {
    if (table_ == nullptr) return {};
    for (const Setting& setting : table_->settings)
      if (std::ranges::find(keys, setting.key) == keys.end())
        return invalid_input("config.unknown", fmt::format("there is no setting \"{}\"", path_of(setting.key)),
                             fmt::format("line {}", setting.line));
    return {};
  }

  // An empty text says the same as none.
  std::optional<std::string> text(std::string_view key) const {
    const Setting* setting = table_ == nullptr ? nullptr : table_->find(key);
    if (setting == nullptr || setting->value.empty()) return std::nullopt;
    return setting->value;
  }
  Result<std::string> required(std::string_view key) const {
    if (auto value = text(key)) return *std::move(value);
    return invalid_input("config.missing", fmt::format("the setting \"{}\" must be given", path_of(key)),
                         line_of_key(key));
  }
  // What `parse` makes of the text, its error with setting and line; nullopt without the text.
  template <class Parse>
  auto parsed(std::string_view key, Parse parse) const
      -> Result<std::optional<typename decltype(parse(std::string()))::value_type>> {
    const auto value = text(key);
    if (!value) return {std::nullopt};
    auto result = parse(*value);
    if (result) return {*std::move(result)};
    Error error = std::move(result).error();
    error.message = fmt::format("{}: {}", path_of(key), error.message);
    error.where = line_of_key(key);
    return error;
  }
  template <class Value, class Parse>
  Status replace(Value& value, std::string_view key, Parse parse) const {
    TRY(auto given, parsed(key, parse));
    if (given) value = *std::move(given);
    return {};
  }

 private:
  std::string_view name_;
  const Table* table_;
};

Result<std::string> printable(const std::string& text, std::size_t size_max) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.size() > size_max || std::ranges::any_of(text, is_control))
    return invalid_input("config.value", fmt::format("it has at most {} bytes and no control character", size_max));
  return text;
}

// A relative one would mean another file after each change of the working directory.
Result<std::filesystem::path> absolute_path(const std::string& text) {
  if (!text.starts_with('/') || !printable(text, kPathSizeMax))
    return invalid_input("config.path",
                         fmt::format("\"{}\" is not the full path of a file, like /etc/warifu/root.pem", text));
  return std::filesystem::path(text);
}

Result<std::filesystem::path> socket_path(const std::string& text) {
  TRY(auto path, absolute_path(text));
  if (text.size() > kSocketPathSizeMax)
    return invalid_input("config.path", fmt::format("the path of a socket has at most {} bytes", kSocketPathSizeMax));
  return path;
}

Result<std::string> tcti(const std::string& text) {
  return printable(text, kTctiSizeMax);
}

Result<UserName> user_name(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  if (text.size() > kUserNameSizeMax || text.front() == '-' || !std::ranges::all_of(text, allowed))
    return invalid_input("config.value", fmt::format("\"{}\" is no name of a user and no uid", text));
  return UserName{text};
}

Result<EkTemplate> ek_template(const std::string& text) {
  for (const auto known : {EkTemplate::kTcg, EkTemplate::kDps})
    if (text == to_string(known)) return known;
  return invalid_input("config.value", fmt::format("the EK template is \"tcg\" or \"dps\", not \"{}\"", text));
}

Result<ServerConfig> read_server(const Section& section) {
  TRY_STATUS(section.allow(std::array<std::string_view, 2>{"url", "root"}));
  TRY_STATUS(section.required("url"));
  TRY_STATUS(section.required("root"));
  ServerConfig server;
  TRY_STATUS(section.replace(server.url, "url", [](const std::string& text) { return ServerUrl::parse(text); }));
  TRY_STATUS(section.replace(server.root, "root", absolute_path));
  return server;
}

Result<IdentityConfig> read_device(const Section& section) {
  TRY_STATUS(section.allow(std::array<std::string_view, 2>{"id_scope", "registration_id"}));
  TRY_STATUS(section.required("id_scope"));
  TRY(auto scope, section.parsed("id_scope", [](const std::string& text) { return ScopeId::parse(text); }));
  TRY(auto id, section.parsed("registration_id", [](const std::string& text) { return RegistrationId::parse(text); }));
  return IdentityConfig{*std::move(scope), std::move(id)};
}

Result<AgentConfig> read_agent(const Section& section) {
  TRY_STATUS(section.allow(std::array<std::string_view, 2>{"state", "check_every"}));
  AgentConfig agent;
  TRY_STATUS(section.replace(agent.state, "state", absolute_path));
  TRY_STATUS(
      section.replace(agent.check_every, "check_every", [](const std::string& text) { return parse_duration(text); }));
  return agent;
}

Result<TcbConfig> read_tcb(const Section& section) {
  TRY_STATUS(section.allow(std::array<std::string_view, 5>{"socket", "state", "tcti", "agent_user", "ek_template"}));
  TcbConfig tcb;
  TRY_STATUS(section.replace(tcb.socket, "socket", socket_path));
  TRY_STATUS(section.replace(tcb.state, "state", absolute_path));
  TRY_STATUS(section.replace(tcb.tcti, "tcti", tcti));
  TRY_STATUS(section.replace(tcb.agent_user, "agent_user", user_name));
  TRY_STATUS(section.replace(tcb.ek_template, "ek_template", ek_template));
  return tcb;
}

Result<TpmConfig> read_tpm(const Section& section) {
  TRY_STATUS(section.allow(std::array<std::string_view, 2>{"owner_auth_file", "endorsement_auth_file"}));
  TpmConfig tpm;
  TRY_STATUS(section.replace(tpm.owner_auth_file, "owner_auth_file", absolute_path));
  TRY_STATUS(section.replace(tpm.endorsement_auth_file, "endorsement_auth_file", absolute_path));
  return tpm;
}

Result<AttestationConfig> read_attestation(const Section& section) {
  TRY_STATUS(
      section.allow(std::array<std::string_view, 5>{"event_log", "ima_list", "userspace_log", "boot_id", "null_name"}));
  AttestationConfig attestation;
  TRY_STATUS(section.replace(attestation.event_log, "event_log", absolute_path));
  TRY_STATUS(section.replace(attestation.ima_list, "ima_list", absolute_path));
  TRY_STATUS(section.replace(attestation.userspace_log, "userspace_log", absolute_path));
  TRY_STATUS(section.replace(attestation.boot_id, "boot_id", absolute_path));
  TRY_STATUS(section.replace(attestation.null_name, "null_name", absolute_path));
  return attestation;
}

constexpr std::array<std::string_view, 6> kSections = {"server", "device", "agent", "tcb", "tpm", "attestation"};

Status check_sections(const std::vector<Table>& tables) {
  for (const Table& table : tables)
    if (std::ranges::find(kSections, table.name) == kSections.end())
      return invalid_input(
          "config.unknown",
          fmt::format("there is no table \"{}\"; there are {}", table.name, fmt::join(kSections, ", ")),
          fmt::format("line {}", table.line));
  return {};
}

}  // namespace

Result<DeviceConfig> parse(std::string_view text) {
  if (text.size() > kConfigSizeMax)
    return invalid_input("config.size", fmt::format("it is larger than {} bytes", kConfigSizeMax));
  TRY(const auto tables, parse_tables(text));
  TRY_STATUS(check_sections(tables));
  const auto section = [&](std::string_view name) {
    const auto found = std::ranges::find(tables, name, &Table::name);
    return Section(name, found == tables.end() ? nullptr : &*found);
  };
  TRY(auto server, read_server(section("server")));
  TRY(auto device, read_device(section("device")));
  TRY(auto agent, read_agent(section("agent")));
  TRY(auto tcb, read_tcb(section("tcb")));
  TRY(auto tpm, read_tpm(section("tpm")));
  TRY(auto attestation, read_attestation(section("attestation")));
  return DeviceConfig{std::move(server), std::move(device), std::move(agent),
                      std::move(tcb),    std::move(tpm),    std::move(attestation)};
}

Result<DeviceConfig> load(const std::filesystem::path& path) {
  TRY(const auto text, read_trusted_file(path, kConfigSizeMax));
  auto config = parse(text);
  if (config) return config;
  return at(std::move(config).error(), path.string());
}

}  // namespace warifu::device_config
