#include "crypto/ocsp_request.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/public_key_encoding.h"

namespace warifu::crypto {
namespace {

using OcspRequestHandle = Handle<OCSP_REQUEST, OCSP_REQUEST_free>;

constexpr std::array kOcspHashes = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                                    HashAlgorithm::kSha512};

Error no_ocsp_request(std::string message) {
  ERR_clear_error();
  return invalid_input("crypto.ocsp.form", std::move(message));
}

ByteView content_in(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::optional<HashAlgorithm> hash_named(const ASN1_OBJECT* object) {
  for (const HashAlgorithm hash : kOcspHashes)
    if (OBJ_obj2nid(object) == EVP_MD_get_type(evp_digest(hash))) return hash;
  return std::nullopt;
}

Result<Digest> digest_in(HashAlgorithm hash, const ASN1_OCTET_STRING* string) {
  Digest digest(hash);
  const ByteView bytes = content_in(string);
  if (bytes.size() != digest.size())
    return no_ocsp_request(
        fmt::format("expected the {} bytes of a {} digest, {} came", digest.size(), to_string(hash), bytes.size()));
  std::ranges::copy(bytes, digest.writable().begin());
  return digest;
}

Result<OcspCertId> to_id(OCSP_CERTID* given) {
  ASN1_OCTET_STRING* name = nullptr;
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_OCTET_STRING* key = nullptr;
  ASN1_INTEGER* serial = nullptr;
  require(OCSP_id_get0_info(&name, &algorithm, &key, &serial, given) == 1, "OCSP_id_get0_info");
  const auto hash = hash_named(algorithm);
  if (!hash) return refused("crypto.ocsp.hash", "expected an issuer by SHA-1, SHA-256, SHA-384 or SHA-512");
  TRY(const Digest issuer_name, digest_in(*hash, name));
  TRY(const Digest issuer_key, digest_in(*hash, key));
  auto number = SerialNumber::from_bytes(content_in(serial));
  if (!number || (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0)
    return no_ocsp_request("it asks about a serial number that is none");
  return OcspCertId{issuer_name, issuer_key, *number};
}

// One of 1 to 32 bytes in an OCTET STRING of its own (RFC 8954 §2.1).
Result<Bytes> to_nonce(const X509_EXTENSION* extension) {
  const ByteView value = content_in(X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension)));
  const std::uint8_t* end = value.data();
  const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> nonce(
      d2i_ASN1_OCTET_STRING(nullptr, &end, static_cast<long>(value.size())));
  if (nonce == nullptr || end != value.data() + value.size() || content_in(nonce.get()).empty() ||
      content_in(nonce.get()).size() > OcspRequest::kMaxNonceSize)
    return no_ocsp_request("expected a nonce of 1 to 32 bytes");
  return to_bytes(content_in(nonce.get()));
}

// Extensions of the request or of one question in it, by the functions that OpenSSL has for either.
template <auto Count, auto Get, class T>
Status check_known(T* holder) {
  for (int i = 0; i < Count(holder); ++i) {
    X509_EXTENSION* extension = Get(holder, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const bool is_known = nid == NID_id_pkix_OCSP_Nonce || nid == NID_id_pkix_OCSP_acceptableResponses;
    if (!is_known && X509_EXTENSION_get_critical(extension) == 1)
      return no_ocsp_request("it has a critical extension that is not known here");
  }
  return {};
}

Result<Bytes> nonce_in(OCSP_REQUEST* request) {
  const int at = OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, -1);
  if (at < 0) return Bytes();
  if (OCSP_REQUEST_get_ext_by_NID(request, NID_id_pkix_OCSP_Nonce, at) >= 0)
    return no_ocsp_request("expected one nonce at most");
  return to_nonce(OCSP_REQUEST_get_ext(request, at));
}

}  // namespace

OcspIssuer::OcspIssuer(const Certificate& issuer) {
  const Bytes name = to_der_bytes<i2d_X509_NAME>(X509_get_subject_name(issuer.native()));
  const ASN1_BIT_STRING* key = X509_get0_pubkey_bitstr(issuer.native());
  for (const HashAlgorithm hash : kOcspHashes)
    names_.push_back({digest(hash, {name}), digest(hash, {content_in(key)})});
}

const OcspIssuer::Names* OcspIssuer::names(HashAlgorithm hash) const {
  const auto found = std::ranges::find_if(names_, [&](const Names& names) { return names.name.algorithm() == hash; });
  return found == names_.end() ? nullptr : &*found;
}

OcspCertId OcspIssuer::id(HashAlgorithm hash, const SerialNumber& serial) const {
  const Names* names = this->names(hash);
  require(names != nullptr, "a hash of OCSP");
  return {names->name, names->key, serial};
}

bool OcspIssuer::is_issuer_of(const OcspCertId& id) const {
  const Names* names = this->names(id.issuer_name.algorithm());
  return names != nullptr && names->name == id.issuer_name && names->key == id.issuer_key;
}

Result<OcspRequest> OcspRequest::from_der(ByteView der) {
  if (der.size() > kMaxSize)
    return no_ocsp_request(fmt::format("expected at most {} bytes, {} came", kMaxSize, der.size()));
  const std::uint8_t* end = der.data();
  const OcspRequestHandle given(d2i_OCSP_REQUEST(nullptr, &end, static_cast<long>(der.size())));
  if (given == nullptr || end != der.data() + der.size()) return no_ocsp_request("expected one OCSP request in DER");
  const int count = OCSP_request_onereq_count(given.get());
  if (count < 1 || count > static_cast<int>(kMaxIds))
    return no_ocsp_request(fmt::format("expected questions about 1 to {} certificates, {} came", kMaxIds, count));
  TRY_STATUS((check_known<OCSP_REQUEST_get_ext_count, OCSP_REQUEST_get_ext>(given.get())));
  OcspRequest request;
  for (int i = 0; i < count; ++i) {
    OCSP_ONEREQ* question = OCSP_request_onereq_get0(given.get(), i);
    TRY_STATUS((check_known<OCSP_ONEREQ_get_ext_count, OCSP_ONEREQ_get_ext>(question)));
    TRY(auto id, to_id(OCSP_onereq_get0_id(question)));
    request.ids_.push_back(std::move(id));
  }
  TRY(request.nonce_, nonce_in(given.get()));
  return request;
}

}  // namespace warifu::crypto
