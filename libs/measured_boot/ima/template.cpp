#include "measured_boot/ima/template.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace warifu::measured_boot::ima {
namespace {

struct FieldInfo {
  FieldId id;
  std::string_view name;
  FieldForm form;
};
constexpr std::array kFields = {
    FieldInfo{FieldId::kDigest, "d", FieldForm::kDigest},
    FieldInfo{FieldId::kName, "n", FieldForm::kString},
    FieldInfo{FieldId::kDigestNg, "d-ng", FieldForm::kDigestWithAlgorithm},
    FieldInfo{FieldId::kDigestNgV2, "d-ngv2", FieldForm::kDigestWithAlgorithm},
    FieldInfo{FieldId::kNameNg, "n-ng", FieldForm::kString},
    FieldInfo{FieldId::kSignature, "sig", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kBuffer, "buf", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kModsigDigest, "d-modsig", FieldForm::kDigestWithAlgorithm},
    FieldInfo{FieldId::kModsig, "modsig", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kEvmSignature, "evmsig", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kXattrNames, "xattrnames", FieldForm::kString},
    FieldInfo{FieldId::kXattrLengths, "xattrlengths", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kXattrValues, "xattrvalues", FieldForm::kHexadecimal},
    FieldInfo{FieldId::kInodeUid, "iuid", FieldForm::kNumber},
    FieldInfo{FieldId::kInodeGid, "igid", FieldForm::kNumber},
    FieldInfo{FieldId::kInodeMode, "imode", FieldForm::kNumber},
    FieldInfo{FieldId::kUnknown, "?", FieldForm::kHexadecimal},
};

// Linux, security/integrity/ima/ima_template.c.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kBuiltIn = {{
    {"ima", "d|n"},
    {"ima-ng", "d-ng|n-ng"},
    {"ima-sig", "d-ng|n-ng|sig"},
    {"ima-ngv2", "d-ngv2|n-ng"},
    {"ima-sigv2", "d-ngv2|n-ng|sig"},
    {"ima-buf", "d-ng|n-ng|buf"},
    {"ima-modsig", "d-ng|n-ng|sig|d-modsig|modsig"},
    {"evm-sig", "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode"},
}};

const FieldInfo& info_of(FieldId id) {
  const auto* info = std::ranges::find(kFields, id, &FieldInfo::id);
  if (info == kFields.end()) std::abort();
  return *info;
}

std::optional<TemplateFormat> parse_fields(std::string_view list) {
  TemplateFormat format;
  while (true) {
    const std::string_view name = list.substr(0, list.find('|'));
    const auto* info = std::ranges::find(kFields, name, &FieldInfo::name);
    if (info == kFields.end() || info->id == FieldId::kUnknown || format.count == kMaxFields) return std::nullopt;
    format.fields[format.count++] = info->id;
    if (name.size() == list.size()) return format;
    list.remove_prefix(name.size() + 1);
  }
}

}  // namespace

std::string_view field_name(FieldId id) {
  return info_of(id).name;
}

FieldForm field_form(FieldId id) {
  return info_of(id).form;
}

std::optional<TemplateFormat> template_format(std::string_view name) {
  const auto* built_in = std::ranges::find(kBuiltIn, name, &decltype(kBuiltIn)::value_type::first);
  auto format = parse_fields(built_in == kBuiltIn.end() ? name : built_in->second);
  if (format) format->is_original = name == "ima";
  return format;
}

}  // namespace warifu::measured_boot::ima
