#pragma once

// A device with its TCB and its server, and what is around them, in memory.

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/contact.h"
#include "agent/test_server.h"

namespace warifu::agent::test {

class RecordingWaiter final : public Waiter {
 public:
  explicit RecordingWaiter(TestClock& clock) : clock_(clock) {}
  Woken wait(std::chrono::milliseconds time) override {
    waits.push_back(time);
    clock_.advance(time);
    if (on_wait) on_wait();
    return waits.size() >= stop_after ? Woken::kToStop : Woken::kByTime;
  }
  std::vector<std::chrono::milliseconds> waits;
  std::size_t stop_after = 1000;
  std::function<void()> on_wait;

 private:
  TestClock& clock_;
};

class RecordingProgress final : public Progress {
 public:
  void step(int number, std::string_view what) override {
    steps.push_back(number);
    text.append(what).append("\n");
  }
  void note(std::string_view what) override { text.append("note: ").append(what).append("\n"); }
  std::vector<int> steps;
  std::string text;
};

class MemoryFiles final : public StateFiles {
 public:
  Result<std::optional<Bytes>> read(std::string_view name) override {
    const auto found = files.find(std::string(name));
    return found == files.end() ? std::optional<Bytes>() : std::optional<Bytes>(found->second);
  }
  Status replace(std::string_view name, ByteView content) override {
    if (full) return Error{ErrorKind::kUnavailable, "file.write", "the disk is full"};
    ++writes;
    files[std::string(name)] = to_bytes(content);
    return {};
  }
  Status remove(std::string_view name) override {
    files.erase(std::string(name));
    return {};
  }
  std::map<std::string, Bytes> files;
  int writes = 0;
  bool full = false;
};

class AgentTest : public testing::Test {
 protected:
  Result<Registration> contact(Registering registering = Registering::kAlways) {
    return Contact(outside_).make(registering);
  }
  int requests(std::string_view step) const {
    return static_cast<int>(std::ranges::count(server_.requests, step, ScriptedServer::step_of));
  }
  int calls(std::string_view name) const { return static_cast<int>(std::ranges::count(tcb_.calls, name)); }

  TestClock clock_;
  TestEntropy entropy_;
  ScriptedTcb tcb_;
  TcbServerCheck check_{tcb_};
  ScriptedServer server_{check_};
  MemoryFiles files_;
  RecordingWaiter waiter_{clock_};
  RecordingProgress progress_;
  Outside outside_{server_, check_, tcb_, files_, clock_, entropy_, waiter_, progress_};
};

}  // namespace warifu::agent::test
