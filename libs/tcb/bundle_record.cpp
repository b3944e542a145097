#include "tcb/bundle_record.h"

#include <fmt/format.h>

#include "tcb/state_record.h"
#include "trust_bundle/limits.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {

Bytes write_bundle(const BundleRecord& record) {
  wire::Writer body;
  body.u64(record.at_least).u8(static_cast<std::uint8_t>(record.envelopes.size()));
  for (const Bytes& envelope : record.envelopes)
    body.u32(static_cast<std::uint32_t>(envelope.size())).bytes(envelope);
  return frame_record(RecordKind::kTrustBundle, body.view());
}

Result<BundleRecord> parse_bundle(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kTrustBundle, content));
  wire::Reader in(body);
  BundleRecord record;
  TRY(record.at_least, in.u64("at least"));
  TRY(const std::uint8_t count, in.u8("count"));
  if (count > BundleRecord::kEnvelopesMax)
    return invalid_input("tcb.state.form", fmt::format("expected at most {} bundles", BundleRecord::kEnvelopesMax),
                         "count");
  for (std::uint8_t i = 0; i < count; ++i) {
    TRY(const std::uint32_t size, in.u32("size"));
    if (size > trust_bundle::kEnvelopeSizeMax)
      return invalid_input("tcb.state.form", fmt::format("expected at most {} bytes", trust_bundle::kEnvelopeSizeMax),
                           "size");
    TRY(const ByteView envelope, in.bytes(size, "bundle"));
    record.envelopes.push_back(to_bytes(envelope));
  }
  TRY_STATUS(in.expect_done("trust-bundle"));
  return record;
}

}  // namespace warifu::tcb
