#include "measured_boot/claims/windows/sipa.h"

#include <fmt/format.h>

#include "measured_boot/event_log/cursor.h"
#include "wire/reader.h"

namespace warifu::measured_boot::windows {
namespace {

constexpr std::uint32_t kAggregation = 0x40000000;
constexpr std::uint32_t kFirstClass = 0x01;  // containers
constexpr std::uint32_t kLastClass = 0x0C;   // DRTM

bool is_windows_class(std::uint32_t type) {
  const std::uint32_t number = type >> 16 & 0xFF;
  return kFirstClass <= number && number <= kLastClass;
}

class Parser {
 public:
  Result<std::vector<SipaEvent>> parse(ByteView bytes, std::size_t offset, std::size_t depth) {
    if (depth > kSipaDepthMax)
      return invalid_input("eventlog.sipa-depth",
                           fmt::format("expected at most {} events inside each other", kSipaDepthMax),
                           wire::place("sipa.data", offset));
    std::vector<SipaEvent> events;
    Cursor cursor(bytes, offset);
    while (cursor.remaining() > 0) {
      TRY(auto event, parse_one(cursor, depth));
      events.push_back(std::move(event));
    }
    return events;
  }

 private:
  Result<SipaEvent> parse_one(Cursor& cursor, std::size_t depth) {
    SipaEvent event;
    event.offset = cursor.offset();
    if (++count_ > kSipaEventsMax)
      return invalid_input("eventlog.sipa-count", fmt::format("expected at most {} events", kSipaEventsMax),
                           wire::place("sipa.type", event.offset));
    TRY(const auto type, cursor.u32("sipa.type"));
    TRY(const auto size, cursor.u32("sipa.size"));
    if (depth == 1 && !is_windows_class(type))
      return invalid_input("eventlog.sipa-type", fmt::format("{:08x} is no type of Windows' events", type),
                           wire::place("sipa.type", event.offset));
    const std::size_t data_offset = cursor.offset();
    TRY(event.data, cursor.bytes(size, "sipa.data"));
    event.type = static_cast<SipaType>(type);
    if ((type & kAggregation) != 0) {
      TRY(event.inner, parse(event.data, data_offset, depth + 1));
    }
    return event;
  }

  std::size_t count_ = 0;
};

}  // namespace

Result<std::vector<SipaEvent>> parse_sipa(ByteView bytes, std::size_t offset) {
  return Parser().parse(bytes, offset, 1);
}

}  // namespace warifu::measured_boot::windows
