#include "attestation/appraisal/quote_appraisal.h"

#include <fmt/format.h>

#include <algorithm>

#include "attestation/appraisal/places.h"
#include "measured_boot/ima/match.h"

namespace warifu::attestation {
namespace {

using measured_boot::kFirmwareRegisters;
using measured_boot::ima::kImaRegister;

bool is_zero(const crypto::Digest& digest) {
  return std::ranges::all_of(digest.bytes(), [](std::uint8_t byte) { return byte == 0; });
}

// PCR 0 to 7 are quoted and firmware measured nothing into them: whoever runs first can fill such a bank (L8).
bool is_unused(const measured_boot::Bank& bank) {
  for (measured_boot::RegisterIndex index = 0; index < kFirmwareRegisters; ++index) {
    const auto* value = bank.find(index);
    if (value == nullptr || !is_zero(*value)) return false;
  }
  return true;
}

void appraise_key(const AkPublic& ak, BareKeyUse bare, AttestationResult& result) {
  if (ak.identity() == nullptr) {
    result.add({Layer::kIdentity, bare == BareKeyUse::kTold ? Tier::kWarning : Tier::kContraindicated,
                "ak.attributes-unknown",
                "the AK came as a bare key: nothing shows that it is a restricted key of a TPM, which cannot sign a "
                "forged quote",
                "AK", "TPMT_PUBLIC", "SubjectPublicKeyInfo"});
    return;
  }
  result.add({Layer::kIdentity, Tier::kAffirming, "ak.signed", "the AK signed the quote, and is a restricted key", "AK",
              "", ak.identity()->name.text()});
}

void appraise_nonce(const VerifiedQuote& quote, AttestationResult& result) {
  const auto& nonce = quote.answered_nonce();
  if (!nonce) {
    result.add({Layer::kFreshness, Tier::kNone, "nonce.any", "any nonce was taken: the quote may be an old one",
                "extraData", "", to_hex(quote.attest().extra_data)});
    return;
  }
  const bool is_long = nonce->size() >= kNonceSizeMin;
  result.add({Layer::kFreshness, is_long ? Tier::kAffirming : Tier::kWarning,
              is_long ? "nonce.answered" : "nonce.short",
              is_long ? "the quote answers the nonce" : "the quote answers a nonce that may come again", "extraData",
              is_long ? "" : fmt::format("at least {} bytes", kNonceSizeMin), to_hex(*nonce)});
}

}  // namespace

void appraise_quote(const VerifiedQuote& quote, AttestationResult& result, BareKeyUse bare) {
  appraise_key(quote.ak(), bare, result);
  appraise_nonce(quote, result);
  if (quote.hash() == crypto::HashAlgorithm::kSha1) {
    result.add({Layer::kIdentity, Tier::kWarning, "quote.sha1", "the signature is over a SHA-1 digest", "hash",
                "SHA-256 or longer", "SHA-1"});
  }
  if (!quote.attest().clock.safe) {
    result.add({Layer::kFreshness, Tier::kWarning, "clock.unsafe",
                "the TPM was not shut down in order: its clock may have shown a later time before", "clockInfo.safe",
                "1", "0"});
  }
}

void appraise_registers(const ProvedRegisters& registers, AttestationResult& result, bool has_policy) {
  if (registers.values().banks().empty()) {
    result.add({Layer::kBoot, Tier::kWarning, "quote.empty", "the quote selects no register", "pcrSelect"});
    return;
  }
  if (!has_policy) {
    result.add({Layer::kBoot, Tier::kNone, "boot.no-reference-values",
                "the register values are proved, and no reference values were there to compare them with",
                "pcrDigest"});
  }
  for (const auto& bank : registers.values().banks()) {
    const std::string name(measured_boot::bank_name(bank.algorithm()));
    if (is_unused(bank)) {
      result.add({Layer::kBoot, Tier::kWarning, "boot.bank-unused", "firmware measured nothing into this bank", name,
                  "values in PCR 0 to 7", "zeros"});
    }
    const auto* ima = bank.find(kImaRegister);
    if (ima != nullptr && is_zero(*ima)) {
      result.add({Layer::kRuntime, Tier::kNone, "runtime.not-measured", "IMA measured nothing into this bank",
                  fmt::format("{}:{}", name, kImaRegister), "", "zeros"});
    }
  }
  for (const auto& [bank, index] : registers.unquoted()) {
    result.add({Layer::kBoot, Tier::kWarning, "registers.unquoted",
                "a value came that the quote does not prove; it is not used",
                fmt::format("{}:{}", measured_boot::bank_name(bank), index)});
  }
}

void appraise_required(const ProvedRegisters& registers, std::span<const RegisterPlace> required,
                       AttestationResult& result) {
  for (const auto& [bank, index] : required) {
    if (registers.find(bank, index) != nullptr) continue;
    result.add({Layer::kBoot, Tier::kContraindicated, "quote.register-unquoted",
                "the register is required, and the quote does not select it", place(bank, index), "a quoted value",
                "none"});
  }
}

void appraise_progress(const Progress& progress, AttestationResult& result) {
  for (const Anomaly anomaly : progress.anomalies) {
    const bool is_firmware = anomaly == Anomaly::kFirmwareChanged;
    const bool is_mild = is_firmware || anomaly == Anomaly::kClockMayHaveFallen;
    result.add({is_firmware ? Layer::kHardware : Layer::kFreshness, is_mild ? Tier::kWarning : Tier::kContraindicated,
                to_string(anomaly), "compared with an earlier quote of this AK",
                is_firmware ? "firmwareVersion" : "clockInfo"});
  }
}

void add_refusal(const Error& error, AttestationResult& result) {
  const bool is_nonce = error.code == "quote.nonce";
  const bool is_boot = error.code.starts_with("quote.pcr-digest") || error.code.starts_with("quote.register") ||
                       error.code.starts_with("quote.bank") || error.code.starts_with("eventlog.");
  const bool is_runtime = error.code.starts_with("ima.");
  const Layer layer = is_nonce     ? Layer::kFreshness
                      : is_boot    ? Layer::kBoot
                      : is_runtime ? Layer::kRuntime
                                   : Layer::kIdentity;
  result.add({layer, Tier::kContraindicated, error.code, error.message, error.where});
}

}  // namespace warifu::attestation
