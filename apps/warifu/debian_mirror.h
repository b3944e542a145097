#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::cli {

// Where a repository's files come from: a directory, file:///…, http:// or https://. What comes is as good as its
// signature and digests: whoever calls checks them.
class DebianMirror {
 public:
  // kInvalidInput "debian.mirror".
  static Result<DebianMirror> of(const std::string& address);

  struct Fetched {
    std::uint64_t size = 0;
    crypto::Digest sha256{crypto::HashAlgorithm::kSha256};
  };
  // Copies the file of that path below the mirror to `to`, which is made anew. kUnavailable "debian.fetch"; kRefused
  // "debian.size" for more than `size_max` bytes.
  Result<Fetched> fetch(const std::string& path, const std::filesystem::path& to, std::uint64_t size_max) const;
  const std::string& address() const { return address_; }

 private:
  DebianMirror(std::string address, bool is_web) : address_(std::move(address)), is_web_(is_web) {}
  std::string address_;  // without a slash at its end
  bool is_web_;
};

}  // namespace warifu::cli
