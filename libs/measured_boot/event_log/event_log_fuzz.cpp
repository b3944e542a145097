#include <cstdlib>

#include "measured_boot/claims/event_names.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"

// What is read accounts for every byte, and is replayed and told as claims without a surprise.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu::measured_boot;
  const warifu::ByteView input(data, size);
  const auto log = parse_event_log(input);
  if (!log) return 0;
  if (log->end_offset() + log->after_end().size != size) std::abort();
  std::size_t end = 0;
  for (const Event& event : log->events()) {
    if (event.offset != end || event.data_offset < event.offset) std::abort();
    end = event.data_offset + event.data.size();
    for (std::size_t bank = 0; bank < log->banks().size(); ++bank) {
      const auto digest = log->digest(event, bank);
      if (!digest.empty() && (digest.data() < data || digest.data() + digest.size() > data + size)) std::abort();
    }
  }
  if (end != log->end_offset()) std::abort();
  const RegisterValues values = replay(*log);
  for (const Bank& bank : values.banks())
    if (replay(*log, bank.algorithm()) != bank) std::abort();
  for (const Bank& bank : values.banks())
    for (const auto& [number, name] : event_names(claims_of(Prover(*log, bank.algorithm(), RegisterSet().set()))))
      if (name.empty() || name.size() > kEventNameMax) std::abort();
  return 0;
}
