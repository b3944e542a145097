#pragma once

#include "measured_boot/event_log/event_log.h"
#include "measured_boot/event_log/spec_id.h"

namespace warifu::measured_boot {

// The state of one parse_event_log(); not for others.
class LogParser {
 public:
  explicit LogParser(ByteView input) : input_(input) {}
  Result<EventLog> run();

 private:
  Status expect_some_event() const;
  Status first_event();
  Status begin_agile(const Event& event);
  Status next_event();
  Status read_digests(std::uint32_t count);
  bool take_usual_digests();
  Status read_digest();
  bool take_data(Event& event);
  Error no_data(const Event& event) const;
  void add(const Event& event);
  bool register_exists(const Event& event) const;
  Error no_register(const Event& event) const;
  Status check_no_action(const Event& event);
  Status startup_locality(const Event& event);
  bool may_end_here() const;
  Result<bool> ends_here();
  bool is_cut_unmeasured() const;
  Status end(AfterEnd::Kind kind);
  bool finds_dynamic_launch() const;
  void conclude();

  ByteView rest() const { return input_.subspan(position_); }
  // nullptr: so many bytes are not left. What every event goes through returns no Result: each would cost a tenth of
  // the event's hash.
  const std::uint8_t* take(std::size_t size) {
    if (size > input_.size() - position_) return nullptr;
    const std::uint8_t* taken = input_.data() + position_;
    position_ += size;
    return taken;
  }
  Error truncated(std::size_t size, std::string_view field) const;
  void finding(std::string_view code, std::uint32_t event, std::string detail);

  ByteView input_;
  std::size_t position_ = 0;
  std::size_t missing_vendor_info_ = 0;
  std::size_t header_size_ = 0;  // of all records but the first
  std::size_t usual_digests_size_ = 0;
  bool register_0_extended_ = false;
  bool has_hcrtm_ = false;
  EventLog log_;
};

}  // namespace warifu::measured_boot
