#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/place.h"
#include "base/result.h"
#include "endorsement/ek/x509.h"
#include "keystore/files.h"

// Files of certificates and CRLs, which may be many in a folder.
namespace warifu::cli {

// A folder stands for the files in it; all by name.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths);

// Every certificate in these files, DER or bundles of PEM, one after another to `add`, whose error gets the file's
// name.
template <class Add>
Status for_each_authority(const std::vector<std::string>& paths, Add add);

// --- for_each_authority() ------------------------------------------------------------------------------------------

Result<std::vector<endorsement::X509Certificate>> read_certificates(const std::string& file);

template <class Add>
Status for_each_authority(const std::vector<std::string>& paths, Add add) {
  TRY(const auto files, files_of(paths));
  for (const std::string& file : files) {
    TRY(auto authorities, read_certificates(file));
    for (endorsement::X509Certificate& authority : authorities)
      if (auto added = add(std::move(authority)); !added) return at(std::move(added).error(), file);
  }
  return {};
}

}  // namespace warifu::cli
