#include "tpm_device/pcr.h"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "tpm_device/marshal.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint8_t kMaxPcr = 23;

Error unavailable(std::string message) {
  return {ErrorKind::kUnavailable, "tpm.pcr", std::move(message)};
}

TPML_PCR_SELECTION to_tpml(std::uint32_t mask) {
  TPML_PCR_SELECTION out{};
  out.count = 1;
  out.pcrSelections[0].hash = TPM2_ALG_SHA256;
  out.pcrSelections[0].sizeofSelect = 3;
  for (std::size_t i = 0; i < 3; ++i)
    out.pcrSelections[0].pcrSelect[i] = static_cast<BYTE>(mask >> (8 * i));
  return out;
}

std::uint32_t mask_of(const TPML_PCR_SELECTION& selection) {
  if (selection.count == 0 || selection.pcrSelections[0].hash != TPM2_ALG_SHA256) return 0;
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < 3; ++i)
    mask |= std::uint32_t{selection.pcrSelections[0].pcrSelect[i]} << (8 * i);
  return mask;
}

struct Page {
  std::uint32_t update_counter;
  std::uint32_t mask;
  std::vector<PcrValue> values;
};

Result<Page> read_page(Device& device, std::uint32_t mask) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) -> Result<Page> {
    const TPML_PCR_SELECTION in = to_tpml(mask);
    Page page{};
    TPML_PCR_SELECTION* raw_selection = nullptr;
    TPML_DIGEST* raw_digests = nullptr;
    TRY_STATUS(device.check(Esys_PCR_Read(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, &in, &page.update_counter,
                                          &raw_selection, &raw_digests),
                            "TPM2_PCR_Read"));
    const EsysPtr<TPML_PCR_SELECTION> selection(raw_selection);
    const EsysPtr<TPML_DIGEST> digests(raw_digests);
    page.mask = mask_of(*selection) & mask;
    std::uint32_t next = 0;
    for (std::uint8_t pcr = 0; pcr <= kMaxPcr; ++pcr) {
      if ((page.mask & (1u << pcr)) == 0) continue;
      PcrValue value{pcr, crypto::Digest(crypto::HashAlgorithm::kSha256)};
      if (next >= digests->count || digests->digests[next].size != value.value.size())
        return unavailable("the TPM gave other PCRs than it says");
      std::ranges::copy(content(digests->digests[next++], &TPM2B_DIGEST::buffer), value.value.writable().begin());
      page.values.push_back(value);
    }
    return page;
  });
}

// nullopt: something was extended in between.
Result<std::optional<std::vector<PcrValue>>> try_read(Device& device, std::uint32_t mask) {
  std::map<std::uint8_t, PcrValue> found;
  std::optional<std::uint32_t> counter;
  while (mask != 0) {
    TRY(Page page, read_page(device, mask));  // at most eight at once
    if (page.mask == 0) return unavailable("the TPM has no SHA-256 bank with these PCRs: enable it in the firmware");
    if (counter && *counter != page.update_counter) return std::optional<std::vector<PcrValue>>();
    counter = page.update_counter;
    mask &= ~page.mask;
    for (const PcrValue& value : page.values)
      found.emplace(value.pcr, value);
  }
  std::vector<PcrValue> out;
  out.reserve(found.size());
  for (const auto& [pcr, value] : found)
    out.push_back(value);
  return std::optional(std::move(out));
}

}  // namespace

Result<tpm::PcrSelection> pcr_selection(const tcb::PcrList& pcrs) {
  tpm::PcrSelection selection;
  for (const std::uint8_t pcr : pcrs) {
    if (pcr > kMaxPcr)
      return invalid_input("tpm.pcr", fmt::format("expected PCRs from 0 to {}, {} came", kMaxPcr, pcr));
    selection.mask |= 1u << pcr;
  }
  return selection;
}

Result<std::vector<PcrValue>> read_pcrs(Device& device, const tcb::PcrList& pcrs) {
  TRY(const tpm::PcrSelection selection, pcr_selection(pcrs));
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    TRY(auto values, try_read(device, selection.mask));
    if (values) return *std::move(values);
  }
  return unavailable(fmt::format("the PCRs changed during each of {} readings", kTries));
}

Status extend_pcr(Device& device, std::uint8_t pcr, const crypto::Digest& digest) {
  if (pcr > kMaxPcr) return invalid_input("tpm.pcr", fmt::format("expected a PCR from 0 to {}, {} came", kMaxPcr, pcr));
  TPML_DIGEST_VALUES values{};
  values.count = 1;
  values.digests[0].hashAlg = TPM2_ALG_SHA256;
  if (digest.size() != sizeof values.digests[0].digest.sha256)
    return invalid_input("tpm.pcr", fmt::format("expected a SHA-256 digest, {} bytes came", digest.size()));
  std::ranges::copy(digest.bytes(), values.digests[0].digest.sha256);
  return device.run_once(Protect::kAnswers, [&](ESYS_TR session) {
    return device.check(
        Esys_PCR_Extend(device.esys(), ESYS_TR_PCR0 + pcr, session, ESYS_TR_NONE, ESYS_TR_NONE, &values),
        "TPM2_PCR_Extend");
  });
}

crypto::Digest pcr_digest(const std::vector<PcrValue>& values) {
  Bytes all;
  for (const PcrValue& value : values)
    all.insert(all.end(), value.value.bytes().begin(), value.value.bytes().end());
  return crypto::digest(crypto::HashAlgorithm::kSha256, {all});
}

}  // namespace warifu::tpm_device
