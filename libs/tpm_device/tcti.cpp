#include "tpm_device/tcti.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>

namespace warifu::tpm_device {
namespace {

namespace fs = std::filesystem;
using Kind = TctiAddress::Kind;

// struct sockaddr_un has 108 bytes, the last of which is a zero.
constexpr std::size_t kMaxSocketPath = 107;
constexpr std::string_view kControlSuffix = ".ctrl";

struct KindName {
  std::string_view name;
  Kind kind;
};
constexpr std::array kKinds = {KindName{"device", Kind::kDevice}, KindName{"swtpm", Kind::kSwtpm},
                               KindName{"mssim", Kind::kMssim}, KindName{"tabrmd", Kind::kTabrmd}};

Error bad_tcti(const std::string& what) {
  return invalid_input("tpm.tcti",
                       fmt::format("{}; possible are device:/dev/tpmrm0, swtpm:path=SOCKET, swtpm:host=HOST,port=PORT, "
                                   "mssim:host=HOST,port=PORT and tabrmd:",
                                   what));
}

Status check_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  // The control port is the next one.
  if (error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65534) return {};
  return bad_tcti(fmt::format("\"{}\" is no port from 1 to 65534", text));
}

// "key=value,key=value", with the keys that a socket TCTI knows. Returns the path.
Result<std::string> check_socket(std::string_view configuration, bool with_path) {
  std::string path;
  bool has_host = false;
  while (!configuration.empty()) {
    const std::size_t comma = configuration.find(',');
    const std::string_view pair = configuration.substr(0, comma);
    configuration = comma == std::string_view::npos ? std::string_view() : configuration.substr(comma + 1);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return bad_tcti(fmt::format("\"{}\" is not KEY=VALUE", pair));
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = pair.substr(equals + 1);
    if (value.empty()) return bad_tcti(fmt::format("\"{}\" has no value", pair));
    if (key == "port") {
      TRY_STATUS(check_port(value));
    } else if (key == "host") {
      has_host = true;
    } else if (key == "path" && with_path) {
      path = value;
    } else {
      return bad_tcti(fmt::format("\"{}\" is no known key", key));
    }
  }
  if (path.empty() == has_host) return path;
  return bad_tcti(path.empty() ? "neither a host nor a path is given" : "both a host and a path are given");
}

Status check_socket_path(const std::string& path) {
  if (path.size() + kControlSuffix.size() <= kMaxSocketPath) return {};
  return invalid_input("tpm.tcti",
                       fmt::format("the socket path has {} bytes, and {} is the longest for which there is room with "
                                   "\"{}\" after it: a UNIX socket's address has 108 bytes",
                                   path.size(), kMaxSocketPath - kControlSuffix.size(), kControlSuffix),
                       path);
}

// What the TCTI's own error would not tell.
Status check_device_file(const std::string& path, const SystemRoots& roots) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return explain_device(path, errno, roots);
  close(file);
  return {};
}

Status check_sockets(const std::string& path) {
  for (const std::string& socket : {path, path + std::string(kControlSuffix)}) {
    std::error_code ignored;
    if (fs::is_socket(socket, ignored)) continue;
    return Error{ErrorKind::kUnavailable, "tpm.absent",
                 fmt::format("no socket at {}: is swtpm running, with --server type=unixio,path={} and --ctrl "
                             "type=unixio,path={}{}?",
                             socket, path, path, kControlSuffix),
                 socket};
  }
  return {};
}

Status check_place(const TctiAddress& address, const SystemRoots& roots) {
  if (address.kind() == Kind::kDevice) return check_device_file(address.path(), roots);
  if (!address.path().empty()) return check_sockets(address.path());
  return {};
}

Error unreachable(const TctiAddress& address, TSS2_RC rc) {
  std::string hint;
  if (address.kind() == Kind::kTabrmd)
    hint = "; is the package libtss2-tcti-tabrmd0 installed and the service tpm2-abrmd running?";
  if (address.is_emulator()) hint = "; is the emulator running?";
  return {ErrorKind::kUnavailable, "tpm.unreachable",
          fmt::format("no answer from {}: {}{}", address.text(), Tss2_RC_Decode(rc), hint)};
}

