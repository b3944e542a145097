#include "warifu/ek_files.h"

#include <algorithm>

#include "endorsement/ek/root_store.h"
#include "warifu/evidence_file.h"

namespace warifu::cli {

namespace fs = std::filesystem;

Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
      if (entry->is_regular_file(error)) files.push_back(entry->path());
    if (error) return invalid_input("ek-certificate.folder", "the folder cannot be read", path);
  }
  std::ranges::sort(files);
  return files;
}

Result<std::vector<endorsement::X509Certificate>> read_certificates(const std::string& file) {
  TRY(const auto content, read_evidence(file, kCertificatesSizeMax));
  auto certificates = endorsement::parse_certificates(content);
  if (!certificates) return at(std::move(certificates).error(), file);
  return certificates;
}

}  // namespace warifu::cli
