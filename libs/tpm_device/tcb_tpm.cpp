#include "tpm_device/tcb_tpm.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tpm_device/activation.h"
#include "tpm_device/anchor.h"
#include "tpm_device/attestation.h"
#include "tpm_device/certified_keys.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/ek_certificate.h"
#include "tpm_device/keys.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_device/policy.h"
#include "tpm_types/application_key.h"

namespace warifu::tpm_device {
namespace {

// The SRK that we know is not the one that is there: another program cleared the TPM, or evicted the key. Its HMAC is
// over the Name of the other, so the TPM says that the auth value is wrong; an SRK has noDA, trying again is free.
bool means_srk_changed(const Error& error) {
  constexpr std::array kCodes = {kHandleGone, kNotAuthorized, kSessionLost};
  return std::ranges::find(kCodes, error.code) != kCodes.end();
}

}  // namespace

Result<std::unique_ptr<TcbTpm>> TcbTpm::open(const std::string& tcti, DeviceOptions options) {
  TRY(const TctiAddress address, TctiAddress::parse(tcti));
  HierarchyAuths auths{std::exchange(options.owner_auth, {}), std::exchange(options.endorsement_auth, {})};
  TRY(auto device, Device::open(address, std::move(options)));
  return std::make_unique<TcbTpm>(std::move(device), std::move(auths));
}

// At the first need: the TPM may be away when a program starts.
Status TcbTpm::use_auths() {
  if (auths_in_use_ || (auths_.owner.empty() && auths_.endorsement.empty())) return {};
  TRY_STATUS(use_hierarchy_auths(*device_, auths_));
  auths_in_use_ = true;
  return {};
}

template <class Work>
std::invoke_result_t<Work> TcbTpm::with_srk(Work work) {
  TRY_STATUS(use_auths());
  const std::uint64_t epoch = device_->epoch();
  auto result = work();
  // An altered answer is told, not tried again.
  if (result || result.error().code == kBusAltered) return result;
  // When ESYS was started anew half-way, what work() had in its hands was of the old one.
  if (device_->epoch() == epoch && !means_srk_changed(result.error())) return result;
  device_->forget();
  auths_in_use_ = false;
  TRY_STATUS(use_auths());
  return work();
}

Result<tcb::TpmKeys> TcbTpm::keys() {
  return with_srk([&]() -> Result<tcb::TpmKeys> {
    TRY(const tpm::EkPublic ek, device_->ek());
    TRY(const tpm::SrkPublic srk, device_->srk_public());
    return tcb::TpmKeys{to_bytes(ek.tpm2b()), to_bytes(srk.tpm2b())};
  });
}

// A chain that cannot be read is left out: the certificate may do without.
Result<tcb::EkCertificate> TcbTpm::ek_certificate() {
  return with_srk([&]() -> Result<tcb::EkCertificate> {
    TRY(const tpm::EkPublic ek, device_->ek());
    TRY(auto certificate, certificate_of(*device_, ek));
    tcb::EkCertificate shown;
    if (!certificate || certificate->der.size() > tcb::EkCertificate::kCertificateSizeMax) return shown;
    shown.certificate = std::move(certificate->der);
    auto authorities =
        read_ek_authorities(*device_, tcb::EkCertificate::kAuthoritiesMax, tcb::EkCertificate::kAuthoritiesSizeMax);
    if (!authorities && authorities.error().code == kBusAltered) return authorities.error();
    const bool fits = authorities && std::ranges::all_of(*authorities, [](const Bytes& authority) {
                        return authority.size() <= tcb::EkCertificate::kCertificateSizeMax;
                      });
    if (fits) shown.authorities = *std::move(authorities);
    return shown;
  });
}

Result<tcb::WrappedObject> TcbTpm::activate(ByteView authentication_key) {
  return with_srk([&] { return tpm_device::activate(*device_, authentication_key); });
}

Result<SecretBytes> TcbTpm::hmac(const tcb::WrappedObject& key, ByteView message) {
  return with_srk([&]() -> Result<SecretBytes> {
    TRY(const Handle loaded, load(*device_, key));
    return tpm_device::hmac(*device_, loaded, message);
  });
}

Result<tcb::WrappedObject> TcbTpm::activate_application_key(ByteView authentication_key, std::uint8_t capped_by) {
  return with_srk(
      [&] { return tpm_device::activate(*device_, authentication_key, tpm::application_key_use(capped_by)); });
}

// Loaded first: that starts a TPM that nobody has started, which the policy session could not.
Result<SecretBytes> TcbTpm::hmac_capped(const tcb::WrappedObject& key, std::uint8_t pcr, ByteView message) {
  return with_srk([&]() -> Result<SecretBytes> {
    // Of a TPM Restart our session says nothing when a resource manager had saved it: it outlives that.
    device_->look_at_kept_extended();
    TRY(const Handle loaded, load(*device_, key));
    TRY(PolicySession policy, PolicySession::start(*device_));
    const auto [selection, digest] = tpm::uncapped(pcr);
    TRY_STATUS(policy.pcr(selection, digest));
    return tpm_device::hmac(*device_, loaded, policy, message);
  });
}

// One that is not zero caps already. So it is extended once in a boot, whatever answer is lost or forged, and quotes of
// it can be compared.
Status TcbTpm::cap(std::uint8_t pcr) {
  device_->keep_extended(pcr, tpm::capping_digest());
  return with_srk([&] { return device_->run(Protect::kAnswers, [](ESYS_TR) -> Status { return {}; }); });
}

Result<SecretBytes> TcbTpm::random(std::size_t size) {
  return tpm_device::random(*device_, size);
}

Result<tcb::WrappedObject> TcbTpm::seal(const SecretBytes& secret, const tcb::PcrList& pcrs) {
  return with_srk([&]() -> Result<tcb::WrappedObject> {
    Bytes policy;
    if (!pcrs.empty()) {
      TRY(policy, pcr_policy(*device_, pcrs));
    }
    return create_keyed_hash(*device_, KeyedHashUse::kSeal, secret, policy);
  });
}

Result<SecretBytes> TcbTpm::unseal(const tcb::WrappedObject& object, const tcb::PcrList& pcrs) {
  return with_srk([&] { return tpm_device::unseal(*device_, object, pcrs); });
}

Result<Bytes> TcbTpm::attestation_key() {
  return with_srk([&] { return tpm_device::attestation_key(*device_); });
}

Result<SecretBytes> TcbTpm::activate_attestation(ByteView id_object, ByteView encrypted_secret) {
  return with_srk([&] { return tpm_device::activate_attestation(*device_, id_object, encrypted_secret); });
}

Result<tcb::TpmAttestation> TcbTpm::quote(const tcb::RegisterSelection& registers, const crypto::Digest& extra_data) {
  return with_srk([&] { return tpm_device::quote(*device_, registers, extra_data); });
}

Result<Bytes> TcbTpm::read_registers(const tcb::RegisterSelection& registers) {
  return with_srk([&] { return tpm_device::read_registers(*device_, registers); });
}

Result<std::optional<tcb::CertifiedPrimary>> TcbTpm::certify_null_primary(const crypto::Digest& extra_data) {
  return with_srk([&] { return tpm_device::certify_null_primary(*device_, extra_data); });
}

Result<tcb::WrappedObject> TcbTpm::create_ldevid() {
  return with_srk([&] { return tpm_device::create_ldevid(*device_); });
}

Status TcbTpm::open_key(const tcb::WrappedObject& key) {
  return with_srk([&]() -> Status {
    TRY(const Handle loaded, load(*device_, key));
    return {};
  });
}

Result<Bytes> TcbTpm::sign(const tcb::WrappedObject& key, const crypto::Digest& digest) {
  return with_srk([&]() -> Result<Bytes> {
    TRY(const Handle loaded, load(*device_, key));
    return sign_digest(*device_, loaded, digest);
  });
}

Result<tcb::TpmAttestation> TcbTpm::certify(const tcb::WrappedObject& key, const crypto::Digest& extra_data) {
  return with_srk([&] { return certify_key(*device_, key, extra_data); });
}

Result<Bytes> TcbTpm::idevid() {
  return with_srk([&] { return tpm_device::idevid(*device_); });
}

Result<tcb::CreatedPrimary> TcbTpm::certify_idevid(const crypto::Digest& extra_data) {
  return with_srk([&] { return tpm_device::certify_idevid(*device_, extra_data); });
}

Result<std::optional<Bytes>> TcbTpm::read_anchor() {
  return with_srk([&] { return tpm_device::read_anchor(*device_); });
}

Status TcbTpm::write_anchor(ByteView anchor) {
  return with_srk([&] { return tpm_device::write_anchor(*device_, anchor); });
}

Result<std::optional<std::uint64_t>> TcbTpm::read_anchor_counter() {
  return with_srk([&] { return tpm_device::read_anchor_counter(*device_); });
}

// Once, whatever the answer is: a step too many would break the anchor.
Status TcbTpm::raise_anchor_counter() {
  TRY_STATUS(with_srk([&] { return tpm_device::define_anchor_counter(*device_); }));
  return increment_nv(*device_, tpm_device::kAnchorCounterIndex);
}

Result<tcb::TpmStatus> TcbTpm::status() {
  return read_status(*device_);
}

// lockoutAuth comes last: it is kept nowhere on the device, and whoever is told of an error here tries again.
Status TcbTpm::own(const SecretBytes& lockout_auth, const tcb::DictionaryAttackParameters& parameters) {
  TRY_STATUS(use_auths());
  TRY(const tcb::TpmStatus status, read_status(*device_));
  if (!status.lockout_auth_set) TRY_STATUS(set_hierarchy_auths(*device_, auths_));
  return take_ownership(*device_, lockout_auth, parameters);
}

Status TcbTpm::clear(const SecretBytes& lockout_auth) {
  TRY_STATUS(use_auths());
  auths_in_use_ = false;
  return tpm_device::clear(*device_, lockout_auth);
}

Status TcbTpm::reset_lockout(const SecretBytes& lockout_auth) {
  return tpm_device::reset_lockout(*device_, lockout_auth);
}

}  // namespace warifu::tpm_device
