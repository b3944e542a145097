#pragma once

#include <string>
#include <vector>

#include "warifu/commands.h"

// Who may certify endorsement keys, on the server.
namespace warifu::cli {

struct EkImportOptions {
  std::vector<std::string> files;    // or folders
  bool are_crls = false;             // CRLs, and not certificates
  std::string role;                  // "root", "intermediate"; empty: by what each certificate is
  std::vector<std::string> vendors;  // for whom the roots speak; none: for whom their names name
  bool dry_run = false;
};
// Reads all files before anything is sent; then a hundred certificates in one request, which is done whole or not.
Status import_ek_roots(const Context& context, const EkImportOptions& options);

Status list_ek_roots(const Context& context);
Status list_ek_crls(const Context& context);
Status show_ek_root(const Context& context, const std::string& fingerprint);
Status list_ek_root_devices(const Context& context, const std::string& fingerprint);

struct EkDistrustOptions {
  std::string fingerprint;
  std::string since;  // RFC 3339 in UTC; empty: now
  std::string reason;
  bool dry_run = false;
};
// Prints whom it affects.
Status distrust_ek_root(const Context& context, const EkDistrustOptions& options);
Status trust_ek_root(const Context& context, const std::string& fingerprint);

}  // namespace warifu::cli
