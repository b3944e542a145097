#include "crypto/certificate_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>

#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using StoreCtxHandle = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using ObjectHandle = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using AddressHandle = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using PurposesHandle = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

// The stack does not own its certificates.
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using StackHandle = std::unique_ptr<STACK_OF(X509), FreeStack>;

constexpr std::size_t kPathSizeMax = 8;
// Of intermediates. The organisation has one.
constexpr int kDepthMax = 4;
// 112 bits: RSA-2048 (NIST SP 800-57 part 1). What it lets pass besides, P-224 and SHA-224, is refused below.
constexpr int kSecurityLevel = 2;

Error unknown_issuer(const Certificate& leaf, const Certificate& root, const char* reason) {
  return refused("crypto.path.issuer", fmt::format("the certificate of \"{}\" does not lead to the root \"{}\": {}",
                                                   leaf.subject(), root.subject(), reason));
}

// The certificate that OpenSSL stumbled over.
Certificate at_fault(X509_STORE_CTX* context, const Certificate& leaf) {
  X509* current = X509_STORE_CTX_get_current_cert(context);
  if (current == nullptr) return leaf.clone();
  auto copy = Certificate::from_der(to_der_bytes<i2d_X509>(current));
  return copy ? *std::move(copy) : leaf.clone();
}

