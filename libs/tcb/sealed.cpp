#include "tcb/sealed.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

constexpr std::string_view kMagic = "WSEA";
constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kPcrMax = 23;

Error malformed(std::string message, std::string_view field) {
  return invalid_input("tcb.sealed.form", std::move(message), std::string(field));
}

}  // namespace

Bytes write_sealed(const SealedSecret& sealed) {
  wire::Writer out;
  out.bytes(as_bytes(kMagic)).u8(kVersion).u8(static_cast<std::uint8_t>(sealed.pcrs.size())).bytes(sealed.pcrs);
  return out.sized16(sealed.object.public_area).sized16(sealed.object.private_area).take();
}

Result<SealedSecret> parse_sealed(ByteView bytes) {
  wire::Reader in(bytes);
  TRY(const ByteView magic, in.bytes(kMagic.size(), "magic"));
  if (as_text(magic) != kMagic) return malformed("expected a secret that warifu-tcb sealed", "magic");
  TRY(const std::uint8_t version, in.u8("version"));
  if (version != kVersion) return malformed(fmt::format("expected version {}, {} came", kVersion, version), "version");
  TRY(const std::uint8_t pcr_count, in.u8("PCR count"));
  TRY(const ByteView pcrs, in.bytes(pcr_count, "PCRs"));
  TRY(const ByteView public_area, in.sized16("public area"));
  TRY(const ByteView private_area, in.sized16("private area"));
  TRY_STATUS(in.expect_done("sealed secret"));
  TRY_STATUS(check_pcrs(to_bytes(pcrs)));
  return SealedSecret{{to_bytes(public_area), to_bytes(private_area)}, to_bytes(pcrs)};
}

Status check_pcrs(const PcrList& pcrs) {
  const bool ascending = std::ranges::adjacent_find(pcrs, std::greater_equal()) == pcrs.end();
  if (ascending && (pcrs.empty() || pcrs.back() <= kPcrMax)) return {};
  return invalid_input("tcb.pcrs", "expected PCR numbers from 0 to 23, ascending, none twice", "PCRs");
}

}  // namespace warifu::tcb
