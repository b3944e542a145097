#include "tcb/state_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/digest.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

constexpr std::string_view kStateMagic = "WTCB";
constexpr std::uint8_t kStateVersion = 1;

crypto::Digest checksum(ByteView bytes) {
  return crypto::digest(crypto::HashAlgorithm::kSha256, {bytes});
}

Error malformed_state(std::string message, std::string_view field) {
  return invalid_input("tcb.state.form", std::move(message), std::string(field));
}

}  // namespace

Bytes frame_record(RecordKind kind, ByteView body) {
  wire::Writer out;
  out.bytes(as_bytes(kStateMagic)).u8(kStateVersion).u8(static_cast<std::uint8_t>(kind));
  out.u32(static_cast<std::uint32_t>(body.size())).bytes(body);
  const auto sum = checksum(out.view());
  return out.bytes(sum.bytes()).take();
}

Result<Bytes> open_record(RecordKind kind, ByteView content) {
  wire::Reader in(content);
  TRY(const ByteView magic, in.bytes(kStateMagic.size(), "magic"));
  if (as_text(magic) != kStateMagic) return malformed_state("expected a state file of warifu-tcb", "magic");
  TRY(const std::uint8_t version, in.u8("version"));
  if (version != kStateVersion)
    return malformed_state(
        fmt::format("expected version {}, {} came: a newer program wrote it?", kStateVersion, version), "version");
  TRY(const std::uint8_t got, in.u8("kind"));
  if (got != static_cast<std::uint8_t>(kind)) return malformed_state(fmt::format("kind {} stands here", got), "kind");
  TRY(const std::uint32_t size, in.u32("size"));
  TRY(const ByteView body, in.bytes(size, "body"));
  TRY(const ByteView sum, in.bytes(32, "checksum"));
  TRY_STATUS(in.expect_done("state file"));
  if (!std::ranges::equal(sum, checksum(content.first(content.size() - sum.size())).bytes()))
    return malformed_state("its checksum is wrong: it was damaged", "checksum");
  return to_bytes(body);
}

}  // namespace warifu::tcb
