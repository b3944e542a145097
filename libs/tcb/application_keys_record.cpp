#include "tcb/application_keys_record.h"

#include <fmt/format.h>

#include <tuple>

#include "tcb/state_record.h"
#include "tpm_types/application_key.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

using Key = ApplicationKeysRecord::Key;

Error bad_key(std::string message, std::string_view field) {
  return invalid_input("tcb.state.form", std::move(message), std::string(field));
}

Result<Key> read_application_key(wire::Reader& in) {
  TRY(const ByteView text, in.sized16("name"));
  TRY(auto name, Label::parse(as_text(text)));
  TRY(const std::uint32_t version, in.u32("version"));
  if (version == 0) return bad_key("versions begin with 1", "version");
  TRY(const std::uint8_t active, in.u8("active"));
  if (active > 1) return bad_key(fmt::format("expected 0 or 1, got {}", active), "active");
  TRY(const std::uint8_t pcr, in.u8("PCR"));
  if (pcr != 0 && !tpm::may_cap(pcr)) return bad_key(fmt::format("PCR {} caps nothing", pcr), "PCR");
  TRY(const ByteView public_area, in.sized16("public area"));
  TRY(const ByteView private_area, in.sized16("private area"));
  return Key{std::move(name), version, active == 1, pcr, {to_bytes(public_area), to_bytes(private_area)}};
}

}  // namespace

Bytes write_application_keys(const ApplicationKeysRecord& record) {
  wire::Writer body;
  body.u8(static_cast<std::uint8_t>(record.keys.size()));
  for (const Key& key : record.keys) {
    body.sized16(as_bytes(key.name.text())).u32(key.version).u8(key.is_active ? 1 : 0).u8(key.capped_by);
    body.sized16(key.key.public_area).sized16(key.key.private_area);
  }
  return frame_record(RecordKind::kApplicationKeys, body.view());
}

Result<ApplicationKeysRecord> parse_application_keys(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kApplicationKeys, content));
  wire::Reader in(body);
  TRY(const std::uint8_t count, in.u8("keys"));
  if (count > ApplicationKeysRecord::kKeysMax)
    return bad_key(fmt::format("expected at most {} keys, got {}", ApplicationKeysRecord::kKeysMax, count), "keys");
  ApplicationKeysRecord record;
  for (std::uint8_t i = 0; i < count; ++i) {
    TRY(auto key, read_application_key(in));
    if (i > 0) {
      const Key& before = record.keys.back();
      if (std::tie(before.name, before.version) >= std::tie(key.name, key.version))
        return bad_key("expected names and versions in order, none twice", "name");
    }
    record.keys.push_back(std::move(key));
  }
  TRY_STATUS(in.expect_done("application keys"));
  return record;
}

}  // namespace warifu::tcb
