#include "table_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace warifu::bus {
namespace {

constexpr std::uint32_t kNull = 0x40000007;         // TPM_RH_NULL
constexpr std::uint32_t kEndorsement = 0x4000000B;  // TPM_RH_ENDORSEMENT

using tpm::Exception;
using tpm::RequestRule;
using tpm::ResponseRule;

bool starts_with(ByteView bytes, ByteView start) {
  return bytes.size() >= start.size() && std::ranges::equal(bytes.first(start.size()), start);
}

}  // namespace

void TableAudit::add(const Recording& recording) {
  for (const Message& message : recording) {
    if (message.direction == Direction::kResponse) {
      note_session(last_, started_session(message.bytes));
      continue;
    }
    ++commands_;
    if (std::ranges::find(allowed_, message.bytes) != allowed_.end()) continue;
    auto view = view_command(message.bytes);
    if (view)
      add_command(*view);
    else
      complain(command_name(code_of(message.bytes)), to_string(view.error()));
    last_ = view ? std::move(*view) : CommandView{};
  }
}

void TableAudit::add_command(const CommandView& view) {
  seen_.insert(view.code);
  judge_passwords(view);
  const tpm::CommandRule* rule = table_.find(view.code);
  if (rule == nullptr)
    complain(command_name(view.code), "no row of the table has it");
  else
    judge(view, *rule);
}

void TableAudit::judge_passwords(const CommandView& view) {
  for (const SessionUse& use : view.sessions)
    if (use.is_password() && !use.hmac.empty()) complain(command_name(view.code), "a password in clear");
}

void TableAudit::judge(const CommandView& view, const tpm::CommandRule& rule) {
  const std::string name = command_name(view.code);
  if (rule.name != name) complain(name, "the table calls it " + std::string(rule.name));
  if (rule.handles != view.handles.size()) complain(name, "the table counts other handles");
  if (rule.exception == Exception::kSessionless && !view.sessions.empty()) complain(name, "it may have no sessions");
  if (rule.exception == Exception::kSalted && !starts_salted_session(view)) complain(name, "no salt");
  if (is_excepted(view, rule)) return;
  const bool empty_first = rule.exception == Exception::kEmptyFirst && starts_with(view.parameters, Bytes{0, 0});
  if (rule.request == RequestRule::kEncrypted && !empty_first && !is_protected(view, kParameterIn))
    complain(name, "its first parameter is secret and not encrypted");
  if (rule.response == ResponseRule::kEncrypted && !is_protected(view, kParameterOut))
    complain(name, "its answer is secret and not encrypted");
  if (rule.response == ResponseRule::kAuthenticated && !is_protected(view, 0))
    complain(name, "no session protects its answer");
}

bool TableAudit::is_excepted(const CommandView& view, const tpm::CommandRule& rule) const {
  if (is_protected(view, 0)) return false;
  switch (rule.exception) {
    case Exception::kEmptySensitive:
      return (view.handles.front() == kEndorsement || view.handles.front() == kNull) &&
             starts_with(view.parameters, Bytes{0, 4, 0, 0, 0, 0});
    case Exception::kFirstRead:  // a persistent object or an NV index
      return view.handles.front() >> 24 == 0x81 || view.handles.front() >> 24 == 0x01;
    default:
      return false;
  }
}

bool TableAudit::is_protected(const CommandView& view, std::uint8_t attributes) const {
  return std::ranges::any_of(view.sessions, [&](const SessionUse& use) {
    return salted_.contains(use.handle) && !use.hmac.empty() && (use.attributes & attributes) == attributes;
  });
}

// A handle is used again after its session was flushed.
void TableAudit::note_session(const CommandView& command, std::uint32_t handle) {
  if (command.code != kStartAuthSession || handle == 0) return;
  salted_.erase(handle);
  if (starts_salted_session(command)) salted_.insert(handle);
}

void TableAudit::complain(const std::string& command, const std::string& what) {
  complaints_.push_back(fmt::format("command {}, {}: {}", commands_, command, what));
}

}  // namespace warifu::bus
