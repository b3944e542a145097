#include "signer_protocol/messages.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::signer_protocol {

Result<CrlEntry> CrlEntry::parse(ByteView bytes) {
  wire::Reader reader(bytes);
  CrlEntry entry;
  TRY(entry.revoked_at, reader.u64("entries.revoked_at"));
  TRY(entry.reason, reader.u8("entries.reason"));
  TRY(const auto serial, reader.bytes(reader.remaining(), "entries.serial"));
  entry.serial = to_bytes(serial);
  return entry;
}

Bytes CrlEntry::bytes() const {
  return wire::Writer().u64(revoked_at).u8(reason).bytes(serial).take();
}

}  // namespace warifu::signer_protocol
