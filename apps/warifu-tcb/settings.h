#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "device_config/device_config.h"
#include "process/privileges.h"
#include "tpm_types/name.h"

namespace warifu::tcb_program {

// What stands on the command line. Empty: as the configuration says.
struct Options {
  std::string config = device_config::kDefaultPath;
  std::string tcti;
  std::string state;
  std::string socket;
  std::string ek_name;
  std::string user;
  bool unconfined = false;
  bool checks_confinement = false;
};

// What the program works by: the configuration, overruled by the options, with everything read that it names.
struct Settings {
  std::string server_name;
  crypto::Certificate root;
  ScopeId id_scope;
  std::optional<RegistrationId> registration_id;
  std::filesystem::path state;
  std::filesystem::path socket;
  std::string tcti;
  device_config::EkTemplate ek_template;
  std::optional<tpm::Name> ek_name;
  SecretBytes owner_auth;
  SecretBytes endorsement_auth;
  process::User agent;
  std::optional<process::User> own_user;  // whom to become
  bool is_confined;

  // The errors of device_config::load(), find_user(), and kInvalidInput "config.ek_name".
  static Result<Settings> from(const Options& options);
};

}  // namespace warifu::tcb_program
