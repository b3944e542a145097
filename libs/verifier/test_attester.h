#pragma once

#include <array>
#include <cstdlib>
#include <string>

#include "attestation/quote/test_quote.h"
#include "crypto/digest.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "measured_boot/event_log/test_log.h"
#include "measured_boot/ima/list_reader.h"
#include "measured_boot/ima/replay.h"
#include "measured_boot/ima/test_lists.h"
#include "verifier/submission.h"

// A device in memory that boots, runs programs, and is quoted: what it sends is right, until a test spoils it.
namespace warifu::verifier::test {

using crypto::HashAlgorithm;

class Attester {
 public:
  explicit Attester(crypto::KeyKind kind = crypto::KeyKind::kEcP256) : ak(attestation::SoftwareAk::of(kind)) { boot(); }

  // TPM Reset, and a system that starts and runs a program.
  void boot(std::string_view first = "/usr/bin/true") {
    ++fields.clock.reset_count;
    boot_id = "boot-" + std::to_string(fields.clock.reset_count);
    null_unique = static_cast<std::uint8_t>(fields.clock.reset_count);
    using measured_boot::EventType;
    event_log = measured_boot::LogWriter({HashAlgorithm::kSha256})
                    .event(0, EventType::kSCrtmVersion, "1.0")
                    .event(4, EventType::kIpl, "loader")
                    .separators()
                    .event(8, EventType::kIpl, "kernel")
                    .bytes();
    const auto replayed = measured_boot::replay(measured_boot::parse_event_log(event_log).value());
    values = {};
    for (measured_boot::RegisterIndex index = 0; index < 16; ++index) {
      const auto* value = replayed.find(HashAlgorithm::kSha256, index);
      values.bank(HashAlgorithm::kSha256)
          .set(index, value != nullptr ? *value : crypto::Digest(HashAlgorithm::kSha256));
    }
    Bytes aggregate;
    for (std::uint32_t index = 0; index < 10; ++index) {
      const ByteView value = values.find(HashAlgorithm::kSha256, index)->bytes();
      aggregate.insert(aggregate.end(), value.begin(), value.end());
    }
    namespace ima = measured_boot::ima::test;
    list = measured_boot::ima::test::TestList();
    list.add("ima-ng", {ima::digest_field(as_text(aggregate)), ima::name_field("boot_aggregate")});
    run(first);
  }
  // Its content is its path.
  void run(std::string_view path) {
    list.add_file(path, path);
    namespace ima = measured_boot::ima;
    const auto form = ima::list_form(list.bytes()).value();
    ima::Replay replay(form, ima::BankRule::kNative, std::array{HashAlgorithm::kSha256});
    ima::ListReader reader(list.bytes(), form);
    if (!replay.add_all(reader)) std::abort();
    values.bank(HashAlgorithm::kSha256).set(10, *replay.banks().front().find(10));
  }

  // What it answers to this nonce.
  Submission submission(const Bytes& nonce, std::uint64_t ima_offset = 0, bool with_log = true) {
    fields.clock.clock_ms += 1000;
    const Bytes extra = to_bytes(crypto::digest(HashAlgorithm::kSha256, {nonce}).bytes());
    auto quoted = attestation::fields_of(
        values, {attestation::selected(HashAlgorithm::kSha256, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})},
        ak.hash);
    quoted.nonce = extra;
    quoted.clock = fields.clock;
    quoted.firmware = fields.firmware;
    quoted.signer = fields.signer;
    Submission made;
    made.nonce = nonce;
    made.quote = attestation::attest_of(quoted);
    made.signature = ak.sign(made.quote);
    made.registers = values;
    made.boot_id = boot_id;
    made.event_log_sha256 = to_bytes(crypto::digest(HashAlgorithm::kSha256, {event_log}).bytes());
    if (with_log) made.event_log = event_log;
    const ByteView rest = ByteView(list.bytes()).subspan(ima_offset);
    made.ima = ImaPart{ima_offset, to_bytes(rest)};
    made.null_primary = null_primary(extra);
    return made;
  }

  // A storage primary on P-256, and its certificate. It need be no point: nobody computes with it.
  NullPrimary null_primary(const Bytes& extra, std::uint32_t hierarchy = 0x40000007) const {
    wire::Writer area;
    area.u16(0x0023).u16(0x000B).u32(0x00030472).sized16({});  // ECC, SHA-256, attributes of the kernel
    area.u16(0x0006).u16(128).u16(0x0043).u16(0x0010).u16(0x0003).u16(0x0010);  // AES-128-CFB, no scheme, P-256, no KDF
    area.sized16(Bytes(32, null_unique)).sized16(Bytes(32, 7));
    const Bytes tpmt = area.take();
    const auto name = tpm::Name::of(HashAlgorithm::kSha256, tpmt);
    const Bytes parent = wire::Writer().u32(hierarchy).take();
    wire::Writer attest;
    attest.u32(0xff544347).u16(0x8017).sized16(fields.signer).sized16(extra);
    attest.u64(fields.clock.clock_ms).u32(fields.clock.reset_count).u32(fields.clock.restart_count).u8(1);
    attest.u64(fields.firmware).sized16(name.bytes()).sized16(attestation::qualified_name(parent, name));
    NullPrimary made{wire::Writer().sized16(tpmt).take(), attest.take(), {}};
    made.signature = ak.sign(made.attest);
    made.recorded = recorded;
    return made;
  }
  // What its system notes when it starts.
  void record_null_name(attestation::NameRecorder source) {
    const auto area = tpm::PublicArea::from_tpm2b(null_primary({}).public_area);
    recorded = attestation::RecordedName{area.value().name(), source};
  }

  attestation::SoftwareAk ak;
  attestation::QuoteFields fields;
  measured_boot::RegisterValues values;
  std::string boot_id;
  Bytes event_log;
  measured_boot::ima::test::TestList list;
  std::uint8_t null_unique = 0;
  std::optional<attestation::RecordedName> recorded;
};

}  // namespace warifu::verifier::test
