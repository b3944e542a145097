#include "measured_boot/event_log/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "measured_boot/event_log/cursor.h"
#include "measured_boot/event_log/log_parser.h"
#include "tpm_types/algorithm.h"
#include "wire/reader.h"

namespace warifu::measured_boot {
namespace {

constexpr std::size_t kLegacyHeaderSize = 32;  // register, type, SHA-1 digest, size
constexpr std::size_t kAgileHeaderSize = 12;   // register, type, number of digests; more follows
constexpr std::size_t kSha1Size = 20;
constexpr std::string_view kStartupLocality{"StartupLocality\0", 16};
constexpr RegisterIndex kPcrs = 24;
constexpr RegisterIndex kFirstDynamicPcr = 17;
constexpr RegisterIndex kLastRtmr = 4;  // RTMR3; 0 is MRTD, which nothing extends

bool is_all(ByteView bytes, std::uint8_t value) {
  return std::ranges::all_of(bytes, [value](std::uint8_t byte) { return byte == value; });
}

}  // namespace

Result<EventLog> parse_event_log(ByteView log) {
  if (log.size() > kLogSizeMax)
    return invalid_input("eventlog.too-large",
                         fmt::format("expected at most {} bytes, not {}", kLogSizeMax, log.size()), "offset 0");
  return LogParser(log).run();
}

Result<EventLog> LogParser::run() {
  log_.events_.reserve(std::min(input_.size() / 128 + 16, kEventsMax));  // as many as usual; others grow
  TRY_STATUS(first_event());
  while (true) {
    if (may_end_here()) {
      TRY(const bool ends, ends_here());
      if (ends) break;
    }
    TRY_STATUS(next_event());
  }
  conclude();
  return std::move(log_);
}

Error LogParser::truncated(std::size_t size, std::string_view field) const {
  return Cursor(rest(), position_).bytes(size, field).error();
}

// Firmware that has a log area and no TPM leaves it as it was: that is no log of one event.
Status LogParser::expect_some_event() const {
  const ByteView header = rest().first(std::min(kLegacyHeaderSize, input_.size()));
  if (header.size() < kLegacyHeaderSize || !(is_all(header, 0x00) || is_all(header, 0xFF))) return {};
  return invalid_input("eventlog.empty", "expected an event, padding came", wire::place("event[0]", position_));
}

// In both formats the first record has the legacy layout.
Status LogParser::first_event() {
  TRY_STATUS(expect_some_event());
  const std::size_t offset = position_;
  const std::uint8_t* header = take(8 + kSha1Size);
  if (header == nullptr) return truncated(kLegacyHeaderSize, "event[0]");
  const std::uint8_t* digest = header + 8;
  Event event{.number = 0,
              .offset = offset,
              .register_index = Cursor::load<std::uint32_t>(header),
              .type = EventType{Cursor::load<std::uint32_t>(header + 4)},
              .data = {}};
  if (!take_data(event)) return no_data(event);
  const SpecIdKind kind = event.is_measured() ? SpecIdKind::kNone : spec_id_kind(event.data);
  if (kind == SpecIdKind::kUnknown)
    return invalid_input("eventlog.spec-id", "expected Spec ID Event00, 02 or 03",
                         wire::place("specId.signature", event.data_offset));
  log_.format_ = kind == SpecIdKind::kAgile ? LogFormat::kPfpAgile : LogFormat::kSha1Legacy;
  header_size_ = kind == SpecIdKind::kAgile ? kAgileHeaderSize : kLegacyHeaderSize;
  if (kind != SpecIdKind::kAgile) {
    log_.banks_ = {{.algorithm_id = static_cast<std::uint16_t>(tpm::AlgorithmId::kSha1),
                    .digest_size = kSha1Size,
                    .algorithm = crypto::HashAlgorithm::kSha1}};
    log_.digests_.push_back(digest);
    if (!register_exists(event)) return no_register(event);
    if (event.type == EventType::kNoAction) TRY_STATUS(check_no_action(event));
    add(event);
    return {};
  }
  if (!is_all({digest, kSha1Size}, 0))
    finding("no-action.digest", 0, "the digest of an EV_NO_ACTION event is not zero");
  return begin_agile(event);
}

Status LogParser::begin_agile(const Event& event) {
  // CC_EVENT counts from MRTD, and TDVF puts the Spec ID event on its first run-time register.
  if (event.register_index > 1)
    return invalid_input("eventlog.spec-id", fmt::format("expected register 0 or 1, not {}", event.register_index),
                         wire::place("event[0].pcrIndex", event.offset));
  log_.register_kind_ = event.register_index == 1 ? RegisterKind::kRtmr : RegisterKind::kPcr;
  TRY(auto spec_id, parse_spec_id(event.data, event.data_offset));
  log_.banks_ = std::move(spec_id.banks);
  log_.digests_.reserve(log_.events_.capacity() * log_.banks_.size());
  log_.digests_.assign(log_.banks_.size(), nullptr);
  for (const LoggedBank& bank : log_.banks_)
    usual_digests_size_ += 2 + bank.digest_size;
  missing_vendor_info_ = spec_id.missing_vendor_info;
  if (spec_id.unknown_bytes != 0)
    finding("spec-id.unknown-bytes", 0, fmt::format("{} bytes after the vendor information", spec_id.unknown_bytes));
  for (const LoggedBank& bank : log_.banks_)
    if (!bank.algorithm)
      finding("bank.unknown", 0, fmt::format("algorithm {} is not replayed", tpm::to_hex_id(bank.algorithm_id)));
  log_.events_.push_back(event);
  return {};
}

// There is a whole header.
Status LogParser::next_event() {
  if (log_.events_.size() == kEventsMax)
    return invalid_input("eventlog.too-large", fmt::format("expected at most {} events", kEventsMax),
                         wire::place("event", position_));
  Event event{.number = static_cast<std::uint32_t>(log_.events_.size()),
              .offset = position_,
              .register_index = 0,
              .type = EventType::kNoAction,
              .data = {}};
  const std::uint8_t* header = take(kAgileHeaderSize);
  event.register_index = Cursor::load<std::uint32_t>(header);
  event.type = EventType{Cursor::load<std::uint32_t>(header + 4)};
  if (log_.format_ == LogFormat::kSha1Legacy) {
    position_ = event.offset + 8 + kSha1Size;
    log_.digests_.push_back(header + 8);
  } else {
    const auto count = Cursor::load<std::uint32_t>(header + 8);
    if (count != log_.banks_.size() || !take_usual_digests()) TRY_STATUS(read_digests(count));
  }
  if (!take_data(event)) return no_data(event);
  if (!register_exists(event)) return no_register(event);
  if (event.type == EventType::kNoAction) TRY_STATUS(check_no_action(event));
  add(event);
  return {};
}

Status LogParser::read_digests(std::uint32_t count) {
  if (count == 0 || count > log_.banks_.size())
    return invalid_input("eventlog.digests",
                         fmt::format("expected 1 to {} digests as announced, not {}", log_.banks_.size(), count),
                         wire::place("event.digests.count", position_ - sizeof count));
  log_.digests_.resize(log_.digests_.size() + log_.banks_.size(), nullptr);
  for (std::uint32_t i = 0; i < count; ++i)
    TRY_STATUS(read_digest());
  if (count == log_.banks_.size()) return {};
  // Windows' loader logs for the bank that it uses alone.
  finding("digest.missing", static_cast<std::uint32_t>(log_.events_.size()),
          "an event has no digest for a bank that the Spec ID event announces");
  return {};
}

// One for each bank in the order of the Spec ID event, as nearly all firmware has them. False: they are not, and
// nothing was taken.
bool LogParser::take_usual_digests() {
  if (usual_digests_size_ > input_.size() - position_) return false;
  const std::size_t before = log_.digests_.size();
  const std::uint8_t* next = input_.data() + position_;
  for (const LoggedBank& bank : log_.banks_) {
    if (Cursor::load<std::uint16_t>(next) != bank.algorithm_id) {
      log_.digests_.resize(before);
      return false;
    }
    log_.digests_.push_back(next + 2);
    next += 2 + bank.digest_size;
  }
  position_ += usual_digests_size_;
  return true;
}

Status LogParser::read_digest() {
  const std::size_t offset = position_;
  const std::uint8_t* id_bytes = take(2);
  if (id_bytes == nullptr) return truncated(2, "event.digests.hashAlg");
  const auto id = Cursor::load<std::uint16_t>(id_bytes);
  const auto bank = std::ranges::find(log_.banks_, id, &LoggedBank::algorithm_id);
  if (bank == log_.banks_.end())
    return invalid_input("eventlog.digests",
                         fmt::format("algorithm {} is not announced in the Spec ID event", tpm::to_hex_id(id)),
                         wire::place("event.digests.hashAlg", offset));
  const std::uint8_t* digest = take(bank->digest_size);
  if (digest == nullptr) return truncated(bank->digest_size, "event.digests.digest");
  const auto first = log_.digests_.size() - log_.banks_.size();
  auto& slot = log_.digests_[first + static_cast<std::size_t>(bank - log_.banks_.begin())];
  if (slot != nullptr)
    return invalid_input("eventlog.digests", fmt::format("algorithm {} occurs twice", tpm::to_hex_id(id)),
                         wire::place("event.digests.hashAlg", offset));
  slot = digest;
  return {};
}

bool LogParser::take_data(Event& event) {
  const std::uint8_t* size_bytes = take(4);
  if (size_bytes == nullptr) return false;
  const auto size = Cursor::load<std::uint32_t>(size_bytes);
  event.data_offset = position_;
  const std::uint8_t* data = take(size);
  if (data == nullptr) return false;
  event.data = {data, size};
  return true;
}

// Why take_data() failed.
Error LogParser::no_data(const Event& event) const {
  if (event.data_offset == 0) return truncated(4, "event.eventSize");
  return truncated(Cursor::load<std::uint32_t>(input_.data() + position_ - 4), "event.event");
}

void LogParser::add(const Event& event) {
  if (event.is_measured() && event.register_index == 0) {
    register_0_extended_ = true;
    if (event.type == EventType::kEfiHcrtmEvent) has_hcrtm_ = true;
  }
  log_.events_.push_back(event);
}

bool LogParser::register_exists(const Event& event) const {
  // PFP 1.06, "EV_NO_ACTION": what is not extended may belong to no register.
  if (!event.is_measured() && event.register_index == kNoRegister) return true;
  if (log_.register_kind_ == RegisterKind::kPcr) return event.register_index < kPcrs;
  return event.register_index <= kLastRtmr && (event.register_index > 0 || !event.is_measured());
}

Error LogParser::no_register(const Event& event) const {
  const bool is_pcr = log_.register_kind_ == RegisterKind::kPcr;
  return invalid_input(
      "eventlog.register",
      fmt::format("expected {}, not {}", is_pcr ? "PCR 0 to 23" : "measurement register 1 to 4", event.register_index),
      wire::place("event.pcrIndex", event.offset));
}

Status LogParser::check_no_action(const Event& event) {
  // PFP has them in PCR 0, and about NV indices in PCR 6.
  const RegisterIndex index = event.register_index;
  if (log_.register_kind_ == RegisterKind::kPcr && index != 0 && index != 6 && index != kNoRegister)
    finding("no-action.register", event.number, "an EV_NO_ACTION event is in a register where PFP has none");
  if (event.number > 0 && spec_id_kind(event.data) != SpecIdKind::kNone)
    return invalid_input("eventlog.spec-id", "a second Spec ID event", wire::place("event.event", event.data_offset));
  for (std::size_t bank = 0; bank < log_.banks_.size(); ++bank) {
    const std::uint8_t* digest = log_.digests_[event.number * log_.banks_.size() + bank];
    if (digest == nullptr || is_all({digest, log_.banks_[bank].digest_size}, 0)) continue;
    finding("no-action.digest", event.number, "the digest of an EV_NO_ACTION event is not zero");
    break;
  }
  const bool is_locality = event.data.size() >= kStartupLocality.size() &&
                           as_text(event.data.first(kStartupLocality.size())) == kStartupLocality;
  return is_locality ? startup_locality(event) : Status();
}

// PFP 1.06, "StartupLocality Event".
Status LogParser::startup_locality(const Event& event) {
  const auto refuse = [&event](std::string message) -> Status {
    return invalid_input("eventlog.startup-locality", std::move(message),
                         wire::place("event.event", event.data_offset));
  };
  if (log_.register_kind_ != RegisterKind::kPcr || event.register_index != 0)
    return refuse("a StartupLocality event belongs to PCR 0");
  if (event.data.size() != kStartupLocality.size() + 1)
    return refuse(fmt::format("expected {} bytes, not {}", kStartupLocality.size() + 1, event.data.size()));
  if (register_0_extended_) return refuse("a StartupLocality event after PCR 0 was extended");
  if (log_.startup_locality_) return refuse("a second StartupLocality event");
  const std::uint8_t locality = event.data.back();
  if (locality != 0 && locality != 3 && locality != 4)
    return refuse(fmt::format("expected locality 0, 3 or 4, not {}", locality));
  log_.startup_locality_ = locality;
  return {};
}

// No: there is a whole header, and its register is neither of the two that padding or an event of no register begin
// with. Then next_event() is right.
bool LogParser::may_end_here() const {
  if (input_.size() - position_ < header_size_ || missing_vendor_info_ != 0) return true;
  const auto register_index = Cursor::load<std::uint32_t>(input_.data() + position_);
  return register_index == 0 || register_index == kNoRegister;
}

Result<bool> LogParser::ends_here() {
  const ByteView left = rest();
  log_.end_offset_ = position_;
  if (left.empty()) return true;
  const bool legacy = log_.format_ == LogFormat::kSha1Legacy;
  const ByteView header = left.first(std::min(header_size_, left.size()));
  // A measured event has digests, so no header is all zeros; no register and no type is ffffffff at once.
  for (const std::uint8_t filler : {std::uint8_t{0x00}, std::uint8_t{0xFF}}) {
    const ByteView marker = filler == 0xFF ? header.first(std::min<std::size_t>(8, header.size())) : header;
    if (!is_all(marker, filler)) continue;
    const auto other = std::ranges::find_if(left, [filler](std::uint8_t byte) { return byte != filler; });
    if (other != left.end())
      return invalid_input("eventlog.trailing", "something stands after the padding that ends the log",
                           wire::place("padding", position_ + static_cast<std::size_t>(other - left.begin())));
    TRY_STATUS(end(AfterEnd::Kind::kPadding));
    return true;
  }
  if (log_.events_.size() == 1 && missing_vendor_info_ != 0 && left.size() == missing_vendor_info_) {
    finding("spec-id.vendor-info", 0, "the vendor information is not counted in the size of the Spec ID event");
    TRY_STATUS(end(AfterEnd::Kind::kVendorInfo));
    return true;
  }
  if (left.size() < header_size_)
    return invalid_input("eventlog.trailing",
                         fmt::format("expected an event or padding, {} bytes are left over", left.size()),
                         wire::place("event", position_));
  if (!legacy || !is_cut_unmeasured()) return false;
  finding("event.cut", static_cast<std::uint32_t>(log_.events_.size()),
          "the last event, which belongs to no register, is cut short");
  TRY_STATUS(end(AfterEnd::Kind::kCutUnmeasured));
  return true;
}

// Windows ends its log with a signature of it by the TPM, in an EV_NO_ACTION event of no register. Tools that copy the
// log's area cut it sometimes.
bool LogParser::is_cut_unmeasured() const {
  const ByteView left = rest();
  return Cursor::load<std::uint32_t>(left.data()) == kNoRegister &&
         EventType{Cursor::load<std::uint32_t>(left.data() + 4)} == EventType::kNoAction &&
         Cursor::load<std::uint32_t>(left.data() + header_size_ - 4) > left.size() - header_size_;
}

Status LogParser::end(AfterEnd::Kind kind) {
  log_.after_end_ = {.kind = kind, .size = input_.size() - position_};
  return {};
}

bool LogParser::finds_dynamic_launch() const {
  bool only_dynamic = true;
  for (const Event& event : log_.events_) {
    if (!event.is_measured()) continue;
    if (event.register_index == kFirstDynamicPcr && is_dynamic_launch(event.type)) return true;
    only_dynamic = only_dynamic && event.register_index >= kFirstDynamicPcr;
  }
  return only_dynamic;
}

void LogParser::conclude() {
  log_.has_dynamic_launch_ = finds_dynamic_launch();
  if (has_hcrtm_ && !log_.startup_locality_) log_.startup_locality_ = 4;
  if (has_hcrtm_ && log_.startup_locality_ != 4)
    finding("startup-locality.hcrtm", 0, "an H-CRTM event, and a StartupLocality event that tells of none");
  if (missing_vendor_info_ != 0 && log_.after_end_.kind != AfterEnd::Kind::kVendorInfo)
    finding("spec-id.vendor-info", 0, "vendor information is announced in the Spec ID event and is not there");
}

void LogParser::finding(std::string_view code, std::uint32_t event, std::string detail) {
  const auto known = std::ranges::find_if(
      log_.findings_, [&](const LogFinding& found) { return found.code == code && found.detail == detail; });
  if (known != log_.findings_.end())
    ++known->count;
  else
    log_.findings_.push_back({.code = code, .detail = std::move(detail), .first_event = event, .count = 1});
}

}  // namespace warifu::measured_boot
