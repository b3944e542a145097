#include "tcb/escrow_record.h"

#include "tcb/state_record.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {

Bytes write_escrow(const EscrowRecord& record) {
  wire::Writer body;
  body.sized16(record.package).sized16(record.srk_digest).u8(record.delivered ? 1 : 0);
  return frame_record(RecordKind::kEscrow, body.view());
}

Result<EscrowRecord> parse_escrow(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kEscrow, content));
  wire::Reader in(body);
  TRY(const ByteView package, in.sized16("package"));
  TRY(const ByteView srk_digest, in.sized16("SRK digest"));
  TRY(const std::uint8_t delivered, in.u8("delivered"));
  TRY_STATUS(in.expect_done("escrow"));
  if (delivered > 1) return invalid_input("tcb.state.form", "expected 0 or 1", "delivered");
  return EscrowRecord{to_bytes(package), to_bytes(srk_digest), delivered == 1};
}

}  // namespace warifu::tcb
