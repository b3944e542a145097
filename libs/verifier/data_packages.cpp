#include "verifier/data_packages.h"

#include <fmt/format.h>

#include "crypto/public_key.h"

namespace warifu::verifier {
namespace {

Error unreadable(const Error& error, std::string_view column) {
  return {ErrorKind::kInternal, "store.corrupt", error.message, "data_packages." + std::string(column)};
}

}  // namespace

std::string_view to_string(PackageKind kind) {
  switch (kind) {
    case PackageKind::kTpmFlaws:
      return "tpm-flaws";
    case PackageKind::kFirmwareQuirks:
      return "firmware-quirks";
  }
  return "tpm-flaws";
}

Result<PackageKind> parse_package_kind(std::string_view text) {
  for (const PackageKind kind : {PackageKind::kTpmFlaws, PackageKind::kFirmwareQuirks})
    if (text == to_string(kind)) return kind;
  return invalid_input("data_package.kind", fmt::format("\"{}\" is tpm-flaws or firmware-quirks", text));
}

Result<endorsement::SignedText> StoredPackage::signed_text() const {
  const auto signer = crypto::PublicKey::from_pem(key);
  if (!signer) return unreadable(signer.error(), "public_key");
  auto text = endorsement::SignedText::check(std::string(as_text(document)), signature, *signer);
  if (!text) return unreadable(text.error(), "signature");
  return text;
}

}  // namespace warifu::verifier
