#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "attestation/appraisal/boot_requirements.h"
#include "attestation/appraisal/log_appraisal.h"
#include "attestation/appraisal/places.h"
#include "base/time.h"
#include "measured_boot/event_log/comparison.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/userspace_log/replay.h"

namespace warifu::attestation {
namespace {

using crypto::HashAlgorithm;
using endorsement::FirmwareQuirk;
using measured_boot::Bank;
using measured_boot::bank_name;
using measured_boot::RegisterComparison;
using measured_boot::RegisterIndex;
using measured_boot::RegisterSet;
using measured_boot::ima::kImaRegister;
using Answer = RegisterComparison::Answer;

using measured_boot::kFirmwareRegisters;
constexpr RegisterIndex kOtherRegisters = 16;
// systemd's phases and what it mounts (systemd-pcrphase.service(8)): extended long after firmware's log is closed.
constexpr std::array<RegisterIndex, 2> kUserspaceRegisters = {11, 15};

// What firmware measures when boot services are left (PFP, EV_EFI_ACTION), which some of it writes into no log (L13).
constexpr RegisterIndex kBootServicesRegister = 5;
constexpr std::array<std::string_view, 2> kBootServicesLeft = {"Exit Boot Services Invocation",
                                                               "Exit Boot Services Returned with Success"};

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

const Allowances& allowances_of(const BootExpectations& expectations) {
  static const Allowances none;
  return expectations.allowances == nullptr ? none : *expectations.allowances;
}

// One bank of the quote beside what the logs make of it.
class BankAppraisal {
 public:
  // `worst`: what a difference in this bank weighs.
  BankAppraisal(const measured_boot::EventLog& log, const Bank& quoted, const BootExpectations& expectations,
                Tier worst, AttestationResult& result)
      : log_(log),
        quoted_(quoted),
        firmware_(measured_boot::replay(log, quoted.algorithm())),
        replayed_(expectations.userspace == nullptr ? firmware_
                                                    : measured_boot::replay(*expectations.userspace, firmware_)),
        expectations_(expectations),
        allowances_(allowances_of(expectations)),
        worst_(worst),
        result_(result) {}

  // nullopt: the bank could not be compared.
  std::optional<ExplainedRegisters> run() {
    const auto comparison = measured_boot::compare(log_, replayed_, quoted_);
    const std::string bank(bank_name(quoted_.algorithm()));
    if (!comparison) {
      result_.add({Layer::kBoot, Tier::kWarning, comparison.error().code, comparison.error().message, bank});
      return std::nullopt;
    }
    ExplainedRegisters explained{quoted_.algorithm(), comparison->confirmed()};
    if (comparison->agrees()) {
      result_.add({Layer::kBoot, Tier::kNone, "eventlog.agrees", "the log replays to the registers", bank});
      return explained;
    }
    if (comparison->unquoted_firmware.any()) {
      result_.add({Layer::kBoot, Tier::kWarning, "eventlog.registers-unquoted",
                   fmt::format("nothing proves what the log tells of PCR {}", list_of(comparison->unquoted_firmware)),
                   bank});
    }
    for (const RegisterComparison& one : comparison->registers)
      if (judge(one)) explained.confirmed.set(one.index);
    return explained;
  }

  // systemd 261 and later extend PCR 0 to 7 too, after the kernel made its boot_aggregate.
  void undo_userspace(const RegisterSet& confirmed, Bank& values) const {
    if (expectations_.userspace == nullptr) return;
    for (const auto& [index, value] : quoted_.registers()) {
      if (!confirmed.test(index)) continue;
      const crypto::Digest* before = firmware_.find(index);
      values.set(index, before != nullptr ? *before : measured_boot::initial_value(log_, quoted_.algorithm(), index));
    }
  }

 private:
  // Whether the log explains the register after all.
  bool judge(const RegisterComparison& one) {
    if (one.answer == Answer::kEqual) return true;
    if (one.answer == Answer::kNotQuoted) return false;
    if (add_quirk(one.index)) return true;
    if (add_waiver(one.index)) return false;
    if (one.answer == Answer::kUnlogged || is_userspaces(one.index))
      add(weight_of_unlogged(one.index), "eventlog.unlogged", unlogged_text(one), one.index);
    else
      add(worst_, "eventlog.replay", "the log tells another story than the register", one.index);
    add_expired(one.index);
    return false;
  }

  void add(Tier tier, std::string_view code, std::string what, RegisterIndex index, std::string allowed_by = {}) {
    result_.add({Layer::kBoot, tier, code, std::move(what), place(quoted_, index), hex_of(quoted_.find(index)),
                 hex_of(replayed_.find(index)), std::move(allowed_by)});
  }

  // Extended by systemd without a log of it: nothing tells that apart from a log that is false.
  bool is_userspaces(RegisterIndex index) const {
    return expectations_.userspace == nullptr &&
           std::ranges::find(kUserspaceRegisters, index) != kUserspaceRegisters.end();
  }

  static std::string unlogged_text(const RegisterComparison& one) {
    if (one.answer == Answer::kUnlogged) return "the register was extended, and no log says by what";
    return "the register holds something else than the log tells: systemd extends it later, and no log of that is "
           "here; nothing that the log tells of it is proved";
  }

  // IMA tells of PCR 10 itself, and whatever uses PCR 16 and above is not the boot.
  Tier weight_of_unlogged(RegisterIndex index) const {
    if (index < kFirmwareRegisters) return worst_;
    return index == kImaRegister || index >= kOtherRegisters ? Tier::kNone : Tier::kWarning;
  }

