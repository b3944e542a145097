#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace warifu::bench {

// A program of somebody else that reads what we read (docs/performance.md, "Beside other programs"). It is a process,
// so what its start costs is measured by itself: by the same program with next to nothing to do.
struct Peer {
  struct File {
    std::string name;
    Bytes content;
  };

  std::string id;
  std::string what;
  std::string package;  // Debian's
  std::vector<File> files;
  // Started in a folder with those files, found in PATH. `command` must succeed.
  std::vector<std::string> command;
  std::vector<std::string> start;
  // What takes the place of files of those names: `command` must fail.
  std::vector<File> bad;
  std::function<void()> ours;  // the same, once
};

std::vector<Peer> quote_peers();
std::vector<Peer> ima_peers();

// A line for each, or that it is not installed. No figure decides anything; 1 when a peer is not up to its input.
int measure_peers(const std::vector<Peer>& peers);

}  // namespace warifu::bench
