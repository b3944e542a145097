#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "signing_keys/key_place.h"

namespace warifu::signing_keys {

class SharedTpm;

// Keys in the TPM of this machine: made under its storage root key and wrapped by it, so that the file NAME.tpm-key of
// the folder is of use in this TPM only, and until TPM2_Clear. Sessions are salted to the TPM's endorsement key, whose
// Name is pinned in the folder (ek-name) with the first key.
class TpmKeys final : public KeyPlace {
 public:
  // `tcti` as in tpm_device/tcti.h. The errors are those of tpm_device/absence.h; kRefused "tpm.ek.swapped" when the
  // TPM is another one than the keys were made in, "tpm.ek.unpinned" when there are keys and no ek-name.
  static Result<std::unique_ptr<TpmKeys>> open(std::string_view tcti, std::filesystem::path folder);
  ~TpmKeys() override;

  Result<crypto::Signer> generate(const KeyName& name, crypto::EcCurve curve) override;
  // kRefused "tpm.key.dead" when the TPM does not know it any more; kInvalidInput "tpm_key.format".
  Result<crypto::Signer> open(const KeyName& name) override;
  Status destroy(const KeyName& name) override;

 private:
  TpmKeys(std::shared_ptr<SharedTpm> tpm, std::filesystem::path folder)
      : tpm_(std::move(tpm)), folder_(std::move(folder)) {}
  std::filesystem::path path_of(const KeyName& name) const { return folder_ / (name.text() + ".tpm-key"); }
  Status pin_ek() const;

  std::shared_ptr<SharedTpm> tpm_;  // shared with the Signers
  std::filesystem::path folder_;
};

}  // namespace warifu::signing_keys
