#pragma once

#include <optional>
#include <string>
#include <vector>

#include "warifu/commands.h"

// Who made a TPM and whether it is known to be broken, from files: no server is asked.
namespace warifu::cli {

// kInvalidInput when it cannot be read.
Status show_ek_certificate(const Context& context, const std::string& file);

struct EkVerifyOptions {
  std::string file;
  std::vector<std::string> roots;          // PEM or DER files, or folders of them
  std::vector<std::string> intermediates;  // the same
  std::vector<std::string> crls;
  std::vector<std::string> vendors;     // for whom the roots speak; none: for whom their names name
  std::vector<std::string> distrusted;  // fingerprints, each perhaps with "=SINCE"
  std::string at;                       // RFC 3339 in UTC; empty: now
  bool ignore_time = false;
};
// kRefused with the codes of endorsement::verify().
Status verify_ek_certificate(const Context& context, const EkVerifyOptions& options);

struct FlawCheckOptions {
  std::string ek_certificate;
  std::vector<std::string> keys;  // certificates and public keys
  std::string manufacturer;
  std::string model;
  std::string firmware;                // as its maker writes it
  std::string firmware_1, firmware_2;  // TPM_PT_FIRMWARE_VERSION_1 and _2, hexadecimal
  std::string data, data_signature, data_key;
};
// kRefused "tpm-flaws.not-safe" unless every flaw is known not to affect it.
Status check_tpm_flaws(const Context& context, const FlawCheckOptions& options);

}  // namespace warifu::cli
