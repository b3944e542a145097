#include "attestation/appraisal/log_appraisal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "measured_boot/event_log/comparison.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/ima/boot_aggregate.h"
#include "measured_boot/ima/match.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using measured_boot::Bank;
using measured_boot::bank_name;
using measured_boot::RegisterComparison;
using measured_boot::RegisterIndex;
using measured_boot::RegisterSet;
using measured_boot::ima::kImaRegister;

constexpr RegisterIndex kFirmwareRegisters = 8;
constexpr RegisterIndex kOtherRegisters = 16;
constexpr std::array kStrongestFirst = {HashAlgorithm::kSha512, HashAlgorithm::kSha384, HashAlgorithm::kSha256,
                                        HashAlgorithm::kSm3, HashAlgorithm::kSha1};

std::string place(const Bank& bank, RegisterIndex index) {
  return fmt::format("{}:{}", bank_name(bank.algorithm()), index);
}

std::string hex_of(const crypto::Digest* digest) {
  return digest == nullptr ? "" : to_hex(digest->bytes());
}

// IMA tells of PCR 10 itself, and whatever uses PCR 16 and above is not the boot.
Tier weight_of_unlogged(RegisterIndex index, Tier worst) {
  if (index < kFirmwareRegisters) return worst;
  return index == kImaRegister || index >= kOtherRegisters ? Tier::kNone : Tier::kWarning;
}

// `worst`: what a difference in this bank weighs.
void add_difference(const Bank& quoted, const Bank& replayed, const RegisterComparison& one, Tier worst,
                    AttestationResult& result) {
  if (one.answer == RegisterComparison::Answer::kDifferent) {
    result.add({Layer::kBoot, worst, "eventlog.replay", "the log tells another story than the register",
                place(quoted, one.index), hex_of(quoted.find(one.index)), hex_of(replayed.find(one.index))});
  } else if (one.answer == RegisterComparison::Answer::kUnlogged) {
    // What the system extends after firmware has logs of its own, or none (L15).
    result.add({Layer::kBoot, weight_of_unlogged(one.index, worst), "eventlog.unlogged",
                "the register was extended, and the log does not say by what", place(quoted, one.index), "",
                hex_of(quoted.find(one.index))});
  }
}

RegisterSet firmware_registers_of(const Bank& quoted) {
  RegisterSet set;
  for (const auto& [index, value] : quoted.registers())
    if (index < kFirmwareRegisters) set.set(index);
  return set;
}

std::string list_of(const RegisterSet& set) {
  std::string text;
  for (RegisterIndex index = 0; index < set.size(); ++index)
    if (set[index]) text += fmt::format("{}{}", text.empty() ? "" : ", ", index);
  return text;
}

// Whether the bank could be compared.
bool compare_bank(const measured_boot::EventLog& log, const Bank& quoted, Tier worst, AttestationResult& result) {
  const auto comparison = measured_boot::compare(log, quoted);
  if (!comparison) {
    result.add({Layer::kBoot, Tier::kWarning, comparison.error().code, comparison.error().message,
                std::string(bank_name(quoted.algorithm()))});
    return false;
  }
  if (comparison->agrees()) {
    result.add({Layer::kBoot, Tier::kNone, "eventlog.agrees", "the log replays to the registers",
                std::string(bank_name(quoted.algorithm()))});
    return true;
  }
  if (comparison->unquoted_firmware.any()) {
    result.add({Layer::kBoot, Tier::kWarning, "eventlog.registers-unquoted",
                fmt::format("nothing proves what the log tells of PCR {}", list_of(comparison->unquoted_firmware)),
                std::string(bank_name(quoted.algorithm()))});
  }
  const Bank replayed = measured_boot::replay(log, quoted.algorithm());
  for (const RegisterComparison& one : comparison->registers)
    add_difference(quoted, replayed, one, worst, result);
  return true;
}

