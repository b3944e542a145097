#include "measured_boot/event_log/cursor.h"

#include <fmt/format.h>

#include "wire/reader.h"

namespace warifu::measured_boot {

Status Cursor::expect_done(std::string_view what) const {
  if (remaining() == 0) return {};
  return invalid_input("eventlog.trailing", fmt::format("expected the end, {} bytes are left over", remaining()),
                       wire::place(what, offset()));
}

Error Cursor::too_long(std::uint64_t size, std::string_view field) const {
  return invalid_input("eventlog.truncated", fmt::format("expected {} bytes, only {} are left", size, remaining()),
                       wire::place(field, offset()));
}

}  // namespace warifu::measured_boot
