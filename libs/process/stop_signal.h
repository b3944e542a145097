#pragma once

namespace warifu::process {

// SIGTERM and SIGINT as something to wait for: from its construction on they do not end the process but make the
// descriptor readable (signalfd(2)). Before any thread is started, so that all have the same mask.
class StopSignal {
 public:
  StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal();
  int descriptor() const { return descriptor_; }
  // As if somebody had sent SIGTERM.
  static void give();

 private:
  int descriptor_;
};

}  // namespace warifu::process