// Whoever sends a quote may leave the stronger bank out, and collisions of SHA-1 can be made.
void add_sha1_alone(const RegisterSet& registers, Sha1Use sha1, AttestationResult& result) {
  result.add({Layer::kBoot, sha1 == Sha1Use::kAllowed ? Tier::kWarning : Tier::kContraindicated, "eventlog.sha1-alone",
              fmt::format("SHA-1 alone carries the log in PCR {}", list_of(registers)), "sha1", "a stronger bank",
              "sha1"});
}

const Bank* bank_for_ima(const ProvedRegisters& registers) {
  for (const HashAlgorithm algorithm : kStrongestFirst)
    if (registers.find(algorithm, kImaRegister) != nullptr) return registers.values().find(algorithm);
  return nullptr;
}

std::uint64_t violations_in(const measured_boot::ima::MeasuredList& list) {
  std::uint64_t violations = 0;
  measured_boot::ima::MeasuredReader reader(list);
  while (const auto entry = reader.next())
    if (std::holds_alternative<measured_boot::ima::ProvedViolation>(*entry)) ++violations;
  return violations;
}

}  // namespace

Status appraise_event_log(const measured_boot::EventLog& log, const ProvedRegisters& registers,
                          AttestationResult& result, Sha1Use sha1) {
  if (log.register_kind() != measured_boot::RegisterKind::kPcr) {
    return Error{ErrorKind::kRefused, "eventlog.register-kind",
                 "expected a log of PCRs, as the quote is of PCRs; its registers are of another kind"};
  }
  bool compared = false;
  RegisterSet carried;  // firmware's registers that were compared in a stronger bank
  for (const HashAlgorithm algorithm : kStrongestFirst) {
    const Bank* quoted = registers.values().find(algorithm);
    if (quoted == nullptr) continue;
    const RegisterSet firmware = firmware_registers_of(*quoted);
    const RegisterSet alone = algorithm == HashAlgorithm::kSha1 ? firmware & ~carried : RegisterSet();
    const bool is_second = algorithm == HashAlgorithm::kSha1 && compared && alone.none();
    if (!compare_bank(log, *quoted, is_second ? Tier::kWarning : Tier::kContraindicated, result)) continue;
    compared = true;
    carried |= firmware;
    if (alone.any()) add_sha1_alone(alone, sha1, result);
  }
  if (compared) return {};
  return Error{ErrorKind::kRefused, "eventlog.bank-missing", "the log can be compared with no bank of the quote"};
}

Status appraise_ima_list(ByteView list, const ProvedRegisters& registers, AttestationResult& result, Sha1Use sha1,
                         const measured_boot::ima::ImaRegisters& expected) {
  const Bank* bank = bank_for_ima(registers);
  if (bank == nullptr)
    return Error{ErrorKind::kRefused, "ima.pcr-not-quoted", "the quote proves PCR 10 in no bank", "pcrSelect"};
  TRY(const auto match, measured_boot::ima::match_quote(list, *bank, nullptr, expected));
  if (bank->algorithm() == HashAlgorithm::kSha1 && sha1 == Sha1Use::kRefused) {
    result.add({Layer::kRuntime, Tier::kContraindicated, "ima.sha1-alone", "SHA-1 alone carries the list",
                place(*bank, kImaRegister), "a stronger bank", "sha1"});
  }
  result.add({Layer::kRuntime, Tier::kNone, "runtime.no-policy",
              fmt::format("{} entries are proved, {} came after the quote; they were compared with nothing",
                          match.measured.size(), match.beyond),
              place(*bank, kImaRegister)});
  if (const auto violations = violations_in(match.measured); violations > 0) {
    result.add({Layer::kRuntime, Tier::kWarning, "ima.violations",
                fmt::format("files changed while they were measured, {} times", violations),
                place(*bank, kImaRegister)});
  }
  return measured_boot::ima::check_boot(match.measured, registers.values());
}

}  // namespace warifu::attestation
