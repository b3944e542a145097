#include "warifu-agent/measurement_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace warifu::agent_app {
namespace {

constexpr std::size_t kPartSize = std::size_t{64} * 1024;
constexpr std::size_t kBootIdSize = 36;  // a UUID

// TPM_ALG_SHA256 and a digest, in hexadecimal as the kernel writes it.
bool is_sha256_name(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 68 && text.starts_with("000b") && std::ranges::all_of(text, is_digit);
}

}  // namespace

MeasurementFiles::File::File(std::filesystem::path path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      open_error_(descriptor_ < 0 ? errno : 0) {
}

MeasurementFiles::File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error MeasurementFiles::File::unreadable(int why) const {
  return {ErrorKind::kUnavailable, "logs.read", fmt::format("cannot read {}: {}", path_.string(), std::strerror(why))};
}

Result<std::optional<Bytes>> MeasurementFiles::File::read(std::uint64_t offset, std::size_t size_max) const {
  if (open_error_ == ENOENT || open_error_ == ENOTDIR) return std::optional<Bytes>();
  if (descriptor_ < 0) return unreadable(open_error_);
  if (!std::in_range<off_t>(offset)) return unreadable(EOVERFLOW);
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) return unreadable(errno);
  Bytes content;
  for (;;) {
    const std::size_t size = content.size();
    if (size > size_max)
      return refused("logs.size", fmt::format("{} has more than {} bytes after its byte {}: too many to show at once",
                                              path_.string(), size_max, offset));
    const std::size_t part = std::min(kPartSize, size_max - size + 1);
    content.resize(size + part);
    const ssize_t got = ::read(descriptor_, content.data() + size, part);
    if (got < 0 && errno != EINTR) return unreadable(errno);
    content.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return std::optional(std::move(content));
  }
}

MeasurementFiles::MeasurementFiles(const device_config::DeviceConfig& config, std::size_t ima_list_max)
    : event_log_(config.attestation.event_log),
      ima_list_(config.attestation.ima_list),
      ima_list_max_(ima_list_max),
      userspace_log_(config.attestation.userspace_log),
      boot_id_(first_line(config.attestation.boot_id).substr(0, kBootIdSize)),
      null_name_(find_null_name(config)) {
}

// Empty when it cannot be read.
std::string MeasurementFiles::first_line(const std::filesystem::path& path) {
  const auto text = File(path).read(0, kLogMax);
  if (!text || !*text) return {};
  const auto line = as_text(**text);
  return std::string(line.substr(0, line.find('\n')));
}

// A kernel that could not make its NULL primary shows zeros, which are no Name: then it is as if it said nothing.
std::optional<agent::RecordedNullName> MeasurementFiles::find_null_name(const device_config::DeviceConfig& config) {
  for (const auto& path : device_config::null_name_files(config)) {
    std::string name = first_line(path);
    if (is_sha256_name(name))
      return agent::RecordedNullName{std::move(name), path.string().starts_with("/sys/") ? "kernel" : "initramfs"};
  }
  return std::nullopt;
}

}  // namespace warifu::agent_app
