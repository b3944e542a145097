#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// What passed over the bus of a TPM, for tests and demonstrations.
namespace warifu::bus {

enum class Direction : std::uint8_t { kCommand = 'C', kResponse = 'R' };

// One command or one response, whole, as its header's size field says (TPM 2.0 Part 1, "Command/Response Structure").
struct Message {
  Direction direction;
  Bytes bytes;

  friend bool operator==(const Message&, const Message&) = default;
};
using Recording = std::vector<Message>;

// Tag, size and command or response code.
inline constexpr std::size_t kHeaderSize = 10;
// More than any TPM sends (TPM_PT_MAX_RESPONSE_SIZE is 4096 on the large ones).
inline constexpr std::size_t kMaxMessageSize = 64 * 1024;

// The size field; 0 as long as there are fewer than six bytes.
std::size_t announced_size(ByteView message);
// The command code, or the response code. 0 when the message has no whole header.
std::uint32_t code_of(ByteView message);

// The record of one message in a file: 'C' or 'R', a 32-bit big-endian length, the bytes. A file is one record after
// another, with nothing before, between or behind.
Bytes to_record(const Message& message);
// "bus.recording.direction", "wire.truncated".
Result<Recording> parse_recording(ByteView file);

}  // namespace warifu::bus
