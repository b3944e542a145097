#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "crypto/certificate.h"
#include "measured_boot/claims/claims.h"
#include "warifu/eventlog_output.h"
#include "warifu/proof_json.h"
#include "warifu/windows_claims_output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace measured_boot;

template <class T>
json::value optional(const std::optional<Proved<T>>& claim) {
  if (!claim) return nullptr;
  if constexpr (std::is_same_v<T, bool>)
    return proved(json::value(claim->value()), *claim);
  else
    return proved(json::value(printable(claim->value())), *claim);
}

json::object to_json(const Signature& signature, std::string_view type) {
  json::object object{{"type", type}, {"owner", measured_boot::to_string(signature.owner)}};
  const auto certificate = crypto::Certificate::from_der(signature.data);
  if (certificate) {
    object["subject"] = certificate->subject();
    object["sha256"] = to_hex(certificate->fingerprint_sha256().bytes());
  } else if (type == "sha256") {
    object["sha256"] = to_hex(signature.data);
  } else {
    object["size"] = signature.data.size();
  }
  return object;
}

json::value database(const std::optional<Proved<SignatureDatabase>>& claim) {
  if (!claim) return nullptr;
  json::array signatures;
  for (const Signature& signature : (*claim)->signatures)
    signatures.push_back(to_json(signature, signature_type_name(signature.type)));
  return proved(std::move(signatures), *claim);
}

json::array authorities(const Claims& claims) {
  json::array all;
  for (const Authority& authority : claims.authorities.found()) {
    json::object object{{"name", authority.variable ? proved(authority.told_name.value, *authority.variable)
                                                    : described(authority.told_name.value, authority.told_name)},
                        {"in_db", authority.is_in_db}};
    if (authority.signature) {
      object["signature"] = proved(to_json(**authority.signature, "x509"), *authority.signature);
    } else {
      const auto certificate = crypto::Certificate::from_der(*authority.value);
      object["value"] =
          proved(certificate ? json::value(certificate->subject()) : json::value(printable(as_text(*authority.value))),
                 authority.value);
    }
    all.push_back(std::move(object));
  }
  return all;
}

json::array disks(const Claims& claims) {
  json::array all;
  for (const auto& disk : claims.disks) {
    json::array partitions;
    for (const Partition& partition : disk->partitions)
      partitions.push_back(json::object{{"id", measured_boot::to_string(partition.id)},
                                        {"type", measured_boot::to_string(partition.type)},
                                        {"name", printable(partition.name)}});
    all.push_back(
        proved(json::object{{"disk", measured_boot::to_string(disk->disk)}, {"partitions", partitions}}, disk));
  }
  return all;
}

json::array findings_of(const Claims& claims) {
  json::array all;
  for (const ClaimFinding& finding : claims.findings) {
    json::object object{{"code", finding.code}, {"detail", printable(finding.detail)}, {"event", nullptr}};
    if (finding.event) object["event"] = *finding.event;
    all.push_back(std::move(object));
  }
  return all;
}

}  // namespace

json::object to_json(const Claims& claims) {
  const auto& secure = claims.secure_boot;
  json::array images;
  for (const BootImage& image : claims.images.found())
    images.push_back(json::object{{"digest", proved(to_hex(image.digest->bytes()), image.digest)},
                                  {"path", described(printable(image.path.value), image.path)}});
  json::array contents;
  for (const MeasuredContent& content : claims.contents)
    contents.push_back(json::object{{"digest", proved(to_hex(content.digest->bytes()), content.digest)},
                                    {"name", described(printable(content.name.value), content.name)}});
  json::array sections;
  for (const UkiSection& section : claims.sections)
    sections.push_back(json::object{{"name", proved(printable(*section.name), section.name)},
                                    {"content", proved(to_hex(section.content->bytes()), section.content)}});
  json::array commands = proved_each(claims.commands, [](const std::string& command) { return printable(command); });
  json::array told;
  for (const auto& line : claims.told_command_lines)
    told.push_back(described(printable(line.value), line));
  return {{"bank", bank_name(claims.bank)},
          {"firmware_version", optional(claims.firmware_version)},
          {"secure_boot",
           {{"enabled", optional(secure.enabled)},
            {"pk", database(secure.pk)},
            {"kek", database(secure.kek)},
            {"db", database(secure.db)},
            {"dbx", database(secure.dbx)}}},
          {"authorities", authorities(claims)},
          {"authorities_complete", claims.authorities.complete() != nullptr},
          {"sbat_level", optional(claims.sbat_level)},
          {"images", std::move(images)},
          {"images_complete", claims.images.complete() != nullptr},
          {"grub_commands", std::move(commands)},
          {"contents", std::move(contents)},
          {"uki_sections", std::move(sections)},
          {"kernel", measured_boot::to_string(claims.kernel)},
          {"kernel_command_line", optional(claims.kernel_command_line)},
          {"told_command_lines", std::move(told)},
          {"memory_overwrite_requested", optional(claims.memory_overwrite_requested)},
          {"disks", disks(claims)},
          {"dma_protection_disabled", optional(claims.dma_protection_disabled)},
          {"windows", to_json(claims.windows)},
          {"findings", findings_of(claims)}};
}

}  // namespace warifu::cli
