#include "tcb/certificates_record.h"

#include <fmt/format.h>

#include "crypto/certificate.h"
#include "tcb/state_record.h"
#include "tcb_protocol/limits.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {
namespace {

using Issued = CertificatesRecord::Issued;
using LDevId = CertificatesRecord::LDevId;

// What is there, in the order of the bytes.
enum Present : std::uint8_t { kWaiting = 1, kCurrent = 2, kPrevious = 4, kIDevId = 8 };
constexpr std::uint8_t kAllPresent = kWaiting | kCurrent | kPrevious | kIDevId;

void write(wire::Writer& out, const WrappedObject& key) {
  out.sized16(key.public_area).sized16(key.private_area);
}

void write(wire::Writer& out, const Issued& issued) {
  out.u8(static_cast<std::uint8_t>(issued.chain.size()));
  for (const Bytes& der : issued.chain)
    out.sized16(der);
  out.u64(to_unix_seconds(issued.renew_after));
}

void write(wire::Writer& out, const LDevId& ldevid) {
  write(out, ldevid.key);
  write(out, ldevid.issued);
}

Result<WrappedObject> read_key(wire::Reader& in) {
  TRY(const ByteView public_area, in.sized16("public area"));
  TRY(const ByteView private_area, in.sized16("private area"));
  return WrappedObject{to_bytes(public_area), to_bytes(private_area)};
}

Result<Issued> read_issued(wire::Reader& in) {
  Issued issued;
  TRY(const std::uint8_t count, in.u8("certificates"));
  if (count == 0 || count > tcb_protocol::kDeviceChainMax)
    return invalid_input("tcb.state.form",
                         fmt::format("expected 1 to {} certificates, got {}", tcb_protocol::kDeviceChainMax, count),
                         "certificates");
  for (std::uint8_t i = 0; i < count; ++i) {
    TRY(const ByteView der, in.sized16("certificate"));
    TRY_STATUS(crypto::Certificate::from_der(der));
    issued.chain.push_back(to_bytes(der));
  }
  TRY(const std::uint64_t seconds, in.u64("renew after"));
  if (seconds > kUnixSecondsMax) return invalid_input("tcb.state.form", "a time after the year 9999", "renew after");
  issued.renew_after = Timestamp(std::chrono::seconds(seconds));
  return issued;
}

Result<LDevId> read_ldevid(wire::Reader& in) {
  TRY(auto key, read_key(in));
  TRY(auto issued, read_issued(in));
  return LDevId{std::move(key), std::move(issued)};
}

}  // namespace

Bytes write_certificates(const CertificatesRecord& record) {
  const auto bit = [](bool there, Present which) { return there ? static_cast<unsigned>(which) : 0U; };
  wire::Writer body;
  body.u8(
      static_cast<std::uint8_t>(bit(record.waiting.has_value(), kWaiting) | bit(record.current.has_value(), kCurrent) |
                                bit(record.previous.has_value(), kPrevious) | bit(record.idevid.has_value(), kIDevId)));
  if (record.waiting) write(body, *record.waiting);
  if (record.current) write(body, *record.current);
  if (record.previous) write(body, *record.previous);
  if (record.idevid) write(body, *record.idevid);
  return frame_record(RecordKind::kCertificates, body.view());
}

Result<CertificatesRecord> parse_certificates_record(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kCertificates, content));
  wire::Reader in(body);
  TRY(const std::uint8_t present, in.u8("what is there"));
  if ((present & ~kAllPresent) != 0)
    return invalid_input("tcb.state.form", fmt::format("unknown parts ({:#04x})", present), "what is there");
  CertificatesRecord record;
  if ((present & kWaiting) != 0) {
    TRY(record.waiting, read_key(in));
  }
  if ((present & kCurrent) != 0) {
    TRY(record.current, read_ldevid(in));
  }
  if ((present & kPrevious) != 0) {
    TRY(record.previous, read_ldevid(in));
  }
  if ((present & kIDevId) != 0) {
    TRY(record.idevid, read_issued(in));
  }
  TRY_STATUS(in.expect_done("certificates"));
  return record;
}

}  // namespace warifu::tcb
