#include "tpm_device/capability.h"

#include <fmt/format.h>

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {
namespace {

struct Question {
  TPM2_CAP capability;
  std::uint32_t first;
  std::uint32_t count;
};
struct Page {
  EsysPtr<TPMS_CAPABILITY_DATA> data;
  bool more;
};

Result<Page> ask(Device& device, const Question& question) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<Page> {
    TPMI_YES_NO more = 0;
    TPMS_CAPABILITY_DATA* raw = nullptr;
    TRY_STATUS(device.check(Esys_GetCapability(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, question.capability,
                                               question.first, question.count, &more, &raw),
                            "TPM2_GetCapability"));
    Page page{EsysPtr<TPMS_CAPABILITY_DATA>(raw), more == TPM2_YES};
    if (page.data->capability == question.capability) return page;
    return Error{ErrorKind::kUnavailable, "tpm.capability", "the TPM answered another question"};
  });
}

}  // namespace

Result<std::map<std::uint32_t, std::uint32_t>> read_properties(Device& device, std::uint32_t first,
                                                               std::uint32_t last) {
  std::map<std::uint32_t, std::uint32_t> out;
  for (bool more = true; more && first <= last;) {
    TRY(const Page page, ask(device, {TPM2_CAP_TPM_PROPERTIES, first, last - first + 1}));
    const TPML_TAGGED_TPM_PROPERTY& list = page.data->data.tpmProperties;
    // A page without an end would be asked for without an end.
    more = page.more && list.count > 0;
    for (std::uint32_t i = 0; i < list.count; ++i) {
      const TPMS_TAGGED_PROPERTY& entry = list.tpmProperty[i];
      if (entry.property < first) return out;
      if (entry.property <= last) out[entry.property] = entry.value;
      first = entry.property + 1;
    }
  }
  return out;
}

Result<std::uint32_t> read_property(Device& device, Property property) {
  TRY(const auto found, read_properties(device, property, property));
  if (const auto entry = found.find(property); entry != found.end()) return entry->second;
  return Error{ErrorKind::kUnavailable, "tpm.capability", fmt::format("the TPM has no property 0x{:x}", +property)};
}

Result<bool> has_p256(Device& device) {
  TRY(const Page page, ask(device, {TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P256, 1}));
  const TPML_ECC_CURVE& list = page.data->data.eccCurves;
  return list.count > 0 && list.eccCurves[0] == TPM2_ECC_NIST_P256;
}

Result<std::vector<std::uint32_t>> read_handles(Device& device, std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> out;
  for (bool more = true; more && first <= last;) {
    TRY(const Page page, ask(device, {TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES}));
    const TPML_HANDLE& list = page.data->data.handles;
    more = page.more && list.count > 0;
    for (std::uint32_t i = 0; i < list.count; ++i) {
      if (list.handle[i] < first || list.handle[i] > last) return out;
      out.push_back(list.handle[i]);
      first = list.handle[i] + 1;
    }
  }
  return out;
}

}  // namespace warifu::tpm_device
