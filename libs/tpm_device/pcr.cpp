#include "tpm_device/pcr.h"

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <optional>

#include "tpm_device/marshal.h"
#include "tpm_types/algorithm.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint8_t kMaxPcr = 23;

Error unavailable(std::string message) {
  return {ErrorKind::kUnavailable, "tpm.pcr", std::move(message)};
}

// Registers of one bank, bit n for PCR n.
struct Wanted {
  crypto::HashAlgorithm bank;
  std::uint32_t mask;
};

TPMI_ALG_HASH id_of(crypto::HashAlgorithm bank) {
  return static_cast<TPMI_ALG_HASH>(tpm::algorithm_of(bank));
}

TPMS_PCR_SELECTION to_tpms(const Wanted& wanted) {
  TPMS_PCR_SELECTION out{};
  out.hash = id_of(wanted.bank);
  out.sizeofSelect = 3;
  for (std::size_t i = 0; i < 3; ++i)
    out.pcrSelect[i] = static_cast<BYTE>(wanted.mask >> (8 * i));
  return out;
}

std::uint32_t mask_of(const TPML_PCR_SELECTION& selection, crypto::HashAlgorithm bank) {
  if (selection.count == 0 || selection.pcrSelections[0].hash != id_of(bank)) return 0;
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < 3; ++i)
    mask |= std::uint32_t{selection.pcrSelections[0].pcrSelect[i]} << (8 * i);
  return mask;
}

struct PcrPage {
  std::uint32_t update_counter;
  std::uint32_t mask;
  std::vector<PcrValue> values;
};

Result<PcrPage> read_page(Device& device, ESYS_TR session, const Wanted& wanted) {
  TPML_PCR_SELECTION in{};
  in.count = 1;
  in.pcrSelections[0] = to_tpms(wanted);
  PcrPage page{};
  TPML_PCR_SELECTION* raw_selection = nullptr;
  TPML_DIGEST* raw_digests = nullptr;
  TRY_STATUS(device.check(Esys_PCR_Read(device.esys(), session, ESYS_TR_NONE, ESYS_TR_NONE, &in, &page.update_counter,
                                        &raw_selection, &raw_digests),
                          "TPM2_PCR_Read"));
  const EsysPtr<TPML_PCR_SELECTION> selection(raw_selection);
  const EsysPtr<TPML_DIGEST> digests(raw_digests);
  page.mask = mask_of(*selection, wanted.bank) & wanted.mask;
  std::uint32_t next = 0;
  for (std::uint8_t pcr = 0; pcr <= kMaxPcr; ++pcr) {
    if ((page.mask & (1u << pcr)) == 0) continue;
    PcrValue value{pcr, crypto::Digest(wanted.bank)};
    if (next >= digests->count || digests->digests[next].size != value.value.size())
      return unavailable("the TPM gave other PCRs than it says");
    std::ranges::copy(content(digests->digests[next++], &TPM2B_DIGEST::buffer), value.value.writable().begin());
    page.values.push_back(value);
  }
  return page;
}

Result<PcrPage> read_page(Device& device, const Wanted& wanted) {
  return device.run(Protect::kAnswers, [&](ESYS_TR session) { return read_page(device, session, wanted); });
}

// nullopt: something was extended in between.
Result<std::optional<std::vector<PcrValue>>> try_read(Device& device, Wanted wanted) {
  std::map<std::uint8_t, PcrValue> found;
  std::optional<std::uint32_t> counter;
  while (wanted.mask != 0) {
    TRY(PcrPage page, read_page(device, wanted));  // at most eight at once
    if (page.mask == 0)
      return unavailable(
          fmt::format("the TPM has no {} bank with these PCRs: enable it in the firmware", to_string(wanted.bank)));
    if (counter && *counter != page.update_counter) return std::optional<std::vector<PcrValue>>();
    counter = page.update_counter;
    wanted.mask &= ~page.mask;
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

Result<tpm::PolicyPcrs> pcr_selection(const tcb::PcrList& pcrs) {
  tpm::PolicyPcrs selection;
  for (const std::uint8_t pcr : pcrs) {
    if (pcr > kMaxPcr)
      return invalid_input("tpm.pcr", fmt::format("expected PCRs from 0 to {}, {} came", kMaxPcr, pcr));
    selection.mask |= 1u << pcr;
  }
  return selection;
}

Result<TPML_PCR_SELECTION> to_selection(const tcb::RegisterSelection& registers) {
  TPML_PCR_SELECTION out{};
  if (registers.size() > std::size(out.pcrSelections))
    return invalid_input("tpm.pcr", fmt::format("expected at most {} banks", std::size(out.pcrSelections)));
  for (const tcb::BankRegisters& one : registers) {
    TRY(const tpm::PolicyPcrs selection, pcr_selection(one.pcrs));
    out.pcrSelections[out.count++] = to_tpms({one.bank, selection.mask});
  }
  return out;
}

Result<std::vector<PcrValue>> read_pcrs(Device& device, const tcb::PcrList& pcrs) {
  return read_pcrs(device, tcb::BankRegisters{crypto::HashAlgorithm::kSha256, pcrs});
}

Result<std::vector<PcrValue>> read_pcrs(Device& device, const tcb::BankRegisters& registers) {
  TRY(const tpm::PolicyPcrs selection, pcr_selection(registers.pcrs));
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    TRY(auto values, try_read(device, {registers.bank, selection.mask}));
    if (values) return *std::move(values);
  }
  return unavailable(fmt::format("the PCRs changed during each of {} readings", kTries));
}

Result<std::vector<PcrValue>> read_pcrs_once(Device& device, ESYS_TR session, const tcb::PcrList& pcrs) {
  TRY(const tpm::PolicyPcrs selection, pcr_selection(pcrs));
  TRY(PcrPage page, read_page(device, session, {crypto::HashAlgorithm::kSha256, selection.mask}));
  return std::move(page.values);
}

Result<TPML_DIGEST_VALUES> to_digest_values(const crypto::Digest& digest) {
  TPML_DIGEST_VALUES values{};
  values.count = 1;
  values.digests[0].hashAlg = TPM2_ALG_SHA256;
  if (digest.size() != sizeof values.digests[0].digest.sha256)
    return invalid_input("tpm.pcr", fmt::format("expected a SHA-256 digest, {} bytes came", digest.size()));
  std::ranges::copy(digest.bytes(), values.digests[0].digest.sha256);
  return values;
}

Status extend_pcr(Device& device, std::uint8_t pcr, const crypto::Digest& digest) {
  if (pcr > kMaxPcr) return invalid_input("tpm.pcr", fmt::format("expected a PCR from 0 to {}, {} came", kMaxPcr, pcr));
  TRY(const TPML_DIGEST_VALUES values, to_digest_values(digest));
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