// One command and its answer, past everything that knows what they mean.
Result<Bytes> exchange(TSS2_TCTI_CONTEXT* tcti, ByteView command, const TctiAddress& address) {
  // The macros of tss2_tcti.h do this with C casts.
  const auto* functions = reinterpret_cast<const TSS2_TCTI_CONTEXT_COMMON_V1*>(tcti);
  if (const TSS2_RC rc = functions->transmit(tcti, command.size(), command.data()); rc != TSS2_RC_SUCCESS)
    return unreachable(address, rc);
  Bytes response(4096);
  std::size_t size = response.size();
  if (const TSS2_RC rc = functions->receive(tcti, &size, response.data(), TSS2_TCTI_TIMEOUT_BLOCK);
      rc != TSS2_RC_SUCCESS) {
    return unreachable(address, rc);
  }
  response.resize(size);
  return response;
}

Status make_ready(TSS2_TCTI_CONTEXT* tcti, const TctiAddress& address) {
  TRY(const Bytes first, exchange(tcti, kGetTestResult, address));
  TRY(ProbeAnswer answer, judge_probe(first));
  if (answer == ProbeAnswer::kNeedsStartup && address.is_emulator()) {
    TRY_STATUS(exchange(tcti, kStartupClear, address));
    TRY(const Bytes second, exchange(tcti, kGetTestResult, address));
    TRY(answer, judge_probe(second));
  }
  if (answer == ProbeAnswer::kNeedsStartup) {
    return Error{ErrorKind::kUnavailable, "tpm.not-started",
                 "nobody has started up this TPM, which is the firmware's task: without it nothing that was measured "
                 "can be trusted; look for a firmware update, or load the kernel's TPM driver, which does it too"};
  }
  TRY(const Bytes hierarchies, exchange(tcti, kReadStartupClear, address));
  return judge_hierarchies(hierarchies);
}

}  // namespace

Result<TctiAddress> TctiAddress::parse(std::string_view text) {
  if (text.empty()) return bad_tcti("no way to the TPM is given");
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return bad_tcti(fmt::format("\"{}\" is none", text));
  for (const KindName& known : kKinds) {
    if (text.substr(0, colon) != known.name) continue;
    TctiAddress address(known.kind, std::string(text.substr(colon + 1)));
    if (known.kind == Kind::kDevice) {
      if (!address.configuration_.starts_with('/'))
        return bad_tcti(fmt::format("\"{}\" is no absolute path", address.configuration_));
      address.path_ = address.configuration_;
    }
    if (address.is_emulator()) {
      TRY(address.path_, check_socket(address.configuration_, known.kind == Kind::kSwtpm));
      TRY_STATUS(check_socket_path(address.path_));
    }
    return address;
  }
  return bad_tcti(fmt::format("\"{}\" is none", text));
}

std::string TctiAddress::text() const {
  for (const KindName& known : kKinds) {
    if (known.kind == kind_) return fmt::format("{}:{}", known.name, configuration_);
  }
  return configuration_;
}

void TctiDeleter::operator()(TSS2_TCTI_CONTEXT* context) const {
  Tss2_TctiLdr_Finalize(&context);
}

Result<TctiPtr> open_tcti(const TctiAddress& address, const SystemRoots& roots) {
  TRY_STATUS(check_place(address, roots));
  TSS2_TCTI_CONTEXT* context = nullptr;
  const TSS2_RC rc = Tss2_TctiLdr_Initialize(address.text().c_str(), &context);
  if (rc != TSS2_RC_SUCCESS) return unreachable(address, rc);
  TctiPtr tcti(context);
  TRY_STATUS(make_ready(tcti.get(), address));
  return tcti;
}

}  // namespace warifu::tpm_device