  // The register holds exactly what it would with the events that firmware did not log.
  bool add_quirk(RegisterIndex index) {
    const auto* quirk = allowances_.find(FirmwareQuirk::kExitBootServicesNotLogged);
    const crypto::Digest* value = replayed_.find(index);
    if (quirk == nullptr || index != kBootServicesRegister || value == nullptr) return false;
    crypto::Digest with = *value;
    for (const std::string_view text : kBootServicesLeft)
      with = measured_boot::extended(with, crypto::digest(quoted_.algorithm(), {as_bytes(text)}).bytes());
    if (with != *quoted_.find(index)) return false;
    add(Tier::kWarning, "eventlog.quirk",
        fmt::format("firmware measured that boot services were left and did not log it; known of this model ({})",
                    quirk->source),
        index, quirk->id);
    return true;
  }

  bool add_waiver(RegisterIndex index) {
    const auto* waiver = allowances_.waiver_of(quoted_.algorithm(), index);
    if (waiver == nullptr) return false;
    add(Tier::kWarning, "eventlog.waived",
        fmt::format("the log does not explain the register, which is waived for this model until {}: {} (approved by "
                    "{}); nothing that the log tells of it is proved",
                    to_rfc3339(waiver->until), waiver->reason, waiver->approved_by),
        index, waiver->id);
    return true;
  }

  void add_expired(RegisterIndex index) {
    const auto* waiver = allowances_.expired_waiver_of(quoted_.algorithm(), index);
    if (waiver == nullptr) return;
    add(Tier::kNone, "eventlog.waiver-expired",
        fmt::format("the waiver {} ended at {}: it allows nothing", waiver->id, to_rfc3339(waiver->until)), index);
  }

  const measured_boot::EventLog& log_;
  const Bank& quoted_;
  Bank firmware_;
  Bank replayed_;
  const BootExpectations& expectations_;
  const Allowances& allowances_;
  Tier worst_;
  AttestationResult& result_;
};

// Whoever sends a quote may leave the stronger bank out, and collisions of SHA-1 can be made.
void add_sha1_alone(const RegisterSet& registers, Sha1Use sha1, AttestationResult& result) {
  result.add({Layer::kBoot, sha1 == Sha1Use::kAllowed ? Tier::kWarning : Tier::kContraindicated, "eventlog.sha1-alone",
              fmt::format("SHA-1 alone carries the log in PCR {}", list_of(registers)), "sha1", "a stronger bank",
              "sha1"});
}

// Of those where most of firmware's registers are quoted, the strongest.
const ExplainedRegisters& best_of(const std::vector<ExplainedRegisters>& banks, const ProvedRegisters& registers) {
  const auto count = [&](const ExplainedRegisters& explained) {
    return firmware_registers_of(*registers.values().find(explained.bank)).count();
  };
  return *std::ranges::max_element(banks, {}, count);
}

}  // namespace

Result<ExplainedBoot> appraise_event_log(const measured_boot::EventLog& log, const ProvedRegisters& registers,
                                         AttestationResult& result, const BootExpectations& expectations) {
  if (log.register_kind() != measured_boot::RegisterKind::kPcr) {
    return Error{ErrorKind::kRefused, "eventlog.register-kind",
                 "expected a log of PCRs, as the quote is of PCRs; its registers are of another kind"};
  }
  std::vector<ExplainedRegisters> banks;  // the strongest first
  measured_boot::RegisterValues before_userspace = registers.values();
  RegisterSet carried;  // firmware's registers that were compared in a stronger bank
  for (const HashAlgorithm algorithm : kStrongestFirst) {
    const Bank* quoted = registers.values().find(algorithm);
    if (quoted == nullptr) continue;
    const RegisterSet firmware = firmware_registers_of(*quoted);
    const RegisterSet alone = algorithm == HashAlgorithm::kSha1 ? firmware & ~carried : RegisterSet();
    const bool is_second = algorithm == HashAlgorithm::kSha1 && !banks.empty() && alone.none();
    const Tier worst = is_second ? Tier::kWarning : Tier::kContraindicated;
    BankAppraisal appraisal(log, *quoted, expectations, worst, result);
    const auto explained = appraisal.run();
    if (!explained) continue;
    appraisal.undo_userspace(explained->confirmed, before_userspace.bank(algorithm));
    banks.push_back(*explained);
    carried |= firmware;
    if (alone.any()) add_sha1_alone(alone, expectations.sha1, result);
  }
  if (banks.empty())
    return Error{ErrorKind::kRefused, "eventlog.bank-missing", "the log can be compared with no bank of the quote"};
  if (carried.none()) {
    result.add({Layer::kBoot, Tier::kContraindicated, "eventlog.unproved",
                "a log came, and the quote proves none of the registers that firmware extends", "pcrSelect",
                "PCR 0 to 7", "none of them"});
  }
  const ExplainedRegisters& best = best_of(banks, registers);
  auto claims = measured_boot::claims_of(measured_boot::Prover(log, best.bank, best.confirmed));
  if (expectations.policy != nullptr)
    check_requirements(*expectations.policy, {log, expectations.userspace, banks, claims}, allowances_of(expectations),
                       result);
  return ExplainedBoot{best, std::move(claims), std::move(before_userspace)};
}

}  // namespace warifu::attestation
