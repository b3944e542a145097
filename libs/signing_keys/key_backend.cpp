#include "signing_keys/key_backend.h"

#include <fmt/format.h>

#include "signing_keys/file_keys.h"
#include "signing_keys/pkcs11_keys.h"
#include "signing_keys/tpm_keys.h"
#include "tpm_device/tcti.h"

namespace warifu::signing_keys {
namespace {

constexpr std::string_view kTpmPrefix = "tpm:";
constexpr std::string_view kPkcs11Prefix = "pkcs11:";

}  // namespace

Result<KeyBackend> KeyBackend::parse(std::string_view text) {
  if (text == "file") return KeyBackend(Kind::kFile, text);
  if (text.starts_with(kTpmPrefix) && text.size() > kTpmPrefix.size()) return KeyBackend(Kind::kTpm, text);
  if (text.starts_with(kPkcs11Prefix)) return KeyBackend(Kind::kPkcs11, text);
  return invalid_input("key.backend", fmt::format("expected file, tpm:TCTI or a pkcs11: URI, not \"{}\"", text));
}

Result<bool> KeyBackend::needs_network() const {
  if (kind_ != Kind::kTpm) return false;
  TRY(const auto address, tpm_device::TctiAddress::parse(std::string_view(text_).substr(kTpmPrefix.size())));
  return address.is_emulator() && address.path().empty();
}

Result<std::unique_ptr<KeyPlace>> KeyBackend::open(const std::filesystem::path& folder, const SecretBytes& passphrase,
                                                   Argon2idCost cost, Entropy& entropy) const {
  switch (kind_) {
    case Kind::kFile:
      return std::unique_ptr<KeyPlace>(new FileKeys(folder, passphrase.clone(), entropy, cost));
    case Kind::kTpm: {
      TRY(auto keys, TpmKeys::open(std::string_view(text_).substr(kTpmPrefix.size()), folder));
      return std::unique_ptr<KeyPlace>(std::move(keys));
    }
    case Kind::kPkcs11: {
      TRY(auto keys, Pkcs11Keys::open(text_));
      return std::unique_ptr<KeyPlace>(std::move(keys));
    }
  }
  return Error{ErrorKind::kInternal, "key.backend", "an unknown kind of place"};
}

}  // namespace warifu::signing_keys
