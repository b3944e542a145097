#include "crypto/certificate_request.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

constexpr std::string_view kRequestProfileCode = "crypto.request.profile";

void add_extension_request(X509_REQ* request, const GENERAL_NAMES* names) {
  ExtensionsHandle extensions(sk_X509_EXTENSION_new_null());
  X509_EXTENSION* extension = X509V3_EXT_i2d(NID_subject_alt_name, 0, const_cast<GENERAL_NAMES*>(names));
  require(extensions && extension && sk_X509_EXTENSION_push(extensions.get(), extension) > 0 &&
              X509_REQ_add_extensions(request, extensions.get()) == 1,
          "X509_REQ_add_extensions");
}

}  // namespace

Result<Bytes> make_certificate_request(const RequestProfile& profile, const Signer& key) {
  const RequestHandle request(X509_REQ_new());
  require(request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
              X509_REQ_set_pubkey(request.get(), key.native()) == 1,
          "X509_REQ_set_pubkey");
  TRY_STATUS(add_name_entries(X509_REQ_get_subject_name(request.get()),
                              {{NID_organizationName, profile.organization}, {NID_commonName, profile.common_name}},
                              kRequestProfileCode));
  const GeneralNamesHandle names(GENERAL_NAMES_new());
  require(names != nullptr, "GENERAL_NAMES_new");
  TRY_STATUS(push_names(names.get(), profile.dns_names, profile.ip_addresses, kRequestProfileCode));
  if (sk_GENERAL_NAME_num(names.get()) > 0) add_extension_request(request.get(), names.get());

  Signer::forget_failure();
  if (X509_REQ_sign(request.get(), key.native(), signature_digest(key.native())) <= 0) return Signer::failure();
  return to_der_bytes<i2d_X509_REQ>(request.get());
}

}  // namespace warifu::crypto
