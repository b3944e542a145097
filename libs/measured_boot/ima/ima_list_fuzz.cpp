#include <array>
#include <cstdlib>
#include <vector>

#include "measured_boot/ima/match.h"

namespace {

using namespace warifu;
using namespace warifu::measured_boot;
using namespace warifu::measured_boot::ima;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// What is replayed is matched by what it leaves; cut in two and kept in between, it leaves the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView list(data, size);
  if (const auto state = Replay::from_bytes(list)) require(to_hex(state->to_bytes()) == to_hex(list));
  const auto form = list_form(list);
  if (!form) return 0;
  Replay whole(*form, BankRule::kNative, std::array{crypto::HashAlgorithm::kSha256});
  ListReader reader(list, *form);
  std::optional<Replay> half;
  while (true) {
    const auto entry = reader.next();
    if (!entry) return 0;
    if (*entry == nullptr) break;
    for (const Field& field : (*entry)->fields())
      (void)parse_file_digest(field);
    if (!whole.add(**entry, reader.position())) return 0;
    if (whole.position().offset <= size / 2) half = whole;
  }
  require(whole.position().offset == size);
  const Bank& quoted = whole.banks().front();
  std::vector<RegisterIndex> extended;
  for (const auto& [pcr, value] : quoted.registers())
    extended.push_back(pcr);
  const auto expected = ImaRegisters::with(extended);
  if (!expected || quoted.find(kImaRegister) == nullptr) {
    require(!match_quote(list, quoted));
    return 0;
  }
  const auto match = match_quote(list, quoted, nullptr, *expected);
  require(match.has_value() && match->verified == whole);
  for (MeasuredReader measured(match->measured); measured.next();) {
  }
  if (!half) return 0;
  const auto kept = Replay::from_bytes(half->to_bytes());
  require(kept.has_value() && *kept == *half);
  const auto rest = match_quote(entries_since(list, *kept).value(), quoted, &*kept, *expected);
  require(rest.has_value() && rest->verified == whole);
  return 0;
}
