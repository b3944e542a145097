#include "warifu-agent/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>

#include "keystore/files.h"

namespace warifu::agent_app {
namespace {

std::string text_of(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

class Descriptor {
 public:
  explicit Descriptor(const std::string& path)
      : descriptor_(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error unreadable(const std::string& path) {
  return {ErrorKind::kUnavailable, "input.read", fmt::format("cannot read {}: {}", path, std::strerror(errno))};
}

}  // namespace

void print(const Context& context, const boost::json::object& record) {
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(record));
    return;
  }
  std::size_t width = 0;
  for (const auto& member : record)
    width = std::max(width, member.key().size());
  for (const auto& member : record) {
    std::string heading(member.key());
    std::ranges::replace(heading, '_', ' ');
    fmt::print("{:<{}}  {}\n", heading, width, text_of(member.value()));
  }
}

Result<SecretBytes> read_input(const std::string& path, std::size_t size_max) {
  const Descriptor input(path);
  if (input.get() < 0) return unreadable(path);
  SecretBytes buffer(size_max + 1);
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::read(input.get(), buffer.reveal_writable().data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path);
    if (got == 0) return SecretBytes::copy_of(buffer.reveal().first(filled));
    filled += static_cast<std::size_t>(got);
  }
  return invalid_input("input.size", fmt::format("expected at most {} bytes", size_max), path);
}

Status write_output(const std::string& path, ByteView content) {
  if (path != "-") return keystore::write_file(path, content, FileMode::kPrivate);
  while (!content.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return Error{ErrorKind::kUnavailable, "output.write",
                   fmt::format("cannot write to standard output: {}", std::strerror(errno))};
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace warifu::agent_app
