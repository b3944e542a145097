#include "tpm_device/activation.h"

#include <array>

#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_types/authentication_key_parts.h"
#include "wire/reader.h"

namespace warifu::tpm_device {
namespace {

Result<TPM2B_DIGEST> digest_of(const crypto::Digest& digest) {
  TPM2B_DIGEST out{};
  TRY_STATUS(fill(out, &TPM2B_DIGEST::buffer, digest.bytes(), "digest"));
  return out;
}

// The high range of the EK profile offers two ways; ours is the first.
Status choose_policy_a(Device& device, const Handle& policy, crypto::HashAlgorithm hash) {
  TPML_DIGEST branches{};
  branches.count = 2;
  TRY(branches.digests[0], digest_of(tpm::ek_policy_a(hash)));
  TRY(branches.digests[1], digest_of(tpm::ek_policy_c(hash)));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(Esys_PolicyOR(device.esys(), policy.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &branches),
                        "TPM2_PolicyOR");
  });
}

// TCG EK Credential Profile, B.3 and B.4: who knows endorsementAuth may use the EK.
Result<Handle> endorsement_session(Device& device, const Handle& ek, const tpm::EkPublic& ek_public) {
  const crypto::HashAlgorithm hash = ek_public.area().name_algorithm();
  TRY(Handle policy, device.start_policy(ek.get(), hash));
  TRY_STATUS(device.run(Protect::kSecrets, [&](ESYS_TR session) {
    return device.check(Esys_PolicySecret(device.esys(), ESYS_TR_RH_ENDORSEMENT, policy.get(), session, ESYS_TR_NONE,
                                          ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
                        "TPM2_PolicySecret");
  }));
  if (!std::ranges::equal(ek_public.area().auth_policy(), tpm::ek_policy_a(hash).bytes()))
    TRY_STATUS(choose_policy_a(device, policy, hash));
  return policy;
}

// libtpms says TPM_RC_FAILURE when a seed cannot be decrypted, and goes on; a TPM that has really failed does not.
bool is_a_refusal(Device& device, const Error& error) {
  if (error.code == kFailure) return random(device, 1).has_value();
  return error.kind == ErrorKind::kRefused && error.code != kNotAuthorized && error.code != "tpm.ek.swapped";
}

Error not_for_us(Device& device, const Error& error) {
  if (!is_a_refusal(device, error)) return error;
  return {ErrorKind::kRefused, "tpm.activation",
          "what the server sent was made for another EK or another key beside it, or was changed: " + error.message,
          error.where};
}

// Both without their sizes.
struct CredentialParts {
  ByteView id_object;
  ByteView encrypted_secret;
};

Result<SecretBytes> open_credential(Device& device, ESYS_TR object, const CredentialParts& parts) {
  TPM2B_ID_OBJECT credential{};
  TPM2B_ENCRYPTED_SECRET secret{};
  TRY_STATUS(fill(credential, &TPM2B_ID_OBJECT::credential, parts.id_object, "TPM2B_ID_OBJECT"));
  TRY_STATUS(fill(secret, &TPM2B_ENCRYPTED_SECRET::secret, parts.encrypted_secret, "TPM2B_ENCRYPTED_SECRET"));
  TRY(const tpm::EkPublic ek_public, device.ek());
  TRY(const Handle ek, device.load_ek());
  TRY(const Handle policy, endorsement_session(device, ek, ek_public));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
    TPM2B_DIGEST* raw = nullptr;
    TRY_STATUS(device.check(Esys_ActivateCredential(device.esys(), object, ek.get(), session, policy.get(),
                                                    ESYS_TR_NONE, &credential, &secret, &raw),
                            "TPM2_ActivateCredential"));
    const EsysPtr<TPM2B_DIGEST> opened(raw);
    return take_secret(*opened, &TPM2B_DIGEST::buffer);
  });
}

Result<ByteView> content_of(ByteView tpm2b, std::string_view what) {
  wire::Reader reader(tpm2b);
  TRY(const ByteView inside, reader.sized16(what));
  TRY_STATUS(reader.expect_done(what));
  return inside;
}

Result<tcb::WrappedObject> import(Device& device, const tpm::AuthenticationKeyParts& parts,
                                  const SecretBytes& inner_key) {
  Wiped<TPM2B_DATA> key;
  TPM2B_PRIVATE duplicate{};
  TPM2B_ENCRYPTED_SECRET seed{};
  TRY_STATUS(fill(key.value, &TPM2B_DATA::buffer, inner_key.reveal(), "inner key"));
  TRY_STATUS(fill(duplicate, &TPM2B_PRIVATE::buffer, parts.private_area, "TPM2B_PRIVATE"));
  TRY_STATUS(fill(seed, &TPM2B_ENCRYPTED_SECRET::secret, parts.encrypted_seed, "TPM2B_ENCRYPTED_SECRET"));
  TRY(const TPM2B_PUBLIC object, to_public(parts.object.tpm2b()));
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  TRY(const ESYS_TR srk, device.srk());
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<tcb::WrappedObject> {
    TPM2B_PRIVATE* raw = nullptr;
    TRY_STATUS(device.check(Esys_Import(device.esys(), srk, session, ESYS_TR_NONE, ESYS_TR_NONE, &key.value, &object,
                                        &duplicate, &seed, &symmetric, &raw),
                            "TPM2_Import"));
    const EsysPtr<TPM2B_PRIVATE> imported(raw);
    return tcb::WrappedObject{to_bytes(parts.object.tpm2b()), from_private(*imported)};
  });
}

}  // namespace

Result<tcb::WrappedObject> activate(Device& device, ByteView authentication_key, const tpm::HmacUse& use) {
  TRY(const tpm::AuthenticationKeyParts parts, tpm::AuthenticationKeyParts::parse(authentication_key, use));
  TRY(const ESYS_TR srk, device.srk());
  const Result<SecretBytes> inner_key = open_credential(device, srk, {parts.id_object, parts.encrypted_secret});
  if (!inner_key) return not_for_us(device, inner_key.error());
  constexpr std::size_t kInnerKeySize = 16;  // AES-128, which every DPS client says to TPM2_Import
  if (inner_key->size() != kInnerKeySize) {
    return invalid_input("tpm.activation.inner-key",
                         "expected an inner key of 16 bytes, " + std::to_string(inner_key->size()) + " came");
  }
  Result<tcb::WrappedObject> imported = import(device, parts, *inner_key);
  if (!imported) return not_for_us(device, imported.error());
  return imported;
}

Result<SecretBytes> activate_credential(Device& device, ESYS_TR object, ByteView id_object, ByteView encrypted_secret) {
  TRY(const ByteView credential, content_of(id_object, "id_object"));
  TRY(const ByteView secret, content_of(encrypted_secret, "encrypted_secret"));
  Result<SecretBytes> opened = open_credential(device, object, {credential, secret});
  if (!opened) return not_for_us(device, opened.error());
  return opened;
}

}  // namespace warifu::tpm_device
