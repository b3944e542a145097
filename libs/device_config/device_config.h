#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace warifu::device_config {

// "https://HOST[:PORT]", nothing else. The host is a DNS name in lower case, an IPv4 address, or an IPv6 address
// (without its brackets): what must stand in the server's certificate.
struct ServerUrl {
  std::string host;
  std::uint16_t port = 443;

  static Result<ServerUrl> parse(std::string_view text);
  // As it stands in a URL: an IPv6 address with brackets.
  std::string text() const;
  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};

// Which endorsement key is the device's. kTcg: EK Credential Profile L-1; kDps: the same with an empty `unique`, which
// is what the Azure SDKs for Node and C make. The two are different keys of the same TPM.
enum class EkTemplate { kTcg, kDps };
std::string_view to_string(EkTemplate ek_template);

// A user of this system: a name or a uid, as it was written.
struct UserName {
  std::string text;
};

struct ServerConfig {
  ServerUrl url;
  std::filesystem::path root;  // PEM: the certificate that the server's must lead to
};
struct IdentityConfig {
  ScopeId id_scope;
  std::optional<RegistrationId> registration_id;  // without it: tpm::default_registration_id of the EK
};
struct AgentConfig {
  std::filesystem::path state = "/var/lib/warifu/agent";
  std::chrono::seconds check_every = std::chrono::hours(1);
};
struct TcbConfig {
  std::filesystem::path socket = "/run/warifu/tcb.sock";
  std::filesystem::path state = "/var/lib/warifu/tcb";
  std::string tcti = "device:/dev/tpmrm0";
  UserName agent_user = {"warifu-agent"};
  EkTemplate ek_template = EkTemplate::kTcg;
};
// The logs that are shown to the server. What is not there is not shown.
struct AttestationConfig {
  std::filesystem::path event_log = "/sys/kernel/security/tpm0/binary_bios_measurements";
  std::filesystem::path ima_list = "/sys/kernel/security/integrity/ima/binary_runtime_measurements";
  std::filesystem::path userspace_log = "/run/log/systemd/tpm2-measure.log";
  std::filesystem::path boot_id = "/proc/sys/kernel/random/boot_id";  // another one in each boot
  std::optional<std::filesystem::path> null_name;                     // null_name_files()
};
struct TpmConfig {
  std::optional<std::filesystem::path> owner_auth_file;        // without it the auth value is empty
  std::optional<std::filesystem::path> endorsement_auth_file;  // the same
};

// One file for both programs, so that they cannot disagree. docs/programs/warifu-agent.md, "Configuration"
struct DeviceConfig {
  ServerConfig server;
  IdentityConfig device;
  AgentConfig agent;
  TcbConfig tcb;
  TpmConfig tpm;
  AttestationConfig attestation;
};

// Where the Name of the NULL hierarchy's primary may stand that was noted when the system started, the best first: by
// the kernel (6.10 and later), or by our script in the initramfs, which asks the first TPM. Below /sys it is the
// kernel's word, elsewhere the initramfs'. attestation.null_name if it was given; else those of the TPM that tcb.tcti
// names, so none for one that is no device of this kernel.
std::vector<std::filesystem::path> null_name_files(const DeviceConfig& config);

inline constexpr const char* kDefaultPath = "/etc/warifu/device.toml";
inline constexpr std::size_t kConfigSizeMax = 64 * 1024;

// kInvalidInput, `where` is the line: "config.syntax", "config.unknown" (a key that means nothing), "config.type",
// "config.missing", "config.url", "config.duration", "config.path", "config.value", "id.scope", "id.registration".
Result<DeviceConfig> parse(std::string_view toml);
// The same from a file that nobody else can write (trusted_file.h); `where` names the file too.
Result<DeviceConfig> load(const std::filesystem::path& path);

// "90s", "15m", "1h", "7d": whole and positive, at most 366 days. "config.duration"
Result<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace warifu::device_config
