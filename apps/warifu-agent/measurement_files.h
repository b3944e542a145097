#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "agent/measurement_logs.h"
#include "device_config/device_config.h"

namespace warifu::agent_app {

// The logs as files. They are opened once, while this process still has the rights that it was started with: those of
// the kernel are root's. What was not there then is not there for this process.
class MeasurementFiles final : public agent::MeasurementLogs {
 public:
  // `ima_list_max`: as much of the IMA list is read at most, from where it is read on.
  explicit MeasurementFiles(const device_config::DeviceConfig& config, std::size_t ima_list_max = kLogMax);

  Result<std::optional<Bytes>> event_log() override { return event_log_.read(0, kLogMax); }
  Result<std::optional<Bytes>> ima_list(std::uint64_t offset) override { return ima_list_.read(offset, ima_list_max_); }
  Result<std::optional<Bytes>> userspace_log() override { return userspace_log_.read(0, kLogMax); }
  std::string boot_id() override { return boot_id_; }
  std::optional<agent::RecordedNullName> null_name() override { return null_name_; }

 private:
  class File {
   public:
    explicit File(std::filesystem::path path);
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();
    Result<std::optional<Bytes>> read(std::uint64_t offset, std::size_t size_max) const;

   private:
    Error unreadable(int why) const;

    const std::filesystem::path path_;
    const int descriptor_;
    const int open_error_;
  };

  static std::string first_line(const std::filesystem::path& path);
  static std::optional<agent::RecordedNullName> find_null_name(const device_config::DeviceConfig& config);

  const File event_log_;
  const File ima_list_;
  const std::size_t ima_list_max_;
  const File userspace_log_;
  const std::string boot_id_;
  const std::optional<agent::RecordedNullName> null_name_;
};

}  // namespace warifu::agent_app
