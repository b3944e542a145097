#include "summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "command_view.h"

namespace warifu::bus {
namespace {

// Knows which of the sessions that it saw start have a salt.
class Summary {
 public:
  void add(const Message& command, const Message* response);
  std::string text() const;

 private:
  std::string kind_of(const SessionUse& use) const;
  std::string sessions_of(const CommandView& view) const;

  std::set<std::uint32_t> salted_;
  std::size_t commands_ = 0, protected_ = 0;
  std::string lines_;
};

std::string Summary::kind_of(const SessionUse& use) const {
  if (use.is_password()) return use.hmac.empty() ? "empty password" : "PASSWORD IN CLEAR";
  const std::string salt = salted_.contains(use.handle) ? " salted" : " unsalted";
  return (use.is_policy() ? "policy" : "HMAC") + salt;
}

std::string Summary::sessions_of(const CommandView& view) const {
  std::string out;
  for (const SessionUse& use : view.sessions)
    out += (out.empty() ? "" : ", ") + kind_of(use);
  return out.empty() ? "none" : out;
}

void Summary::add(const Message& command, const Message* response) {
  ++commands_;
  const auto view = view_command(command.bytes);
  if (!view) {
    lines_ += fmt::format("{:<32} {}\n", command_name(code_of(command.bytes)), to_string(view.error()));
    return;
  }
  const std::uint32_t code = response == nullptr ? 0 : code_of(response->bytes);
  if (const auto handle = response == nullptr ? 0 : started_session(response->bytes);
      handle != 0 && starts_salted_session(*view))
    salted_.insert(handle);
  const bool any_session =
      std::ranges::any_of(view->sessions, [](const SessionUse& use) { return !use.is_password(); });
  if (any_session) ++protected_;
  const std::string result = response == nullptr ? "no response" : code == 0 ? "ok" : fmt::format("0x{:03x}", code);
  lines_ += fmt::format("{:<32} {:<32} {:<10} {:<10} {}\n", command_name(view->code), sessions_of(*view),
                        view->has(kParameterIn) ? "encrypted" : "clear",
                        view->has(kParameterOut) ? "encrypted" : "clear", result);
}

std::string Summary::text() const {
  return fmt::format("{:<32} {:<32} {:<10} {:<10} {}\n{}{} commands, {} of them under an HMAC or policy session\n",
                     "command", "session", "in", "out", "result", lines_, commands_, protected_);
}

}  // namespace

std::string summarize(const Recording& recording) {
  Summary summary;
  for (std::size_t i = 0; i < recording.size(); ++i) {
    if (recording[i].direction != Direction::kCommand) continue;
    const bool answered = i + 1 < recording.size() && recording[i + 1].direction == Direction::kResponse;
    summary.add(recording[i], answered ? &recording[i + 1] : nullptr);
  }
  return summary.text();
}

}  // namespace warifu::bus
