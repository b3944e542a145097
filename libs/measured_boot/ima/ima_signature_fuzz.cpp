#include <array>
#include <cstdlib>

#include "measured_boot/ima/policy.h"
#include "measured_boot/ima/test_evmctl.h"
#include "measured_boot/ima/test_lists.h"

namespace {

using namespace warifu;
using namespace warifu::measured_boot;
using namespace warifu::measured_boot::ima;

// A byte for each field says how long it is; what is left is the last one's.
std::vector<Bytes> split(ByteView data, std::size_t count) {
  std::vector<Bytes> fields(count);
  for (std::size_t i = 0; i < count && !data.empty(); ++i) {
    const std::size_t size = i + 1 == count ? data.size() - 1 : std::min<std::size_t>(data[0], data.size() - 1);
    fields[i] = to_bytes(data.subspan(1, size));
    data = data.subspan(1 + size);
  }
  return fields;
}

const Policy& policy() {
  static const Policy all = [] {
    Policy made;
    made.signatures = Policy::Signatures::kRequire;
    made.keyring.add(crypto::PublicKey::from_spki(from_hex(test::kEvmctlRsaKey).value()).value());
    return made;
  }();
  return all;
}

}  // namespace

// An entry of any fields that a quote proves: its signature is judged, and none that was made up is valid.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  constexpr std::array<std::string_view, 4> kTemplates = {"evm-sig", "ima-sig", "ima-sigv2", "ima-buf"};
  const auto name = kTemplates[data[0] % kTemplates.size()];
  const auto fields = split({data + 1, size - 1}, template_format(name)->count);
  const auto list = test::TestList().add(name, fields);
  const auto form = list_form(list.bytes());
  if (!form) std::abort();
  Replay replay(*form, BankRule::kNative, std::array{crypto::HashAlgorithm::kSha256});
  ListReader reader(list.bytes(), *form);
  if (!replay.add_all(reader)) std::abort();
  const auto match = match_quote(list.bytes(), replay.banks().front());
  if (!match) std::abort();
  MeasuredReader measured(match->measured);
  const auto entry = measured.next();
  const bool is_valid = judge_signature(std::get<ProvedEntry>(*entry), policy().keyring).is_valid();
  const auto judgement = judge(match->measured, policy());
  if (judgement.signed_files != (is_valid && judgement.failed == 0 && judgement.boot_aggregates == 0 ? 1U : 0U))
    std::abort();
  return 0;
}
