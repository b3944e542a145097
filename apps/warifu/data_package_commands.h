#pragma once

#include <string>

#include "warifu/commands.h"

// Signed data on the server that judges TPMs and machines: tpm-flaws, firmware-quirks (docs/formats/tpm-flaws.md).
namespace warifu::cli {

// A package as files.
struct PackageFiles {
  std::string file;       // as it was signed
  std::string signature;  // detached, as `openssl dgst -sign` makes it
  std::string key;        // the public key that signed, PEM
};
struct PackagePutOptions {
  std::string kind;  // "tpm-flaws", "firmware-quirks"
  PackageFiles package;
  bool dry_run = false;
};
// It is checked here before it is sent, as the server checks it: "endorsement.data.signature" and the codes of the
// format.
Status put_package(const Context& context, const PackagePutOptions& options);
Status show_package(const Context& context, const std::string& kind);
Status delete_package(const Context& context, const std::string& kind);

struct FlawTestOptions {
  PackageFiles package;
  bool all = false;  // print devices of which it says the same as today, too
};
// kRefused "tpm-flaws.test" when the hardware layer of a device would fail that does not today.
Status test_flaws(const Context& context, const FlawTestOptions& options);
// Whom the table that stands accuses.
Status list_flawed_devices(const Context& context);

}  // namespace warifu::cli