Error explain(X509_STORE_CTX* context, const Certificate& leaf, const Certificate& root, PathTime time) {
  const int error = X509_STORE_CTX_get_error(context);
  const char* reason = X509_verify_cert_error_string(error);
  const Certificate culprit = at_fault(context, leaf);
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return unknown_issuer(leaf, root, reason);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return refused("crypto.path.expired",
                     fmt::format("the certificate of \"{}\" expired at {}; the time here is {}", culprit.subject(),
                                 to_rfc3339(culprit.not_after()), to_rfc3339(time.now)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return refused("crypto.path.not-yet-valid",
                     fmt::format("the certificate of \"{}\" is valid from {}; the time here is {}", culprit.subject(),
                                 to_rfc3339(culprit.not_before()), to_rfc3339(time.now)));
    case X509_V_ERR_INVALID_PURPOSE:
      return refused("crypto.path.purpose",
                     fmt::format("the certificate of \"{}\" is not for this use", culprit.subject()));
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return refused("crypto.path.weak", fmt::format("the certificate of \"{}\": {}", culprit.subject(), reason));
    default:
      return refused("crypto.path.invalid", fmt::format("the certificate of \"{}\": {}", culprit.subject(), reason));
  }
}

// For clocks that are known to be behind: only this one error is forgiven, everything else is still asked.
int forgive_not_yet_valid(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_CERT_NOT_YET_VALID) return ok;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

Status check_strength(const Certificate& certificate, bool is_root) {
  const auto weak = [&](std::string_view what) {
    return refused("crypto.path.weak", fmt::format("the certificate of \"{}\" {}", certificate.subject(), what));
  };
  if (!certificate.public_key()) return weak("has a key that is not EC P-256, EC P-384 or RSA of 2048 to 4096 bits");
  int hash = NID_undef;
  // Nobody relies on the root's own signature: it is pinned.
  if (is_root || (X509_get_signature_info(certificate.native(), &hash, nullptr, nullptr, nullptr) == 1 &&
                  (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512)))
    return {};
  return weak("is signed over a hash that is not SHA-256, SHA-384 or SHA-512");
}

Status check_strengths(X509_STORE_CTX* context) {
  const auto* chain = X509_STORE_CTX_get0_chain(context);
  const int size = sk_X509_num(chain);
  for (int i = 0; i < size; ++i) {
    TRY(const auto certificate, Certificate::from_der(to_der_bytes<i2d_X509>(sk_X509_value(chain, i))));
    TRY_STATUS(check_strength(certificate, i == size - 1));
  }
  return {};
}

// A CA's certificate or one without extended key usages would pass OpenSSL's own check of the purpose.
Status check_leaf(const Certificate& leaf, const char* oid, std::uint32_t key_usage) {
  const auto unfit = [&](std::string_view what) {
    return refused("crypto.path.purpose", fmt::format("the certificate of \"{}\" {}", leaf.subject(), what));
  };
  if (X509_check_ca(leaf.native()) != 0) return unfit("is that of a CA");
  // Without the extension OpenSSL says that everything is allowed.
  const bool says_usage = (X509_get_extension_flags(leaf.native()) & EXFLAG_KUSAGE) != 0;
  if (!says_usage || (X509_get_key_usage(leaf.native()) & key_usage) == 0)
    return unfit("has no keyUsage that allows this");
  const ObjectHandle wanted(OBJ_txt2obj(oid, 1));
  require(wanted != nullptr, "OBJ_txt2obj");
  const PurposesHandle purposes(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(leaf.native(), NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; purposes && i < sk_ASN1_OBJECT_num(purposes.get()); ++i)
    if (OBJ_cmp(sk_ASN1_OBJECT_value(purposes.get(), i), wanted.get()) == 0) return {};
  return unfit(fmt::format("lacks the extended key usage {}", oid));
}

// OpenSSL has looked at the usages that it states; a CA's own certificate is no device's.
Status check_client(const Certificate& leaf) {
  if (X509_check_ca(leaf.native()) == 0) return {};
  return refused("crypto.path.purpose", fmt::format("the certificate of \"{}\" is that of a CA", leaf.subject()));
}

Status check_name(const Certificate& leaf, const std::string& name) {
  const AddressHandle address(a2i_IPADDRESS(name.c_str()));
  ERR_clear_error();
  constexpr unsigned kFlags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  const bool matches = address != nullptr
                           ? X509_check_ip_asc(leaf.native(), name.c_str(), 0) == 1
                           : X509_check_host(leaf.native(), name.data(), name.size(), kFlags, nullptr) == 1;
  if (matches && !name.empty()) return {};
  auto stated = leaf.dns_names();
  std::ranges::copy(leaf.ip_addresses(), std::back_inserter(stated));
  return refused("crypto.path.name",
                 fmt::format("expected a certificate for \"{}\", this one is for {}", name,
                             stated.empty() ? "no name" : fmt::format("{}", fmt::join(stated, ", "))));
}

// What the leaf itself must say. RFC 5280 §4.2.1.12: serverAuth.
Status check_use(const Certificate& leaf, const CertificateUse& use) {
  if (const auto* other = std::get_if<ExtendedKeyUse>(&use))
    return check_leaf(leaf, other->oid.c_str(), KU_KEY_AGREEMENT);
  if (std::holds_alternative<ClientUse>(use)) return check_client(leaf);
  TRY_STATUS(check_leaf(leaf, "1.3.6.1.5.5.7.3.1", KU_DIGITAL_SIGNATURE));
  return check_name(leaf, std::get<ServerUse>(use).name);
}

void set_parameters(X509_STORE_CTX* context, const CertificateUse& use, PathTime time) {
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  const bool is_client = std::holds_alternative<ClientUse>(use);
  X509_VERIFY_PARAM_set_flags(
      parameters, X509_V_FLAG_TRUSTED_FIRST | (is_client ? X509_V_FLAG_PARTIAL_CHAIN : X509_V_FLAG_X509_STRICT));
  X509_VERIFY_PARAM_set_depth(parameters, kDepthMax);
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::floor<std::chrono::seconds>(time.now).time_since_epoch().count());
  if (std::holds_alternative<ServerUse>(use))
    require(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1, "X509_VERIFY_PARAM_set_purpose");
  if (is_client)
    require(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT) == 1, "X509_VERIFY_PARAM_set_purpose");
  if (!time.check_not_before) X509_STORE_CTX_set_verify_cb(context, forgive_not_yet_valid);
}

}  // namespace

Status verify_certificate_path(std::span<const Certificate> path, const Certificate& root, const CertificateUse& use,
                               PathTime time) {
  if (path.empty() || path.size() > kPathSizeMax)
    return refused("crypto.path.invalid",
                   fmt::format("expected 1 to {} certificates, {} came", kPathSizeMax, path.size()));
  const StoreHandle store(X509_STORE_new());
  const StackHandle others(sk_X509_new_null());
  const StoreCtxHandle context(X509_STORE_CTX_new());
  require(store && others && context && X509_STORE_add_cert(store.get(), root.native()) == 1, "X509_STORE");
  for (const Certificate& other : path.subspan(1))
    require(sk_X509_push(others.get(), other.native()) > 0, "sk_X509_push");
  const Certificate& leaf = path.front();
  require(X509_STORE_CTX_init(context.get(), store.get(), leaf.native(), others.get()) == 1, "X509_STORE_CTX_init");
  set_parameters(context.get(), use, time);

  if (X509_verify_cert(context.get()) != 1) return explain(context.get(), leaf, root, time);
  TRY_STATUS(check_strengths(context.get()));
  return check_use(leaf, use);
}

}  // namespace warifu::crypto
