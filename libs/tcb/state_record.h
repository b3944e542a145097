#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/state_files.h"
#include "tcb/journal.h"

namespace warifu::tcb {

// The frame of the TCB's state files (docs/formats/tcb-state.md): "WTCB", version, kind, size and body, SHA-256 of all
// that. The digest tells damage; who can write here could write another one.
enum class RecordKind : std::uint8_t {
  kIdentity = 1,
  kLastSeen = 2,
  kEscrow = 3,
  kTrustBundle = 4,
  kCertificates = 5,
  kApplicationKeys = 6
};

Bytes frame_record(RecordKind kind, ByteView body);
// The body. "tcb.state.form" when it is torn, altered, of another kind or of a newer version.
Result<Bytes> open_record(RecordKind kind, ByteView content);

// Reads a record that a device can do without: a file that cannot be understood is reported and counts as absent,
// because a device that refuses to start cannot be helped from afar. An error only when the file cannot be read.
template <class Parse>
auto read_record(StateFiles& files, Journal& journal, std::string_view name, Parse parse)
    -> Result<std::optional<typename decltype(parse(ByteView()))::value_type>> {
  TRY(const auto content, files.read(name));
  if (!content) return std::nullopt;
  auto record = parse(*content);
  if (record) return *std::move(record);
  journal.warn("the state file \"" + std::string(name) + "\" is not used: " + to_string(record.error()));
  return std::nullopt;
}

}  // namespace warifu::tcb
