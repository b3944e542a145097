#include "flip_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "command_view.h"
#include "wire/writer.h"

namespace warifu::bus {
namespace {

// The size field of a response: a change there ends the connection, as recorder_test shows.
bool breaks_connection(std::size_t offset) {
  return offset >= 2 && offset < 6;
}

// What the kernel's resource manager does when a process is gone: its sessions and objects go too. swtpm has none.
Status flush_everything(const std::string& swtpm) {
  constexpr std::uint32_t kFlushContext = 0x165;
  TRY(const Descriptor socket, connect_to(swtpm));
  for (const std::uint32_t type : {0x02u, 0x03u, 0x80u})
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      const auto flush = wire::Writer().u16(0x8001).u32(14).u32(kFlushContext).u32(type << 24 | slot).take();
      Bytes response;
      if (!send_all(socket, flush)) break;
      while (response.size() < kHeaderSize && receive_into(socket, response)) {
      }
    }
  return {};
}

bool in_session(const CommandView& view) {
  return std::ranges::any_of(view.sessions, [](const SessionUse& use) { return !use.hmac.empty(); });
}

}  // namespace

std::string to_string(const CommandKind& kind) {
  return command_name(kind.code) + (kind.in_session ? "" : " (no session)");
}

FlipBench::FlipBench(const test::Swtpm::Options& swtpm, tpm::EkProfile ek_profile)
    : ek_profile_(ek_profile), swtpm_(swtpm) {
  auto started = BusRecorder::start(folder_.path("bus"), swtpm_.socket().string());
  if (started) recorder_ = std::move(*started);
}

Status FlipBench::reopen() {
  tpm_.reset();
  TRY_STATUS(flush_everything(swtpm_.socket().string()));
  tpm_device::DeviceOptions options{.ek_profile = ek_profile_, .ek_name = ek_name_};
  TRY(tpm_, tpm_device::TcbTpm::open(recorder_->tcti(), std::move(options)));
  if (ek_name_) return {};
  TRY(const tpm::EkPublic ek, tpm_->device().ek());
  ek_name_ = ek.name();
  return reopen();
}

Status FlipBench::in_peace(const Operation& operation) {
  if (!tpm_ || operation.from == Operation::From::kNewProcess) TRY_STATUS(reopen());
  if (operation.prepare) TRY_STATUS(operation.prepare(*tpm_));
  if (operation.from != Operation::From::kWarm) return {};
  TRY_STATUS(tpm_->device().srk());
  return tpm_->device().run(tpm_device::Protect::kAnswers, [](ESYS_TR) -> Status { return {}; });
}

Result<std::map<CommandKind, FlipBench::Response>> FlipBench::responses_of(const Operation& operation) {
  TRY_STATUS(in_peace(operation));
  audit_.add(recorder_->take_recording());
  TRY_STATUS(operation.run(*tpm_));
  const Recording recording = recorder_->take_recording();
  audit_.add(recording);
  std::map<CommandKind, Response> out;
  std::map<std::uint32_t, std::size_t> occurrences;
  for (std::size_t i = 0; i + 1 < recording.size(); i += 2) {
    TRY(const CommandView view, view_command(recording[i].bytes));
    const std::size_t occurrence = occurrences[view.code]++;
    const Bytes& response = recording[i + 1].bytes;
    // A refusal that belongs to the operation has no bytes worth changing.
    if (code_of(response) == 0) out.try_emplace({view.code, in_session(view)}, Response{occurrence, response.size()});
  }
  return out;
}

Status FlipBench::flip_all(const Operation& operation) {
  TRY(const auto responses, responses_of(operation));
  std::set<std::string> wanted(operation.commands.begin(), operation.commands.end());
  for (const auto& [kind, response] : responses) {
    const std::string name = command_name(kind.code);
    if (std::ranges::find(operation.commands, name) == operation.commands.end()) continue;
    wanted.erase(name);
    if (!reports_.contains(kind)) TRY_STATUS(flip_response(operation, kind, response));
  }
  if (wanted.empty()) return {};
  return Error{ErrorKind::kInternal, "bus.flip.command", *wanted.begin() + " does not occur"};
}

Status FlipBench::flip_response(const Operation& operation, const CommandKind& kind, const Response& response) {
  FlipReport& report = reports_[kind];
  report.operation = operation.name;
  for (std::size_t offset = 0; offset < response.size; ++offset) {
    TRY_STATUS(in_peace(operation));
    audit_recording(report, "before");
    const auto mask = static_cast<std::uint8_t>(1 << (offset % 8));
    flip_byte(operation, {kind.code, response.occurrence, offset, mask}, report);
    // A broken connection is the end of this process; everything else costs one operation and no more.
    if (breaks_connection(offset)) tpm_.reset();
  }
  TRY_STATUS(in_peace(operation));
  return operation.run(*tpm_);
}

void FlipBench::flip_byte(const Operation& operation, const Flip& flip, FlipReport& report) {
  const std::string where = fmt::format("byte {}", flip.offset);
  recorder_->arm(flip);
  const Status status = operation.run(*tpm_);
  ++report.bytes;
  if (!recorder_->disarm()) {
    report.findings.push_back(where + ": never reached: " + (status ? "" : to_string(status.error())));
    tpm_.reset();
  }
  if (status)
    ++report.right;
  else if (status.error().code == kWrongValue)
    report.findings.push_back(where + ": " + status.error().message);
  else
    ++report.refused;
  audit_recording(report, where);
}

void FlipBench::audit_recording(FlipReport& report, const std::string& where) {
  const std::size_t before = audit_.complaints().size();
  audit_.add(recorder_->take_recording());
  for (std::size_t i = before; i < audit_.complaints().size(); ++i)
    report.findings.push_back(where + ": " + audit_.complaints()[i]);
}

}  // namespace warifu::bus
