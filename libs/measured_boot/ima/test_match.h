#pragma once

// Matches for tests of what comes after them.

#include <array>
#include <cstdlib>

#include "measured_boot/ima/match.h"
#include "measured_boot/ima/test_lists.h"

namespace warifu::measured_boot::ima::test {

// What a TPM's SHA-256 bank holds after the list.
inline Bank quoted_after(ByteView list) {
  const auto form = list_form(list).value();
  Replay replay(form, BankRule::kNative, std::array{HashAlgorithm::kSha256});
  ListReader reader(list, form);
  if (!replay.add_all(reader)) std::abort();
  return replay.banks().front();
}

// All of the list, proved by a quote.
inline Match matched(const TestList& list) {
  return match_quote(list.bytes(), quoted_after(list.bytes())).value();
}

}  // namespace warifu::measured_boot::ima::test
