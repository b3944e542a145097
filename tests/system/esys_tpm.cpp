#include "esys_tpm.h"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace warifu::test {
namespace {

struct EsysFree {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <class T>
using EsysPointer = std::unique_ptr<T, EsysFree>;

Status check(TSS2_RC rc, std::string_view command) {
  if (rc == TSS2_RC_SUCCESS) return {};
  return Error{ErrorKind::kRefused, "tpm.rc", Tss2_RC_Decode(rc), std::string(command)};
}

void must(TSS2_RC rc, const char* command) {
  if (rc == TSS2_RC_SUCCESS) return;
  std::fprintf(stderr, "%s: %s\n", command, Tss2_RC_Decode(rc));
  std::abort();
}

// A TPM2B whose bytes are in `Field`. What does not fit would be refused anyway.
template <class Sized, class Array>
Result<Sized> sized(ByteView bytes, Array Sized::*field) {
  Sized out{};
  if (bytes.size() > sizeof(out.*field)) return invalid_input("tpm.rc", "longer than the TPM2B holds");
  out.size = static_cast<UINT16>(bytes.size());
  std::ranges::copy(bytes, std::begin(out.*field));
  return out;
}

Result<TPM2B_PUBLIC> unmarshal_public(ByteView tpm2b) {
  TPM2B_PUBLIC out{};
  std::size_t offset = 0;
  TRY_STATUS(check(Tss2_MU_TPM2B_PUBLIC_Unmarshal(tpm2b.data(), tpm2b.size(), &offset, &out), "unmarshal"));
  return out;
}

TPM2_ALG_ID tss_hash(crypto::HashAlgorithm hash) {
  switch (hash) {
    case crypto::HashAlgorithm::kSha1:
      return TPM2_ALG_SHA1;
    case crypto::HashAlgorithm::kSha256:
      return TPM2_ALG_SHA256;
    case crypto::HashAlgorithm::kSha384:
      return TPM2_ALG_SHA384;
    case crypto::HashAlgorithm::kSha512:
      return TPM2_ALG_SHA512;
    case crypto::HashAlgorithm::kSm3:
      return TPM2_ALG_SM3_256;
  }
  std::abort();
}

constexpr TPMT_SIG_SCHEME kOwnScheme = {.scheme = TPM2_ALG_NULL, .details = {}};

EsysTpm::Quote attested(const EsysPointer<TPM2B_ATTEST>& attest, const EsysPointer<TPMT_SIGNATURE>& signature) {
  Bytes marshaled(sizeof *signature);
  std::size_t size = 0;
  must(Tss2_MU_TPMT_SIGNATURE_Marshal(signature.get(), marshaled.data(), marshaled.size(), &size), "marshal");
  marshaled.resize(size);
  return {Bytes(attest->attestationData, attest->attestationData + attest->size), std::move(marshaled)};
}

}  // namespace

Transient::~Transient() {
  if (tpm_ != nullptr) Esys_FlushContext(tpm_->esys_, handle_);
}

EsysTpm::EsysTpm(const std::string& tcti) {
  // Refusals are what the tests look for; the library would print each.
  setenv("TSS2_LOG", "all+NONE", 0);
  must(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "Tss2_TctiLdr_Initialize");
  must(Esys_Initialize(&esys_, tcti_, nullptr), "Esys_Initialize");
}

EsysTpm::~EsysTpm() {
  Esys_Finalize(&esys_);
  Tss2_TctiLdr_Finalize(&tcti_);
}

Result<Transient> EsysTpm::create_primary(ESYS_TR hierarchy, ByteView tpm2b_template) {
  TRY(const TPM2B_PUBLIC in, unmarshal_public(tpm2b_template));
  const TPM2B_SENSITIVE_CREATE sensitive{};
  const TPM2B_DATA outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TRY_STATUS(check(Esys_CreatePrimary(esys_, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in,
                                      &outside_info, &no_pcrs, &handle, nullptr, nullptr, nullptr, nullptr),
                   "TPM2_CreatePrimary"));
  return Transient(*this, handle);
}

Bytes EsysTpm::read_public(const Transient& object) {
  TPM2B_PUBLIC* raw = nullptr;
  must(Esys_ReadPublic(esys_, object.handle(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &raw, nullptr, nullptr),
       "TPM2_ReadPublic");
  const EsysPointer<TPM2B_PUBLIC> area(raw);
  Bytes out(sizeof *raw);
  std::size_t size = 0;
  must(Tss2_MU_TPM2B_PUBLIC_Marshal(area.get(), out.data(), out.size(), &size), "marshal");
  out.resize(size);
  return out;
}

Bytes EsysTpm::read_name(const Transient& object) {
  TPM2B_NAME* raw = nullptr;
  must(Esys_ReadPublic(esys_, object.handle(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, &raw, nullptr),
       "TPM2_ReadPublic");
  const EsysPointer<TPM2B_NAME> name(raw);
  return Bytes(name->name, name->name + name->size);
}

Result<ESYS_TR> EsysTpm::endorsement_session(crypto::HashAlgorithm hash) {
  TPMT_SYM_DEF no_encryption{};
  no_encryption.algorithm = TPM2_ALG_NULL;
  ESYS_TR session = ESYS_TR_NONE;
  TRY_STATUS(check(Esys_StartAuthSession(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         nullptr, TPM2_SE_POLICY, &no_encryption, tss_hash(hash), &session),
                   "TPM2_StartAuthSession"));
  TRY_STATUS(check(Esys_PolicySecret(esys_, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                     ESYS_TR_NONE, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
                   "TPM2_PolicySecret"));
  return session;
}

Result<Bytes> EsysTpm::activate_credential(const Transient& activate, const Transient& key,
                                           crypto::HashAlgorithm policy_hash, ByteView id_object,
                                           ByteView encrypted_secret) {
  TRY(const auto blob, sized(id_object, &TPM2B_ID_OBJECT::credential));
  TRY(const auto secret, sized(encrypted_secret, &TPM2B_ENCRYPTED_SECRET::secret));
  TRY(const ESYS_TR session, endorsement_session(policy_hash));
  TPM2B_DIGEST* raw = nullptr;
  const TSS2_RC rc = Esys_ActivateCredential(esys_, activate.handle(), key.handle(), ESYS_TR_PASSWORD, session,
                                             ESYS_TR_NONE, &blob, &secret, &raw);
  Esys_FlushContext(esys_, session);
  TRY_STATUS(check(rc, "TPM2_ActivateCredential"));
  const EsysPointer<TPM2B_DIGEST> content(raw);
  return Bytes(content->buffer, content->buffer + content->size);
}

Result<Transient> EsysTpm::import_and_load(const Transient& parent, ByteView inner_key, ByteView tpmt_public,
                                           ByteView private_area, ByteView encrypted_seed) {
  TRY(const auto key, sized(inner_key, &TPM2B_DATA::buffer));
  TRY(const auto duplicate, sized(private_area, &TPM2B_PRIVATE::buffer));
  TRY(const auto seed, sized(encrypted_seed, &TPM2B_ENCRYPTED_SECRET::secret));
  TPM2B_PUBLIC object{};
  std::size_t offset = 0;
  TRY_STATUS(check(Tss2_MU_TPMT_PUBLIC_Unmarshal(tpmt_public.data(), tpmt_public.size(), &offset, &object.publicArea),
                   "unmarshal"));
  TPMT_SYM_DEF_OBJECT symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  TPM2B_PRIVATE* raw = nullptr;
  TRY_STATUS(check(Esys_Import(esys_, parent.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &key, &object,
                               &duplicate, &seed, &symmetric, &raw),
                   "TPM2_Import"));
  const EsysPointer<TPM2B_PRIVATE> imported(raw);
  ESYS_TR handle = ESYS_TR_NONE;
  TRY_STATUS(check(
      Esys_Load(esys_, parent.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, imported.get(), &object, &handle),
      "TPM2_Load"));
  return Transient(*this, handle);
}

Result<Bytes> EsysTpm::hmac(const Transient& key, ByteView data) {
  TRY(const auto buffer, sized(data, &TPM2B_MAX_BUFFER::buffer));
  TPM2B_DIGEST* raw = nullptr;
  TRY_STATUS(check(
      Esys_HMAC(esys_, key.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &buffer, TPM2_ALG_SHA256, &raw),
      "TPM2_HMAC"));
  const EsysPointer<TPM2B_DIGEST> mac(raw);
  return Bytes(mac->buffer, mac->buffer + mac->size);
}

Result<EsysTpm::Quote> EsysTpm::quote(const Transient& key, ByteView nonce, const TPML_PCR_SELECTION& selection) {
  TRY(const auto qualifying, sized(nonce, &TPM2B_DATA::buffer));
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  TRY_STATUS(check(Esys_Quote(esys_, key.handle(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying,
                              &kOwnScheme, &selection, &attest, &signature),
                   "TPM2_Quote"));
  return attested(EsysPointer<TPM2B_ATTEST>(attest), EsysPointer<TPMT_SIGNATURE>(signature));
}

Result<EsysTpm::Quote> EsysTpm::certify(const Transient& key, ByteView nonce) {
  TRY(const auto qualifying, sized(nonce, &TPM2B_DATA::buffer));
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  TRY_STATUS(check(Esys_Certify(esys_, key.handle(), key.handle(), ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                &qualifying, &kOwnScheme, &attest, &signature),
                   "TPM2_Certify"));
  return attested(EsysPointer<TPM2B_ATTEST>(attest), EsysPointer<TPMT_SIGNATURE>(signature));
}

Result<crypto::Digest> EsysTpm::pcr(crypto::HashAlgorithm bank, std::uint32_t index) {
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  selection.pcrSelections[0].hash = tss_hash(bank);
  selection.pcrSelections[0].sizeofSelect = 3;
  selection.pcrSelections[0].pcrSelect[index / 8] = static_cast<BYTE>(1u << index % 8);
  TPML_DIGEST* raw = nullptr;
  TRY_STATUS(check(Esys_PCR_Read(esys_, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &selection, nullptr, nullptr, &raw),
                   "TPM2_PCR_Read"));
  const EsysPointer<TPML_DIGEST> values(raw);
  crypto::Digest value(bank);
  if (values->count != 1 || values->digests[0].size != value.size())
    return Error{ErrorKind::kRefused, "tpm.rc", "the bank is not active", "TPM2_PCR_Read"};
  std::copy_n(values->digests[0].buffer, value.size(), value.writable().begin());
  return value;
}

Status EsysTpm::measure(std::uint32_t index, ByteView event) {
  TRY(const auto data, sized(event, &TPM2B_EVENT::buffer));
  TPML_DIGEST_VALUES* digests = nullptr;
  TRY_STATUS(check(Esys_PCR_Event(esys_, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data, &digests),
                   "TPM2_PCR_Event"));
  Esys_Free(digests);
  return {};
}

Status EsysTpm::extend(std::uint32_t index, std::span<const crypto::Digest> digests) {
  TPML_DIGEST_VALUES values{};
  for (const crypto::Digest& digest : digests) {
    auto& value = values.digests[values.count++];
    value.hashAlg = tss_hash(digest.algorithm());
    std::ranges::copy(digest.bytes(), reinterpret_cast<BYTE*>(&value.digest));
  }
  return check(Esys_PCR_Extend(esys_, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values), "TPM2_PCR_Extend");
}

}  // namespace warifu::test
