#pragma once

#include <memory>

#include "tcb/tpm.h"
#include "tpm_device/care.h"
#include "tpm_device/device.h"

namespace warifu::tpm_device {

// The TCB's TPM, in hardware. Not for several threads at once.
class TcbTpm final : public tcb::Tpm {
 public:
  explicit TcbTpm(std::unique_ptr<Device> device, HierarchyAuths auths = {})
      : device_(std::move(device)), auths_(std::move(auths)) {}
  // `tcti` as in tcti.h; the errors are those of absence.h. The auth values in `options` are what own() sets; until
  // then, and after clear(), the TPM has none.
  static Result<std::unique_ptr<TcbTpm>> open(const std::string& tcti, DeviceOptions options);

  Device& device() { return *device_; }

  Result<tcb::TpmKeys> keys() override;
  Result<tcb::EkCertificate> ek_certificate() override;
  Result<tcb::WrappedObject> activate(ByteView authentication_key) override;
  Result<SecretBytes> hmac(const tcb::WrappedObject& key, ByteView message) override;
  Result<tcb::WrappedObject> activate_application_key(ByteView authentication_key, std::uint8_t capped_by) override;
  Result<SecretBytes> hmac_capped(const tcb::WrappedObject& key, std::uint8_t pcr, ByteView message) override;
  Status cap(std::uint8_t pcr) override;
  Result<SecretBytes> random(std::size_t size) override;
  Result<tcb::WrappedObject> seal(const SecretBytes& secret, const tcb::PcrList& pcrs) override;
  Result<SecretBytes> unseal(const tcb::WrappedObject& object, const tcb::PcrList& pcrs) override;

  Result<Bytes> attestation_key() override;
  Result<SecretBytes> activate_attestation(ByteView id_object, ByteView encrypted_secret) override;
  Result<tcb::TpmAttestation> quote(const tcb::RegisterSelection& registers, const crypto::Digest& extra_data) override;
  Result<Bytes> read_registers(const tcb::RegisterSelection& registers) override;
  Result<std::optional<tcb::CertifiedPrimary>> certify_null_primary(const crypto::Digest& extra_data) override;

  Result<tcb::WrappedObject> create_ldevid() override;
  Status open_key(const tcb::WrappedObject& key) override;
  Result<Bytes> sign(const tcb::WrappedObject& key, const crypto::Digest& digest) override;
  Result<tcb::TpmAttestation> certify(const tcb::WrappedObject& key, const crypto::Digest& extra_data) override;
  Result<Bytes> idevid() override;
  Result<tcb::CreatedPrimary> certify_idevid(const crypto::Digest& extra_data) override;

  Result<tcb::TpmStatus> status() override;
  Status own(const SecretBytes& lockout_auth, const tcb::DictionaryAttackParameters& parameters) override;
  Status clear(const SecretBytes& lockout_auth) override;
  Status reset_lockout(const SecretBytes& lockout_auth) override;

  Result<std::optional<Bytes>> read_anchor() override;
  Status write_anchor(ByteView anchor) override;
  Result<std::optional<std::uint64_t>> read_anchor_counter() override;
  Status raise_anchor_counter() override;

 private:
  template <class Work>
  std::invoke_result_t<Work> with_srk(Work work);
  Status use_auths();

  std::unique_ptr<Device> device_;
  HierarchyAuths auths_;
  bool auths_in_use_ = false;
};

}  // namespace warifu::tpm_device
