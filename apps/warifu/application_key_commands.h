#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "warifu/commands.h"

namespace warifu::cli {

struct ApplicationKeyOptions {
  std::string registration_id;
  std::string name;
  bool generate = false;
  std::string key_file;                        // base64; empty: the server makes one
  std::optional<std::uint64_t> capped_by_pcr;  // put only
};
// Of a key that the server makes they print it, once: it is nowhere else but in the device's TPM and, sealed, there.
Status put_application_key(const Context& context, const ApplicationKeyOptions& options);
Status rotate_application_key(const Context& context, const ApplicationKeyOptions& options);
Status revoke_application_key(const Context& context, const ApplicationKeyOptions& options);
Status show_application_key(const Context& context, const ApplicationKeyOptions& options);
Status list_application_keys(const Context& context, const std::string& registration_id);

}  // namespace warifu::cli
