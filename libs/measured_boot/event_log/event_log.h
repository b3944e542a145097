#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "measured_boot/event_log/event_type.h"
#include "measured_boot/registers.h"

namespace warifu::measured_boot {

// How the records are laid out: with one SHA-1 digest each (TCG_PCR_EVENT of TPM 1.2), or with one digest for each bank
// (TCG_PCR_EVENT2 of PFP, also in Windows' WBCL, U-Boot's and TF-A's logs, and CC_EVENT of UEFI 2.10, "Confidential
// Computing").
enum class LogFormat : std::uint8_t { kSha1Legacy, kPfpAgile };
// "sha1-legacy", "pfp-agile"
std::string_view to_string(LogFormat format);

// TrEE and PFP give events that belong to no register this index.
inline constexpr RegisterIndex kNoRegister = 0xFFFFFFFF;

// One record. Nothing in it is proved; `data` is a view into the input.
struct Event {
  std::uint32_t number = 0;  // in the log; 0 is the first, the Spec ID of an agile log
  std::size_t offset = 0;    // of its header in the file
  RegisterIndex register_index = 0;
  EventType type = EventType::kNoAction;
  ByteView data;
  std::size_t data_offset = 0;

  bool is_measured() const { return type != EventType::kNoAction; }
};

// A digest algorithm that the Spec ID event announces.
struct LoggedBank {
  std::uint16_t algorithm_id = 0;  // TPM_ALG_ID
  std::size_t digest_size = 0;
  std::optional<crypto::HashAlgorithm> algorithm;  // nullopt: one that we cannot compute, like SHA3-256
};

// Something unusual that does not make the log unreadable, counted over the events that have it.
struct LogFinding {
  std::string_view code;  // "digest.missing"
  std::string detail;
  std::uint32_t first_event = 0;
  std::uint32_t count = 0;
};

// What stands between the last event and the end of the file.
struct AfterEnd {
  enum class Kind : std::uint8_t {
    kNothing,
    kPadding,        // all 00 or all ff
    kVendorInfo,     // of the Spec ID event, which forgot to count it
    kCutUnmeasured,  // a last EV_NO_ACTION of no register, cut short: nothing that was measured is missing
  };
  Kind kind = Kind::kNothing;
  std::size_t size = 0;  // in bytes
};

// A boot log that was read whole. Views point into the input, which must outlive it.
class EventLog {
 public:
  LogFormat format() const { return format_; }
  RegisterKind register_kind() const { return register_kind_; }
  const std::vector<LoggedBank>& banks() const { return banks_; }
  const std::vector<Event>& events() const { return events_; }
  // In banks(); nullopt: the log does not have it.
  std::optional<std::size_t> position_of(crypto::HashAlgorithm bank) const;
  // Of one event in banks()[bank]; empty if the event has none.
  ByteView digest(const Event& event, std::size_t bank) const;
  // The same by algorithm; empty, too, if the log does not have that bank.
  ByteView digest(const Event& event, crypto::HashAlgorithm bank) const;
  // The locality from which the TPM was started, which PCR 0 begins with; 4 means by an H-CRTM. nullopt: none is told.
  std::optional<std::uint8_t> startup_locality() const { return startup_locality_; }
  // It resets PCR 17 to 22. It is told by its event; a log of nothing but those registers is the launch's own.
  bool has_dynamic_launch() const { return has_dynamic_launch_; }
  std::size_t end_offset() const { return end_offset_; }
  const AfterEnd& after_end() const { return after_end_; }
  const std::vector<LogFinding>& findings() const { return findings_; }

 private:
  friend class LogParser;

  LogFormat format_ = LogFormat::kSha1Legacy;
  RegisterKind register_kind_ = RegisterKind::kPcr;
  std::vector<LoggedBank> banks_;
  std::vector<Event> events_;
  std::vector<const std::uint8_t*> digests_;  // of event i in bank b: [i * banks + b]; null: not there
  std::optional<std::uint8_t> startup_locality_;
  bool has_dynamic_launch_ = false;
  std::size_t end_offset_ = 0;
  AfterEnd after_end_;
  std::vector<LogFinding> findings_;
};

}  // namespace warifu::measured_boot
