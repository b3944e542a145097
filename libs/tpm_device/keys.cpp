#include "tpm_device/keys.h"

#include "tpm_device/marshal.h"
#include "tpm_types/object_attributes.h"

namespace warifu::tpm_device {
namespace {

TPM2B_PUBLIC keyed_hash_template(KeyedHashUse use, bool by_policy) {
  TPM2B_PUBLIC out{};
  out.publicArea.type = TPM2_ALG_KEYEDHASH;
  out.publicArea.nameAlg = TPM2_ALG_SHA256;
  out.publicArea.objectAttributes = tpm::kFixedTpm | tpm::kFixedParent | tpm::kNoDa;
  if (!by_policy) out.publicArea.objectAttributes |= tpm::kUserWithAuth;
  TPMT_KEYEDHASH_SCHEME& scheme = out.publicArea.parameters.keyedHashDetail.scheme;
  scheme.scheme = TPM2_ALG_NULL;
  if (use == KeyedHashUse::kHmac) {
    out.publicArea.objectAttributes |= tpm::kSign;
    scheme.scheme = TPM2_ALG_HMAC;
    scheme.details.hmac.hashAlg = TPM2_ALG_SHA256;
  }
  return out;
}

Result<tcb::WrappedObject> wrapped(const TPM2B_PRIVATE& private_area, const TPM2B_PUBLIC& public_area) {
  TRY(Bytes area, from_public(public_area));
  return tcb::WrappedObject{std::move(area), from_private(private_area)};
}

// TPML_PCR_SELECTION of the SHA-256 bank. "tpm.pcr" for a number above 23.
Result<TPML_PCR_SELECTION> selection_of(const tcb::PcrList& pcrs) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = TPM2_ALG_SHA256;
  out.pcrSelections[0].sizeofSelect = 3;
  for (const std::uint8_t pcr : pcrs) {
    if (pcr > 23) return invalid_input("tpm.pcr", "expected PCRs from 0 to 23, " + std::to_string(pcr) + " came");
    out.pcrSelections[0].pcrSelect[pcr / 8] |= static_cast<BYTE>(1u << (pcr % 8));
  }
  return out;
}

// A policy session in which the present PCRs are asserted.
Result<Handle> pcr_session(Device& device, const tcb::PcrList& pcrs) {
  TRY(const TPML_PCR_SELECTION selection, selection_of(pcrs));
  TRY(const ESYS_TR srk, device.srk());
  TRY(Handle policy, device.start_policy(srk, crypto::HashAlgorithm::kSha256));
  const TPM2B_DIGEST present{};
  TRY_STATUS(device.run(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(
        Esys_PolicyPCR(device.esys(), policy.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &present, &selection),
        "TPM2_PolicyPCR");
  }));
  return policy;
}

Result<Handle> load_once(Device& device, const TPM2B_PRIVATE& private_area, const TPM2B_PUBLIC& public_area) {
  TRY(const ESYS_TR srk, device.srk());
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<Handle> {
    ESYS_TR handle = ESYS_TR_NONE;
    TRY_STATUS(device.check(
        Esys_Load(device.esys(), srk, session, ESYS_TR_NONE, ESYS_TR_NONE, &private_area, &public_area, &handle),
        "TPM2_Load"));
    return Handle(device, handle, Handle::Kind::kInSlot);
  });
}

}  // namespace

Result<tcb::WrappedObject> create_keyed_hash(Device& device, KeyedHashUse use, const SecretBytes& sensitive,
                                             ByteView policy) {
  Wiped<TPM2B_SENSITIVE_CREATE> in;
  TRY_STATUS(fill(in.value.sensitive.data, &TPM2B_SENSITIVE_DATA::buffer, sensitive.reveal(), "sealed data"));
  TPM2B_PUBLIC area = keyed_hash_template(use, !policy.empty());
  TRY_STATUS(fill(area.publicArea.authPolicy, &TPM2B_DIGEST::buffer, policy, "policy"));
  TRY(const ESYS_TR srk, device.srk());
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<tcb::WrappedObject> {
    const TPM2B_DATA outside_info{};
    const TPML_PCR_SELECTION no_pcrs{};
    TPM2B_PRIVATE* raw_private = nullptr;
    TPM2B_PUBLIC* raw_public = nullptr;
    TRY_STATUS(device.check(Esys_Create(device.esys(), srk, session, ESYS_TR_NONE, ESYS_TR_NONE, &in.value, &area,
                                        &outside_info, &no_pcrs, &raw_private, &raw_public, nullptr, nullptr, nullptr),
                            "TPM2_Create"));
    const EsysPtr<TPM2B_PRIVATE> private_area(raw_private);
    const EsysPtr<TPM2B_PUBLIC> public_area(raw_public);
    return wrapped(*private_area, *public_area);
  });
}

