#include "device_life.h"

#include <algorithm>
#include <utility>

#include "change_srk.h"
#include "crypto/digest.h"
#include "known_challenge.h"
#include "tpm_device/absence.h"
#include "tpm_device/care.h"
#include "tpm_device/clock.h"
#include "tpm_device/ek_certificate.h"
#include "tpm_device/keys.h"
#include "tpm_device/lost_handles.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_types/application_key.h"
#include "tpm_types/attest.h"
#include "tpm_types/make_credential.h"

namespace warifu::bus {
namespace {

const tcb::PcrList kPcrs = {0, 7, 16};

Error wrong(const char* what) {
  return {ErrorKind::kInternal, "bus.wrong-value", what};
}

Status expect_same(ByteView a, ByteView b, const char* what) {
  if (std::ranges::equal(a, b)) return {};
  return wrong(what);
}

}  // namespace

LifeSecrets LifeSecrets::draw(Entropy& entropy) {
  return {.inner_key = SecretBytes::random(entropy, 16),
          .hub_key = SecretBytes::random(entropy, 32),
          .application_key = SecretBytes::random(entropy, 32),
          .capped_inner_key = SecretBytes::random(entropy, 16),
          .capped_key = SecretBytes::random(entropy, 32),
          .sealed = SecretBytes::random(entropy, 48),
          .in_nv = SecretBytes::random(entropy, 48),
          .activated = SecretBytes::random(entropy, 32),
          .lockout_auth = SecretBytes::random(entropy, 32),
          .owner_auth = SecretBytes::random(entropy, 32),
          .endorsement_auth = SecretBytes::random(entropy, 32)};
}

DeviceLife::DeviceLife(std::string tcti, tpm::CommandTable table, tpm::EkProfile ek_profile)
    : tcti_(std::move(tcti)), table_(table), ek_profile_(ek_profile), secrets_(LifeSecrets::draw(entropy_)) {
}

Status DeviceLife::live() {
  TRY_STATUS(start());
  TRY_STATUS(activate());
  TRY_STATUS(use_application_key());
  TRY_STATUS(use_capped_key());
  TRY_STATUS(seal_and_unseal());
  TRY_STATUS(draw_random());
  TRY_STATUS(own());
  // Once more, now with auth values to be proved.
  TRY_STATUS(activate());
  TRY_STATUS(use_nv());
  TRY_STATUS(attest());
  TRY_STATUS(look_around());
  TRY_STATUS(clear());
  return shut_down();
}

Status DeviceLife::start() {
  TRY(tpm_, tpm_device::TcbTpm::open(tcti_, {.ek_profile = ek_profile_,
                                             .owner_auth = secrets_.owner_auth.clone(),
                                             .endorsement_auth = secrets_.endorsement_auth.clone(),
                                             .table = table_}));
  TRY_STATUS(tpm_->keys());
  return {};
}

Status DeviceLife::change_srk(ByteView tpm2b_template) {
  return bus::change_srk(tpm_->device(), tpm2b_template);
}

Status DeviceLife::activate() {
  TRY(const tcb::TpmKeys keys, tpm_->keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(keys.srk_public));
  TRY(const Bytes challenge, make_known_challenge(ek, srk, secrets_.inner_key, secrets_.hub_key, entropy_));
  TRY_STATUS(search_.add("credential", secrets_.inner_key.reveal()));
  TRY(const auto hub_key, tpm_->activate(challenge));
  return expect_mac(hub_key, secrets_.hub_key);
}

// The hub key itself never passes in a form that could be found: TPM2_Import takes it in an outer wrap that only this
// SRK opens, whatever the session does. A key that is given to TPM2_Create has no wrap but the session's.
Status DeviceLife::use_application_key() {
  TRY_STATUS(search_.add("HMAC key", secrets_.application_key.reveal()));
  TRY(const auto object,
      create_keyed_hash(tpm_->device(), tpm_device::KeyedHashUse::kHmac, secrets_.application_key, {}));
  return expect_mac(object, secrets_.application_key);
}

Status DeviceLife::use_capped_key() {
  constexpr std::uint8_t kPcr = 14;
  TRY(const tcb::TpmKeys keys, tpm_->keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(const auto srk, tpm::SrkPublic::from_tpm2b(keys.srk_public));
  TRY(const Bytes wrapped, make_known_challenge(ek, srk, secrets_.capped_inner_key, secrets_.capped_key, entropy_,
                                                tpm::application_key_use(kPcr)));
  TRY_STATUS(search_.add("credential of a capped key", secrets_.capped_inner_key.reveal()));
  TRY(const auto key, tpm_->activate_application_key(wrapped, kPcr));
  const auto message = SecretBytes::random(entropy_, 40);
  TRY(const SecretBytes mac, tpm_->hmac_capped(key, kPcr, message.reveal()));
  const auto expected = crypto::hmac(crypto::HashAlgorithm::kSha256, secrets_.capped_key.reveal(), {message.reveal()});
  TRY_STATUS(expect_same(mac.reveal(), expected.bytes(), "the TPM computed another HMAC"));
  TRY_STATUS(search_.add("message under a policy", message.reveal()));
  TRY_STATUS(search_.add("MAC under a policy", mac.reveal()));
  TRY_STATUS(tpm_->cap(kPcr));
  const auto refused = tpm_->hmac_capped(key, kPcr, message.reveal());
  if (refused || refused.error().code != tcb::kPolicyUnmet) return wrong("a capped key works");
  return {};
}

Status DeviceLife::expect_mac(const tcb::WrappedObject& object, const SecretBytes& key) {
  const auto message = SecretBytes::random(entropy_, 40);
  TRY(const SecretBytes mac, tpm_->hmac(object, message.reveal()));
  const auto expected = crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(), {message.reveal()});
  TRY_STATUS(expect_same(mac.reveal(), expected.bytes(), "the TPM computed another HMAC"));
  const std::string number = std::to_string(++macs_);
  TRY_STATUS(search_.add("message " + number, message.reveal()));
  return search_.add("MAC " + number, mac.reveal());
}

Status DeviceLife::seal_and_unseal() {
  TRY_STATUS(search_.add("sealed secret", secrets_.sealed.reveal()));
  for (const tcb::PcrList& pcrs : {tcb::PcrList{}, kPcrs}) {
    TRY(const auto object, tpm_->seal(secrets_.sealed, pcrs));
    TRY(const SecretBytes opened, tpm_->unseal(object, pcrs));
    TRY_STATUS(expect_same(opened.reveal(), secrets_.sealed.reveal(), "the TPM unsealed something else"));
  }
  return {};
}

Status DeviceLife::draw_random() {
  TRY(const SecretBytes random, tpm_->random(32));
  return search_.add("random output", random.reveal());
}

Status DeviceLife::own() {
  TRY_STATUS(search_.add("lockoutAuth", secrets_.lockout_auth.reveal()));
  TRY_STATUS(search_.add("ownerAuth", secrets_.owner_auth.reveal()));
  TRY_STATUS(search_.add("endorsementAuth", secrets_.endorsement_auth.reveal()));
  TRY_STATUS(tpm_->own(secrets_.lockout_auth, {}));
  TRY(const tcb::TpmStatus status, tpm_->status());
  if (!status.lockout_auth_set || !status.owner_auth_set || !status.endorsement_auth_set)
    return wrong("an auth value is not set");
  return tpm_->reset_lockout(secrets_.lockout_auth);
}

Status DeviceLife::use_nv() {
  using namespace tpm;  // the many attributes
  constexpr std::uint32_t kAttributes = kNvOwnerWrite | kNvOwnerRead | kNvNoDa;
  constexpr std::uint32_t kOrdinary = 0x01500001, kCounter = 0x01500002, kChain = 0x01500003;
  tpm_device::Device& device = tpm_->device();
  TRY_STATUS(define_nv(device, {.index = kOrdinary, .attributes = kAttributes, .data_size = 48}));
  TRY_STATUS(search_.add("NV content", secrets_.in_nv.reveal()));
  TRY_STATUS(write_nv(device, kOrdinary, secrets_.in_nv));
  TRY(const SecretBytes read, read_nv(device, kOrdinary));
  TRY_STATUS(expect_same(read.reveal(), secrets_.in_nv.reveal(), "NV has something else"));

  TRY_STATUS(define_nv(device, {.index = kCounter, .attributes = kAttributes | kNvCounter, .data_size = 8}));
  TRY_STATUS(increment_nv(device, kCounter));
  TRY_STATUS(read_nv_counter(device, kCounter));

  const auto measured = SecretBytes::random(entropy_, 32);
  TRY_STATUS(search_.add("what NV was extended with", measured.reveal()));
  TRY_STATUS(define_nv(device, {.index = kChain, .attributes = kAttributes | kNvExtend, .data_size = 32}));
  TRY_STATUS(extend_nv(device, kChain, measured));
  return undefine_nv(device, kChain);
}

Status DeviceLife::attest() {
  TRY(const tcb::TpmKeys keys, tpm_->keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(const Bytes ak, tpm_->attestation_key());
  TRY(const auto area, tpm::PublicArea::from_tpm2b(ak));
  TRY(const auto credential, tpm::make_credential(ek, area.name(), secrets_.activated, entropy_));
  TRY_STATUS(search_.add("activated secret", secrets_.activated.reveal()));
  TRY(const SecretBytes opened, tpm_->activate_attestation(credential.id_object, credential.encrypted_secret));
  TRY_STATUS(expect_same(opened.reveal(), secrets_.activated.reveal(), "the TPM opened another secret"));
  const tcb::RegisterSelection registers = {{crypto::HashAlgorithm::kSha256, kPcrs}};
  const auto nonce = crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes("a nonce")});
  TRY(const auto made, tpm_->quote(registers, nonce));
  TRY(const Bytes values, tpm_->read_registers(registers));
  TRY(const auto quoted, tpm::QuoteAttest::parse(made.attest));
  TRY_STATUS(expect_same(quoted.extra_data, nonce.bytes(), "the quote is over another nonce"));
  TRY_STATUS(expect_same(quoted.pcr_digest, crypto::digest(crypto::HashAlgorithm::kSha256, {values}).bytes(),
                         "the quote is of other registers"));
  TRY(const auto primary, tpm_->certify_null_primary(nonce));
  if (!primary) return wrong("the TPM has no ECC");
  // The keys of its certificates.
  TRY(const auto ldevid, tpm_->create_ldevid());
  TRY_STATUS(tpm_->certify(ldevid, nonce));
  TRY_STATUS(tpm_->sign(ldevid, nonce));
  TRY_STATUS(tpm_->certify_idevid(nonce));
  return {};
}

Status DeviceLife::look_around() {
  tpm_device::Device& device = tpm_->device();
  TRY_STATUS(read_pcrs(device, kPcrs));
  TRY_STATUS(extend_pcr(device, 16, crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes("measured")})));
  TRY_STATUS(read_clock(device));
  TRY_STATUS(read_ek_certificates(device));
  return {};
}

Status DeviceLife::clear() {
  TRY_STATUS(tpm_->clear(secrets_.lockout_auth));
  TRY(const tcb::TpmStatus status, tpm_->status());
  if (status.lockout_auth_set || status.owner_auth_set || status.endorsement_auth_set)
    return wrong("an auth value is still set");
  return {};
}

Status DeviceLife::shut_down() {
  return tpm_device::shut_down(tpm_->device());
}

TableAudit audit_of_a_device() {
  TableAudit audit(tpm::CommandTable::production());
  audit.allow(tpm_device::kGetTestResult);
  audit.allow(tpm_device::kReadStartupClear);
  audit.allow(tpm_device::kListObjects);
  audit.allow(tpm_device::kListSessions);
  return audit;
}

}  // namespace warifu::bus
