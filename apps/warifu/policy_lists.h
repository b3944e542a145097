#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "base/time.h"

// The files that policies allow (docs/formats/evidence-policy.md), as they are put together and written.
namespace warifu::cli {

// A digest that is good under a path, and where that was said.
struct AllowedFile {
  std::string path;
  std::string digest;  // "sha256:HEX", lower-case
  std::uint32_t source = 0;
  std::uint32_t index = 0;  // of the member `files`

  bool operator<(const AllowedFile& other) const { return std::tie(path, digest) < std::tie(other.path, other.digest); }
};

struct PolicyLists {
  std::vector<AllowedFile> files;
  std::map<Timestamp, std::vector<AllowedFile>> retiring;
  std::set<std::string> withdrawn;
};

// Adds what a policy lists, which attestation::parse_evidence_policy() took.
void read_lists(const boost::json::object& policy, std::uint32_t source, PolicyLists& lists);

// In the order of paths, each pair once.
void sort_unique(std::vector<AllowedFile>& files);

// Writes a policy: all of `rest` but its lists, and these, sorted, with a line for each path. `out` is flushed.
// kUnavailable "file.write".
Status write_policy(const boost::json::object& rest, const PolicyLists& lists, std::FILE* out);

}  // namespace warifu::cli
