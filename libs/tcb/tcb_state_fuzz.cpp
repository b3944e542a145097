#include <algorithm>
#include <cstdlib>

#include "tcb/application_keys_record.h"
#include "tcb/bundle_record.h"
#include "tcb/certificates_record.h"
#include "tcb/escrow_record.h"
#include "tcb/identity_record.h"
#include "tcb/sealed.h"
#include "tcb/state_record.h"

// Parse, write, equal bytes: for the state files, with and without a good frame, and for sealed secrets. No input is
// two of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  const ByteView input(data, size);
  const auto expect_same = [](const Bytes& written, ByteView read) {
    if (!std::ranges::equal(written, read)) std::abort();
  };
  const auto sealed = tcb::parse_sealed(input);
  if (sealed) expect_same(tcb::write_sealed(*sealed), input);
  if (sealed && tcb::open_record(tcb::RecordKind::kIdentity, input)) std::abort();
  // A fuzzer does not find a SHA-256, so it gets one for nothing. What is one record is not the other.
  const Bytes identity_frame = tcb::frame_record(tcb::RecordKind::kIdentity, input);
  const auto identity = tcb::parse_identity(identity_frame);
  if (identity) expect_same(tcb::write_identity(*identity), identity_frame);
  const Bytes escrow_frame = tcb::frame_record(tcb::RecordKind::kEscrow, input);
  const auto escrow = tcb::parse_escrow(escrow_frame);
  if (escrow) expect_same(tcb::write_escrow(*escrow), escrow_frame);
  const Bytes bundle_frame = tcb::frame_record(tcb::RecordKind::kTrustBundle, input);
  const auto bundle = tcb::parse_bundle(bundle_frame);
  if (bundle) expect_same(tcb::write_bundle(*bundle), bundle_frame);
  if (tcb::parse_bundle(escrow_frame)) std::abort();
  const Bytes certificates_frame = tcb::frame_record(tcb::RecordKind::kCertificates, input);
  const auto certificates = tcb::parse_certificates_record(certificates_frame);
  if (certificates) expect_same(tcb::write_certificates(*certificates), certificates_frame);
  const Bytes keys_frame = tcb::frame_record(tcb::RecordKind::kApplicationKeys, input);
  const auto keys = tcb::parse_application_keys(keys_frame);
  if (keys) expect_same(tcb::write_application_keys(*keys), keys_frame);
  if (tcb::parse_identity(escrow_frame) || tcb::parse_escrow(identity_frame)) std::abort();
  return 0;
}
