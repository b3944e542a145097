#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "tcb/tpm.h"

namespace warifu::tcb {

// The state file "application-keys": in one file, so that a key is never in use without those before it being gone.
struct ApplicationKeysRecord {
  static constexpr std::string_view kFile = "application-keys";
  static constexpr std::size_t kKeysMax = 64;

  struct Key {
    Label name;
    std::uint32_t version;       // from 1 on
    bool is_active;              // the server knows that it is here
    std::uint8_t capped_by = 0;  // a PCR (tpm::may_cap()); 0: none
    WrappedObject key;
  };
  std::vector<Key> keys;  // by name and version, none twice
};

Bytes write_application_keys(const ApplicationKeysRecord& record);
// "tcb.state.form", "id.name" and the codes of wire::Reader.
Result<ApplicationKeysRecord> parse_application_keys(ByteView content);

}  // namespace warifu::tcb
