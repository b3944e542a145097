#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace warifu::process {

// Runs a program (the first word, found by its path) to its end, without a shell, with no input and with no open file
// but standard output and standard error, and returns its exit code; 128 plus the signal's number if one ended it.
// Blocks. kUnavailable "process.start" if it cannot be started.
Result<int> run(const std::vector<std::string>& command);

// A program that runs beside this one and is talked to over its standard input, which it is to end with.
class Child {
 public:
  // Starts it as run() does, with a copy of `standard_input` as its input.
  static Result<Child> start(const std::vector<std::string>& command, int standard_input);
  Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Child& operator=(Child&&) = delete;
  // Waits for its end; one that has not ended after a few seconds is killed.
  ~Child();

  int id() const { return id_; }

 private:
  explicit Child(int id) : id_(id) {}
  int id_;
};

// A program that was installed beside the one that is running, by its name. kUnavailable "process.start".
Result<std::string> sibling_program(std::string_view name);

// The program that is running, also when its file was replaced or removed since it was started.
constexpr const char* kThisProgram = "/proc/self/exe";

}  // namespace warifu::process
