#pragma once

#include <memory>
#include <string>

#include "sim/power_loss_disk.h"

namespace warifu::sim {

// Lets SQLite keep its files on a PowerLossDisk: open a database with this VFS name. Promises SQLite no more than the
// operating system's files do. Every connection must be closed before this object goes; one from before a power loss is
// closed before restore(), as the process that died with it would be.
class PowerLossVfs {
 public:
  explicit PowerLossVfs(PowerLossDisk& disk);
  ~PowerLossVfs();
  PowerLossVfs(const PowerLossVfs&) = delete;
  PowerLossVfs& operator=(const PowerLossVfs&) = delete;

  const std::string& name() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace warifu::sim
