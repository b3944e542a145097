#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "base/result.h"
#include "base/secret.h"
#include "frames/protocol.h"
#include "wire/reader.h"

// A frame: magic (2 bytes), version, operation, size of the body (4 bytes), body. Numbers are big-endian. A frame may
// carry a secret, so it is SecretBytes everywhere.
namespace warifu::frames {

constexpr std::size_t kHeaderSize = 8;
constexpr std::size_t kBodyMax = 64 * 1024;
constexpr std::size_t kFrameMax = kHeaderSize + kBodyMax;

// Of the texts of an error.
constexpr std::size_t kErrorCodeMax = 64;
constexpr std::size_t kErrorMessageMax = 1024;
constexpr std::size_t kErrorWhereMax = 256;

// What an answer begins with.
constexpr std::uint8_t kDone = 0;
constexpr std::uint8_t kError = 1;
// The operation in the refusal of a frame that has none.
constexpr std::uint8_t kNoOperation = 0;

// The size of the whole frame, from its first kHeaderSize bytes: what a stream reader must wait for. The kind of frame
// and the version are not looked at. kInvalidInput Codes::limit above kFrameMax.
Result<std::size_t> frame_size(const Protocol& protocol, ByteView header);

SecretBytes request_frame(const Protocol& protocol, std::uint8_t operation, ByteView body);
SecretBytes answer_frame(const Protocol& protocol, std::uint8_t operation, ByteView body);
// Never fails: texts that are too long are cut.
SecretBytes error_frame(const Protocol& protocol, std::uint8_t operation, const Error& error);
// The refusal of the request in `request`, whatever that is.
SecretBytes encode_error(const Protocol& protocol, ByteView request, const Error& error);

// Reads everything but the body and returns the operation. The frame ends where its size says.
Result<std::uint8_t> read_request_header(const Protocol& protocol, wire::Reader& reader);
Result<std::uint8_t> read_answer_header(const Protocol& protocol, wire::Reader& reader);
// The error that an error answer carries, or that of reading it.
Error read_error(const Protocol& protocol, wire::Reader reader);

}  // namespace warifu::frames
