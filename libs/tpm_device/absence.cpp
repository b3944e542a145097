#include "tpm_device/absence.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "wire/reader.h"

namespace warifu::tpm_device {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kTagTpm12Response = 0x00C4;  // TPM Main Part 2, TPM_TAG_RSP_COMMAND
constexpr std::uint16_t kTagNoSessions = 0x8001;     // TPM_ST_NO_SESSIONS
constexpr std::uint32_t kRcInitialize = 0x100;       // TPM_RC_INITIALIZE
constexpr std::uint32_t kRcFailure = 0x101;          // TPM_RC_FAILURE
constexpr std::uint32_t kPtStartupClear = 0x201;     // TPM_PT_STARTUP_CLEAR
constexpr std::uint32_t kShEnable = 1u << 1;         // TPMA_STARTUP_CLEAR (Part 2, 8.7)
constexpr std::uint32_t kEhEnable = 1u << 2;

Error unavailable(std::string_view code, std::string message, std::string where = {}) {
  return {ErrorKind::kUnavailable, code, std::move(message), std::move(where)};
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string group_of(const fs::path& device) {
  struct stat info {};
  if (stat(device.c_str(), &info) != 0) return "tss";
  const group* found = getgrgid(info.st_gid);
  return found == nullptr ? std::to_string(info.st_gid) : found->gr_name;
}

Error explain_permission(const fs::path& device) {
  return unavailable("tpm.permission",
                     fmt::format("user {} may not read and write {}: it belongs to group {}; run as a member of that "
                                 "group, or give the device to this user with a udev rule",
                                 geteuid(), device.string(), group_of(device)),
                     device.string());
}

Error tpm12() {
  return unavailable("tpm.version",
                     "this is a TPM 1.2 and a TPM 2.0 is needed: look in the firmware set-up whether it can be "
                     "switched to 2.0 (a firmware TPM: Intel PTT, AMD fTPM), or for a firmware update of the chip");
}

// The kernel has a TPM, and its device file is not where we were told.
Error explain_missing_file(const fs::path& device, const SystemRoots& roots) {
  if (is_there(roots.dev / "tpm0") && device.filename().string().starts_with("tpmrm")) {
    return unavailable("tpm.absent",
                       fmt::format("{} is not there but {} is: the kernel has no TPM resource manager (Linux before "
                                   "4.12); use tpm2-abrmd with tcti = \"tabrmd:\"",
                                   device.string(), (roots.dev / "tpm0").string()),
                       device.string());
  }
  return unavailable("tpm.absent",
                     fmt::format("the kernel has a TPM but {} is not there: in a container, pass it in "
                                 "(--device {}); else check that udev runs and that the name is right",
                                 device.string(), device.string()),
                     device.string());
}

Error explain_no_driver(const fs::path& device, const SystemRoots& roots) {
  if (is_there(roots.sys / "firmware/acpi/tables/TPM2")) {
    return unavailable("tpm.absent",
                       "the firmware announces a TPM 2.0 and the kernel has no driver for it: load tpm_crb or tpm_tis "
                       "(modprobe), and see the kernel log for the cause",
                       device.string());
  }
  return unavailable("tpm.absent",
                     "no TPM: enable it in the firmware set-up (\"Security Device\", Intel PTT, AMD fTPM); on a "
                     "virtual machine add a vTPM; on a board without ACPI name the chip in the device tree "
                     "(for example dtoverlay=tpm-slb9670)",
                     device.string());
}

Error explain_absent(const fs::path& device, const SystemRoots& roots) {
  const fs::path tpm = roots.sys / "class/tpm/tpm0";
  if (!is_there(tpm)) return explain_no_driver(device, roots);
  if (first_line(tpm / "tpm_version_major") == "1") return tpm12();
  return explain_missing_file(device, roots);
}

Error unreachable(const std::string& what) {
  return unavailable("tpm.unreachable", fmt::format("what answers is no TPM: {}", what));
}

}  // namespace

Error explain_device(const fs::path& device, int error_number, const SystemRoots& roots) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return explain_permission(device);
    case EBUSY:
      return unavailable("tpm.busy",
                         fmt::format("another program has {}, which only one may have: stop it, or use the kernel's "
                                     "resource manager (tcti = \"device:/dev/tpmrm0\")",
                                     device.string()),
                         device.string());
    case ENOENT:
    case ENXIO:
    case ENODEV:
    case ENOTDIR:
      return explain_absent(device, roots);
    default:
      return unavailable("tpm.unreachable",
                         fmt::format("{} cannot be opened: {}", device.string(), std::strerror(error_number)),
                         device.string());
  }
}

Result<ProbeAnswer> judge_probe(ByteView response) {
  wire::Reader reader(response);
  const auto tag = reader.u16("tag");
  if (tag && *tag == kTagTpm12Response) return tpm12();
  const auto size = reader.u32("responseSize");
  const auto code = reader.u32("responseCode");
  if (!code || *size != response.size() || *tag != kTagNoSessions)
    return unreachable(fmt::format("{} bytes without the header of a response", response.size()));
  if (*code == kRcInitialize) return ProbeAnswer::kNeedsStartup;
  // outData is the vendor's; testResult says how the self-test went, also of a TPM that answers nothing else.
  std::uint32_t test_result = *code;
  if (*code == 0) {
    if (!reader.sized16("outData")) return unreachable("a TPM2_GetTestResult without outData");
    const auto result = reader.u32("testResult");
    if (!result) return unreachable("a TPM2_GetTestResult without testResult");
    test_result = *result;
  }
  if (test_result == kRcFailure) {
    return unavailable("tpm.failure-mode",
                       "the TPM failed its self-test and refuses to work: switch the machine off and on (a reboot may "
                       "not reset it); if it stays so, the chip is broken or needs a firmware update");
  }
  // Anything else is a TPM that works, is still testing, or does not know the command.
  return ProbeAnswer::kReady;
}

Status judge_hierarchies(ByteView response) {
  wire::Reader reader(response);
  const auto header = reader.bytes(10, "header");
  const auto more_data = reader.u8("moreData");
  const auto capability = reader.u32("capability");
  const auto count = reader.u32("count");
  const auto property = reader.u32("property");
  const auto value = reader.u32("value");
  const bool answered = header && more_data && capability && count && value;
  // A TPM that does not tell is no reason to refuse it: the first command that needs a hierarchy will.
  if (!answered || *count != 1 || *property != kPtStartupClear) return {};
  const bool owner = (*value & kShEnable) != 0;
  const bool endorsement = (*value & kEhEnable) != 0;
  if (owner && endorsement) return {};
  return unavailable("tpm.disabled",
                     fmt::format("the firmware has switched off the {} of this TPM: enable it in the firmware set-up "
                                 "(\"Storage Hierarchy\", \"Endorsement Hierarchy\", \"TPM State\")",
                                 owner         ? "endorsement hierarchy"
                                 : endorsement ? "storage hierarchy"
                                               : "storage and endorsement hierarchies"));
}

}  // namespace warifu::tpm_device