// An error is signed by nobody, and callers drop what is dead: it is believed when the same is said in a session of its
// own, under the SRK that is found then.
Result<Handle> load(Device& device, const tcb::WrappedObject& object) {
  TRY(const TPM2B_PUBLIC public_area, to_public(object.public_area));
  TRY(const TPM2B_PRIVATE private_area, to_private(object.private_area));
  Result<Handle> loaded = load_once(device, private_area, public_area);
  if (!loaded && loaded.error().code == kIntegrity) {
    device.forget();
    loaded = load_once(device, private_area, public_area);
  }
  if (loaded || loaded.error().code != kIntegrity) return loaded;
  return Error{ErrorKind::kRefused, "tpm.key.dead",
               "the key was made under another SRK: the TPM was cleared or is not the same. " + loaded.error().message,
               loaded.error().where};
}

Result<SecretBytes> hmac(Device& device, const Handle& key, ByteView message) {
  Wiped<TPM2B_MAX_BUFFER> in;
  TRY_STATUS(fill(in.value, &TPM2B_MAX_BUFFER::buffer, message, "message"));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
    TPM2B_DIGEST* raw = nullptr;
    TRY_STATUS(device.check(
        Esys_HMAC(device.esys(), key.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &in.value, TPM2_ALG_SHA256, &raw),
        "TPM2_HMAC"));
    const EsysPtr<TPM2B_DIGEST> mac(raw);
    return take_secret(*mac, &TPM2B_DIGEST::buffer);
  });
}

Result<SecretBytes> random(Device& device, std::size_t size) {
  SecretBytes out(size);
  std::size_t have = 0;
  // A TPM gives as many bytes at once as its longest digest has (Part 3, TPM2_GetRandom).
  while (have < size) {
    const auto wanted = static_cast<UINT16>(std::min<std::size_t>(size - have, 32));
    TRY(const SecretBytes piece, device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
      TPM2B_DIGEST* raw = nullptr;
      TRY_STATUS(device.check(Esys_GetRandom(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, wanted, &raw),
                              "TPM2_GetRandom"));
      const EsysPtr<TPM2B_DIGEST> bytes(raw);
      return take_secret(*bytes, &TPM2B_DIGEST::buffer);
    }));
    if (piece.empty() || piece.size() > wanted) {
      return Error{
          ErrorKind::kUnavailable, "tpm.random",
          "the TPM gave " + std::to_string(piece.size()) + " random bytes, expected 1 to " + std::to_string(wanted)};
    }
    std::ranges::copy(piece.reveal(), out.reveal_writable().subspan(have).begin());
    have += piece.size();
  }
  return out;
}

Result<Bytes> pcr_policy(Device& device, const tcb::PcrList& pcrs) {
  TRY(const Handle policy, pcr_session(device, pcrs));
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<Bytes> {
    TPM2B_DIGEST* raw = nullptr;
    TRY_STATUS(
        device.check(Esys_PolicyGetDigest(device.esys(), policy.get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &raw),
                     "TPM2_PolicyGetDigest"));
    const EsysPtr<TPM2B_DIGEST> digest(raw);
    return to_bytes(content(*digest, &TPM2B_DIGEST::buffer));
  });
}

Result<SecretBytes> unseal(Device& device, const tcb::WrappedObject& object, const tcb::PcrList& pcrs) {
  TRY(const Handle loaded, load(device, object));
  std::optional<Handle> policy;
  if (!pcrs.empty()) {
    TRY(policy, pcr_session(device, pcrs));
  }
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
    // The policy authorizes, the session to the EK encrypts.
    const ESYS_TR authorizes = policy ? policy->get() : session;
    const ESYS_TR encrypts = policy ? session : ESYS_TR_NONE;
    TPM2B_SENSITIVE_DATA* raw = nullptr;
    TRY_STATUS(device.check(Esys_Unseal(device.esys(), loaded.get(), authorizes, encrypts, ESYS_TR_NONE, &raw),
                            "TPM2_Unseal"));
    const EsysPtr<TPM2B_SENSITIVE_DATA> data(raw);
    return take_secret(*data, &TPM2B_SENSITIVE_DATA::buffer);
  });
}

}  // namespace warifu::tpm_device
