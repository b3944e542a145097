#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../system/swtpm.h"
#include "bus_recorder.h"
#include "device_life.h"
#include "table_audit.h"
#include "temporary_folder.h"

namespace warifu::bus {

// The code with which an operation says that it took a wrong answer for a right one.
inline constexpr std::string_view kWrongValue = "bus.wrong-value";

// Something that a device does with its TPM. `run` succeeds only with a result that is known to be right; one that is
// not is kWrongValue, everything else that it returns is an error that the device noticed.
struct Operation {
  enum class From : std::uint8_t {
    kWarm,        // session and SRK are there
    kPrepared,    // what `prepare` left
    kNewProcess,  // nothing is known but the EK's Name
  };
  std::string name;
  std::vector<std::string_view> commands;  // whose answers are changed here
  std::function<Status(tpm_device::TcbTpm&)> run;
  // What must be so before each run: done on a bus that nobody disturbs.
  std::function<Status(tpm_device::TcbTpm&)> prepare = {};
  From from = From::kWarm;
};

// A command may be sent in a session or, where the table allows it, without one. That is what decides what a change of
// its answer can do.
struct CommandKind {
  std::uint32_t code;
  bool in_session;
  friend auto operator<=>(const CommandKind&, const CommandKind&) = default;
};
std::string to_string(const CommandKind& kind);

// What became of a response's bytes, each changed once.
struct FlipReport {
  std::string operation;
  std::size_t bytes = 0;
  std::size_t refused = 0;            // the operation gave an error
  std::size_t right = 0;              // it gave the right result all the same
  std::vector<std::string> findings;  // what must not be
};

// A device on a bus on which somebody changes one byte after another.
class FlipBench {
 public:
  FlipBench(const test::Swtpm::Options& swtpm, tpm::EkProfile ek_profile);

  // Changes every byte of one response of each kind of the operation's commands. An error is one of the harness: the
  // operation does not work in peace, or does not have such a command.
  Status flip_all(const Operation& operation);
  const std::map<CommandKind, FlipReport>& reports() const { return reports_; }

 private:
  struct Response {
    std::size_t occurrence;  // among those of the same command code
    std::size_t size;
  };
  // A process that starts anew; it knows the EK from before.
  Status reopen();
  Status in_peace(const Operation& operation);
  Result<std::map<CommandKind, Response>> responses_of(const Operation& operation);
  Status flip_response(const Operation& operation, const CommandKind& kind, const Response& response);
  void flip_byte(const Operation& operation, const Flip& flip, FlipReport& report);
  void audit_recording(FlipReport& report, const std::string& where);

  tpm::EkProfile ek_profile_;
  TemporaryFolder folder_;
  test::Swtpm swtpm_;
  std::unique_ptr<BusRecorder> recorder_;
  std::optional<tpm::Name> ek_name_;
  std::unique_ptr<tpm_device::TcbTpm> tpm_;
  TableAudit audit_ = audit_of_a_device();
  std::map<CommandKind, FlipReport> reports_;
};

}  // namespace warifu::bus
