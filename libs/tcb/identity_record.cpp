#include "tcb/identity_record.h"

#include "tcb/state_record.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tcb {

Bytes write_identity(const IdentityRecord& identity) {
  wire::Writer body;
  body.sized16(as_bytes(identity.hub.text())).sized16(as_bytes(identity.device.text()));
  body.sized16(identity.key.public_area).sized16(identity.key.private_area);
  return frame_record(RecordKind::kIdentity, body.view());
}

Result<IdentityRecord> parse_identity(ByteView content) {
  TRY(const Bytes body, open_record(RecordKind::kIdentity, content));
  wire::Reader in(body);
  TRY(const ByteView hub_text, in.sized16("hub"));
  TRY(const ByteView device_text, in.sized16("device"));
  TRY(const ByteView public_area, in.sized16("public area"));
  TRY(const ByteView private_area, in.sized16("private area"));
  TRY_STATUS(in.expect_done("identity"));
  TRY(auto hub, HostName::parse(as_text(hub_text)));
  TRY(auto device, DeviceId::parse(as_text(device_text)));
  if (device.text() != as_text(device_text))
    return invalid_input("tcb.state.form", "expected the device ID in lower case, as it is written", "device");
  return IdentityRecord{std::move(hub), std::move(device), {to_bytes(public_area), to_bytes(private_area)}};
}

}  // namespace warifu::tcb
