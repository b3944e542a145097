#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "warifu/profile.h"

namespace warifu::cli {

// What every command knows.
struct Context {
  ConnectionSettings connection;
  bool json = false;
};

struct LoginOptions {
  std::string token_file;  // "-" is standard input
  std::optional<std::string> name;
  std::vector<std::string> permissions;
  std::optional<std::uint64_t> lifetime_seconds;
};
// Exchanges a bootstrap token for an access token, which goes into the profile.
Status login(const Context& context, const LoginOptions& options);

Status show_id_scope(const Context& context);

struct ServiceKeyOptions {
  std::string name;
  std::vector<std::string> permissions;  // none: what the service API demands
};
// Prints the connection string, which is nowhere else.
Status create_service_key(const Context& context, const ServiceKeyOptions& options);
Status list_service_keys(const Context& context);
Status delete_service_key(const Context& context, const std::string& name);

struct EnrollmentOptions {
  std::string registration_id;
  std::string tpm_ek_file;  // TPM2B_PUBLIC or TPMT_PUBLIC, binary or base64
  bool allow_software_keys = false;
};
Status create_enrollment(const Context& context, const EnrollmentOptions& options);
Status list_enrollments(const Context& context);
Status show_enrollment(const Context& context, const std::string& registration_id);
Status delete_enrollment(const Context& context, const std::string& registration_id);

Status list_devices(const Context& context);
Status show_device(const Context& context, const std::string& device_id);
Status show_hub_key(const Context& context, const std::string& device_id);

struct EscrowOptions {
  std::string device_id;
  std::string out_file;                 // empty: only list what there is
  std::optional<std::uint64_t> number;  // without it the newest
};
Status show_escrow(const Context& context, const EscrowOptions& options);

}  // namespace warifu::cli
