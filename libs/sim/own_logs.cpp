#include "sim/own_logs.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "sim/test_data.h"
#include "wire/json.h"

namespace warifu::sim {
namespace {

namespace fs = std::filesystem;

OwnLog read_own_log(const fs::path& folder) {
  OwnLog log{.name = folder.filename().string(), .folder = folder, .expected = {}, .expected_text = {}};
  log.expected_text = std::string(as_text(log.bytes("expected.json")));
  auto json = wire::parse_json(log.expected_text);
  if (!json) {
    std::fprintf(stderr, "%s: %s\n", folder.c_str(), to_string(json.error()).c_str());
    std::abort();
  }
  log.expected = std::move(json->as_object());
  return log;
}

}  // namespace

Bytes OwnLog::bytes(std::string_view file) const {
  return read_test_file(folder / file);
}

std::vector<OwnLog> own_logs() {
  std::vector<OwnLog> logs;
  for (const auto& entry : fs::directory_iterator(fs::path(WARIFU_SOURCE_DIR) / "tests" / "logs"))
    if (fs::exists(entry.path() / "expected.json")) logs.push_back(read_own_log(entry.path()));
  if (logs.empty()) {
    std::fprintf(stderr, "tests/logs has no logs\n");
    std::abort();
  }
  std::ranges::sort(logs, {}, &OwnLog::name);
  return logs;
}

}  // namespace warifu::sim
