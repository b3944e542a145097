#include "warifu/ima_commands.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <optional>
#include <vector>

#include "measured_boot/ima/replay.h"
#include "warifu/evidence_file.h"
#include "warifu/ima_entry_output.h"
#include "warifu/output.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
namespace ima = measured_boot::ima;
using crypto::HashAlgorithm;

// Those that TPMs have everywhere; a list of SM3 digests is of a machine that has that bank, too, and perhaps no other.
std::vector<HashAlgorithm> banks_for(const ima::ListForm& form) {
  std::vector banks = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384, HashAlgorithm::kSha512};
  if (form.template_digest == HashAlgorithm::kSm3) banks.push_back(HashAlgorithm::kSm3);
  return banks;
}

// All that `ima replay` tells.
struct Outcome {
  explicit Outcome(const ima::ListForm& list_form)
      : form(list_form), native(form, ima::BankRule::kNative, banks_for(form)) {
    if (form.template_digest == HashAlgorithm::kSha1) padded.emplace(form, ima::BankRule::kPaddedSha1, banks_for(form));
  }

  ima::ListForm form;
  ima::Replay native;
  std::optional<ima::Replay> padded;
  std::map<std::string, std::uint64_t, std::less<>> templates;
};

Result<Outcome> replay(ByteView list) {
  TRY(const auto form, ima::list_form(list));
  Outcome outcome(form);
  ima::ListReader reader(list, form);
  while (true) {
    TRY(const ima::Entry* entry, reader.next());
    if (entry == nullptr) return outcome;
    TRY_STATUS(outcome.native.add(*entry, reader.position()));
    if (outcome.padded) {
      TRY_STATUS(outcome.padded->add(*entry, reader.position()));
    }
    const auto found = outcome.templates.find(entry->template_name);
    if (found == outcome.templates.end())
      outcome.templates.emplace(entry->template_name, 1);
    else
      ++found->second;
  }
}

json::object values_of(const ima::Replay& replay) {
  json::object banks;
  for (const auto& bank : replay.banks()) {
    json::object registers;
    for (const auto& [pcr, value] : bank.registers())
      registers[std::to_string(pcr)] = to_hex(value.bytes());
    banks[measured_boot::bank_name(bank.algorithm())] = std::move(registers);
  }
  return banks;
}

std::string_view encoding_name(const ima::ListForm& form) {
  return form.encoding == ima::ListForm::Encoding::kAscii ? "ascii" : "binary";
}

json::object to_json(const Outcome& outcome) {
  json::object templates;
  for (const auto& [name, count] : outcome.templates)
    templates[name] = count;
  return {{"format", encoding_name(outcome.form)},
          {"template_digest_alg", measured_boot::bank_name(outcome.form.template_digest)},
          {"entries", outcome.native.position().entries},
          {"violations", outcome.native.violations()},
          {"boot_aggregates", outcome.native.boot_aggregates()},
          {"templates", std::move(templates)},
          {"replay_native", values_of(outcome.native)},
          {"replay_padded_sha1", outcome.padded ? json::value(values_of(*outcome.padded)) : json::value(nullptr)}};
}

void print_values(std::string_view heading, const ima::Replay& replay) {
  fmt::print("{}\n", heading);
  for (const auto& bank : replay.banks())
    for (const auto& [pcr, value] : bank.registers())
      fmt::print("  {:<7} PCR {:<2}  {}\n", measured_boot::bank_name(bank.algorithm()), pcr, to_hex(value.bytes()));
}

void print_text(const Outcome& outcome) {
  fmt::print("{} list, template digests {}\n", encoding_name(outcome.form),
             measured_boot::bank_name(outcome.form.template_digest));
  fmt::print("{} entries, {} violations, {} boot aggregates\n", outcome.native.position().entries,
             outcome.native.violations(), outcome.native.boot_aggregates());
  for (const auto& [name, count] : outcome.templates)
    fmt::print("  {:>8}  {}\n", count, name);
  print_values("each bank with its own hash (Linux 5.8 and later)", outcome.native);
  if (outcome.padded) print_values("SHA-1 digests, padded (before)", *outcome.padded);
}

}  // namespace

Status replay_ima_list(const Context& context, const std::string& file) {
  TRY(const Bytes list, read_evidence(file, ima::kMaxListBytes));
  TRY(const auto outcome, replay(list));
  if (context.json)
    print_json(to_json(outcome));
  else
    print_text(outcome);
  return {};
}

Status show_ima_list(const Context& context, const std::string& file) {
  TRY(const Bytes list, read_evidence(file, ima::kMaxListBytes));
  // Nothing is shown of a list that is refused.
  TRY(const auto outcome, replay(list));
  ima::ListReader reader(list, outcome.form);
  if (context.json) fmt::print("{{\"entries\":[");
  while (true) {
    TRY(const ima::Entry* entry, reader.next());
    if (entry == nullptr) break;
    if (context.json)
      fmt::print("{}{}", entry->number == 1 ? "" : ",", json::serialize(entry_to_json(*entry)));
    else
      print_entry(*entry);
  }
  if (context.json) fmt::print("]}}\n");
  return {};
}

}  // namespace warifu::cli
