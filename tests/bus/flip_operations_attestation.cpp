// What a device does to attest itself.
#include "crypto/digest.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/signer.h"
#include "flip_operations.h"
#include "tpm_types/attest.h"
#include "tpm_types/make_credential.h"
#include "tpm_types/signature.h"

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

// Of a key on P-256, over a digest.
bool is_signature(ByteView tpmt_signature, ByteView public_area, const crypto::Digest& digest) {
  const auto signature = tpm::parse_signature(tpmt_signature);
  const auto area = tpm::PublicArea::from_tpm2b(public_area);
  if (!signature || !area) return false;
  const auto* ecdsa = std::get_if<tpm::EcdsaSignature>(&*signature);
  const auto point = crypto::EcPublicKey::from_affine(crypto::EcCurve::kP256, area->unique(), area->unique_y());
  if (ecdsa == nullptr || !point) return false;
  const auto key = crypto::Signer::outside(*point, nullptr).public_key();
  return crypto::verify_digest_signature(key, HashAlgorithm::kSha256, digest.bytes(),
                                         crypto::ecdsa_der(ecdsa->r, ecdsa->s))
      .has_value();
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
  const auto ldevid = std::make_shared<std::optional<tcb::WrappedObject>>();
  const auto make_ldevid = [ldevid](TcbTpm& tpm) -> Status {
    if (*ldevid) return {};
    TRY(*ldevid, tpm.create_ldevid());
    return {};
  };
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
      {.name = "LDevID",
       .commands = {"TPM2_Create"},
       .run = [](TcbTpm& tpm) -> Status {
         TRY(const auto made, tpm.create_ldevid());
         // The one that the TPM made and no other: whoever sends a key of his own would be certified in its place.
         return tpm.open_key(made);
       }},
      {.name = "LDevID's proof",
       .commands = {"TPM2_Load", "TPM2_Certify"},
       .run = [ldevid, nonce](TcbTpm& tpm) -> Status {
         TRY(const auto made, tpm.certify(**ldevid, nonce));
         TRY(const auto attest, tpm::CertifyAttest::parse(made.attest));
         return std::ranges::equal(attest.extra_data, nonce.bytes()) ? Status() : wrong("a proof over another nonce");
       },
       .prepare = make_ldevid},
      {.name = "LDevID's signature",
       .commands = {"TPM2_Sign"},
       .run = [ldevid, nonce](TcbTpm& tpm) -> Status {
         TRY(const Bytes made, tpm.sign(**ldevid, nonce));
         return is_signature(made, (*ldevid)->public_area, nonce) ? Status() : wrong("another signature");
       },
       .prepare = make_ldevid},
      {.name = "IDevID's proof",
       .commands = {"TPM2_CertifyCreation"},
       .run = [nonce](TcbTpm& tpm) -> Status {
         TRY(const auto made, tpm.certify_idevid(nonce));
         TRY(const auto attest, tpm::CreationAttest::parse(made.certification.attest));
         TRY(const auto area, tpm::PublicArea::from_tpm2b(made.public_area));
         const auto creation_hash = crypto::digest(area.name_algorithm(), {made.creation_data});
         const bool is_whole = std::ranges::equal(attest.extra_data, nonce.bytes()) &&
                               std::ranges::equal(attest.name, area.name().bytes()) &&
                               std::ranges::equal(attest.creation_hash, creation_hash.bytes());
         return is_whole ? Status() : wrong("a proof of another key");
       }},
  };
}

}  // namespace warifu::bus
