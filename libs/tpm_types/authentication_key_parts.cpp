#include "tpm_types/authentication_key_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/reader.h"

namespace warifu::tpm {
namespace {

Error not_that_key(std::string_view field, const std::string& expected, const std::string& came) {
  return invalid_input("tpm.activation.object", fmt::format("expected {}, {} came", expected, came),
                       std::string(field));
}

// What is imported signs the device's tokens and does nothing else; a key that may decrypt, or one that some policy
// opens, is not what was asked for.
Status expect_hmac_key(const PublicArea& object, const HmacUse& use) {
  if (object.attributes() != use.attributes)
    return not_that_key("objectAttributes", to_string(use.attributes), to_string(object.attributes()));
  if (object.name_algorithm() != crypto::HashAlgorithm::kSha256)
    return not_that_key("nameAlg", "SHA-256", std::string(crypto::to_string(object.name_algorithm())));
  if (!std::ranges::equal(object.auth_policy(), use.policy))
    return not_that_key("authPolicy", use.policy.empty() ? "none" : to_hex(use.policy),
                        object.auth_policy().empty() ? "none" : to_hex(object.auth_policy()));
  const auto* parameters = std::get_if<KeyedHashParameters>(&object.parameters());
  const Scheme hmac_sha256{AlgorithmId::kHmac, crypto::HashAlgorithm::kSha256};
  if (parameters == nullptr || parameters->scheme != hmac_sha256)
    return not_that_key("scheme", "KEYEDHASH with HMAC and SHA-256", "another");
  if (object.unique().size() != crypto::digest_size(crypto::HashAlgorithm::kSha256))
    return not_that_key("unique", "32 bytes", fmt::format("{}", object.unique().size()));
  return {};
}

}  // namespace

Result<AuthenticationKeyParts> AuthenticationKeyParts::parse(ByteView blob, const HmacUse& use) {
  wire::Reader reader(blob);
  TRY(const ByteView id_object, reader.sized16("TPM2B_ID_OBJECT"));
  TRY(const ByteView encrypted_secret, reader.sized16("TPM2B_ENCRYPTED_SECRET of the credential"));
  TRY(const ByteView private_area, reader.sized16("TPM2B_PRIVATE"));
  TRY(const ByteView encrypted_seed, reader.sized16("TPM2B_ENCRYPTED_SECRET of the object"));
  TRY(const ByteView tpmt_public, reader.sized16("TPM2B_PUBLIC"));
  TRY(const ByteView uri_data, reader.sized16("TPM2B_DATA"));
  TRY_STATUS(reader.expect_done("authenticationKey"));
  TRY(PublicArea object, PublicArea::from_tpmt(tpmt_public));
  TRY_STATUS(expect_hmac_key(object, use));
  return AuthenticationKeyParts{to_bytes(id_object),      to_bytes(encrypted_secret), to_bytes(private_area),
                                to_bytes(encrypted_seed), std::move(object),          uri_data.size()};
}

}  // namespace warifu::tpm
