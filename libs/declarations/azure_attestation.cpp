#include "declarations/azure_attestation.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace warifu::declarations {
namespace {

namespace json = boost::json;
using wire::JsonFields;

Error lost(std::string message) {
  return invalid_input("azure.attestation", std::move(message));
}

Result<json::object> convert_tpm(const JsonFields& azure, bool is_group) {
  if (is_group) return lost("Azure has no groups of TPMs");
  TRY(const auto ek, azure.required_string("endorsementKey"));
  return json::object{{"type", "tpm"}, {"tpm", json::object{{"endorsement_key", ek}}}};
}

Result<json::object> convert_keys(const JsonFields& azure) {
  json::object keys;
  for (const auto& [theirs, ours] :
       {std::pair{"primaryKey", "primary_key"}, std::pair{"secondaryKey", "secondary_key"}}) {
    TRY(const auto key, azure.optional_string(theirs));
    if (key && !key->empty()) keys[ours] = *key;
  }
  if (!keys.contains("primary_key"))
    return lost(
        "its keys are not in the export, and new ones would lock its devices out: add the output of `show "
        "--show-keys`");
  return json::object{{"type", "symmetric-key"}, {"symmetric_key", std::move(keys)}};
}

Result<std::optional<std::string>> certificate_of(const JsonFields& pair, std::string_view name) {
  TRY(const auto one, pair.optional_object(name));
  if (!one) return std::optional<std::string>();
  TRY(const auto certificate, one->optional_string("certificate"));
  if (certificate && !certificate->empty()) return certificate;
  if (one->find("info") != nullptr)
    return lost("the export has only what its certificate says (\"info\"), not the certificate: put it in");
  return std::optional<std::string>();
}

Result<json::object> convert_x509(const JsonFields& azure, bool is_group) {
  TRY(const auto pair, azure.optional_object(is_group ? "signingCertificates" : "clientCertificates"));
  if (!pair) {
    TRY(const auto references, azure.optional_object("caReferences"));
    if (references)
      return lost(
          "it names verified CAs of Azure's (caReferences): write a group with their certificates, which `az iot "
          "dps certificate show` gives");
    return lost("it has no certificates");
  }
  TRY(const auto primary, certificate_of(*pair, "primary"));
  TRY(const auto secondary, certificate_of(*pair, "secondary"));
  if (!primary && !secondary) return lost("it has no certificates");
  json::object certificates{{"primary", primary ? *primary : *secondary}};
  if (primary && secondary) certificates["secondary"] = *secondary;
  return json::object{{"type", "x509"}, {"x509", std::move(certificates)}};
}

// As `to` is, with what `from` has and `to` has not.
Status complete(json::value& to, const json::value& from, const std::string& where) {
  if (from.is_null() || from == to) return {};
  if (to.is_null() || to == "") {
    to = from;
    return {};
  }
  if (from == "") return {};
  if (!to.is_object() || !from.is_object())
    return invalid_input("azure.conflict", "it comes twice, and both differ here", where);
  for (const auto& member : from.get_object()) {
    TRY_STATUS(complete(to.get_object()[member.key()], member.value(),
                        fmt::format("{}.{}", where, std::string_view(member.key()))));
  }
  return {};
}

}  // namespace

Result<json::object> convert_azure_attestation(const JsonFields& azure, bool is_group) {
  TRY(const auto attestation, azure.required_object("attestation"));
  TRY(const auto type, attestation.required_string("type"));
  if (type == "tpm") {
    TRY(const auto tpm, attestation.required_object("tpm"));
    return convert_tpm(tpm, is_group);
  }
  if (type == "x509") {
    TRY(const auto x509, attestation.required_object("x509"));
    return convert_x509(x509, is_group);
  }
  if (type == "symmetricKey") {
    TRY(const auto keys, attestation.optional_object("symmetricKey"));
    const json::object none;
    return convert_keys(keys ? *keys : JsonFields(none));
  }
  return lost(fmt::format("its attestation is of the type \"{}\", which is not known", type));
}

Status complete_azure_attestation(json::object& object, const json::object& more) {
  const auto* from = more.if_contains("attestation");
  if (from == nullptr) return {};
  return complete(object["attestation"], *from, "attestation");
}

}  // namespace warifu::declarations
