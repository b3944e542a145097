#include "signing_keys/tpm_key_file.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "tpm_types/public_area.h"
#include "wire/json.h"

namespace warifu::signing_keys {
namespace {

namespace json = boost::json;

constexpr std::string_view kTpmKeyFormat = "warifu.tpm-key.v1";
constexpr std::uint32_t kNeeded = tpm::kSign | tpm::kFixedTpm | tpm::kFixedParent | tpm::kSensitiveDataOrigin;

}  // namespace

Result<TpmKeyFile> TpmKeyFile::parse(std::string_view text) {
  TRY(const auto value, wire::parse_json(text));
  TRY(const auto fields, wire::JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "name", "public", "private"}));
  TRY(const auto format, fields.required_string("format"));
  if (format != kTpmKeyFormat)
    return invalid_input("tpm_key.format", fmt::format("expected \"{}\"", kTpmKeyFormat), "format");
  TRY(const auto name_text, fields.required_string("name"));
  TRY(auto name, KeyName::parse(name_text));
  TRY(auto public_area, fields.required_bytes("public"));
  TRY(auto private_area, fields.required_bytes("private"));
  return TpmKeyFile{std::move(name), {std::move(public_area), std::move(private_area)}};
}

std::string TpmKeyFile::to_json() const {
  return json::serialize(json::object{{"format", kTpmKeyFormat},
                                      {"name", name.text()},
                                      {"public", to_base64(object.public_area)},
                                      {"private", to_base64(object.private_area)}}) +
         "\n";
}

Result<crypto::EcPublicKey> TpmKeyFile::point() const {
  TRY(const auto area, tpm::PublicArea::from_tpm2b(object.public_area));
  const auto* ecc = std::get_if<tpm::EccParameters>(&area.parameters());
  if (ecc == nullptr || !area.attributes().has_all(kNeeded) || area.attributes().has_any(tpm::kRestricted))
    return invalid_input("tpm_key.public",
                         fmt::format("expected an ECC key that signs anything and stays in its TPM, {} came",
                                     to_string(area.attributes())),
                         "public");
  return crypto::EcPublicKey::from_affine(ecc->curve, area.unique(), area.unique_y());
}

}  // namespace warifu::signing_keys
