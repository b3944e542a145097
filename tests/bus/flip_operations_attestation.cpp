// What a device does to attest itself.
#include "crypto/digest.h"
#include "flip_operations.h"
#include "tpm_types/attest.h"
#include "tpm_types/make_credential.h"

namespace warifu::bus {
namespace {

using crypto::HashAlgorithm;
using tpm_device::TcbTpm;

const tcb::RegisterSelection kRegisters = {{HashAlgorithm::kSha256, {0, 7, 10}}};

Error wrong(const char* what) {
  return {ErrorKind::kInternal, kWrongValue, what};
}

struct KnownCredential {
  Bytes ak;
  tpm::Credential credential;
};

Result<KnownCredential> make_known(TcbTpm& tpm, const SecretBytes& secret, Entropy& entropy) {
  TRY(const tcb::TpmKeys keys, tpm.keys());
  TRY(const auto ek, tpm::EkPublic::from_tpm2b(keys.ek_public));
  TRY(Bytes ak, tpm.attestation_key());
  TRY(const auto area, tpm::PublicArea::from_tpm2b(ak));
  TRY(auto credential, tpm::make_credential(ek, area.name(), secret, entropy));
  return KnownCredential{std::move(ak), std::move(credential)};
}

}  // namespace

std::vector<Operation> FlipOperations::of_attestation() {
  const auto known = std::make_shared<std::optional<KnownCredential>>();
  const auto make = [this, known](TcbTpm& tpm) -> Status {
    if (*known) return {};
    TRY(*known, make_known(tpm, secret_, entropy_));
    return {};
  };
  const auto nonce = crypto::digest(HashAlgorithm::kSha256, {message_});
  return {
      {.name = "AK",
       .commands = {"TPM2_GetCapability"},
       .run = [known](TcbTpm& tpm) -> Status {
         TRY(const Bytes ak, tpm.attestation_key());
         return ak == (*known)->ak ? Status() : wrong("another AK");
       },
       .prepare = make},
      {.name = "activate the AK",
       .commands = {"TPM2_ActivateCredential"},
       .run = [this, known](TcbTpm& tpm) -> Status {
         const auto& credential = (*known)->credential;
         TRY(const SecretBytes opened, tpm.activate_attestation(credential.id_object, credential.encrypted_secret));
         return equal_constant_time(opened.reveal(), secret_.reveal()) ? Status() : wrong("another secret");
       },
       .prepare = make},
      {.name = "quote",
       .commands = {"TPM2_CreatePrimary", "TPM2_Quote"},
       .run = [nonce](TcbTpm& tpm) -> Status {
         TRY(const auto made, tpm.quote(kRegisters, nonce));
         TRY(const auto attest, tpm::QuoteAttest::parse(made.attest));
         return std::ranges::equal(attest.extra_data, nonce.bytes()) ? Status() : wrong("a quote over another nonce");
       }},
      {.name = "NULL primary",
       .commands = {"TPM2_Certify"},
       .run = [nonce](TcbTpm& tpm) -> Status {
         TRY(const auto primary, tpm.certify_null_primary(nonce));
         return primary ? Status() : wrong("no ECC");
       }},
  };
}

}  // namespace warifu::bus
