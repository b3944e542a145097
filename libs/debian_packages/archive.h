#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

// libarchive, as far as packages and indices need it.
struct archive;
struct archive_entry;

namespace warifu::debian_packages {

// Where an archive comes from: a file, or bytes that outlive the reading.
struct ArchiveSource {
  std::string name;  // for errors: "bash_5.2.15-2_amd64.deb"
  std::string file = {};
  ByteView bytes = {};  // looked at if there is no file
};

// An archive that is read from its beginning to its end. Only formats and filters that were asked for are tried.
class Archive {
 public:
  enum class Format : std::uint8_t { kAr, kTar, kRaw };

  // kUnavailable "file.read"; kInvalidInput "deb.format".
  static Result<Archive> open(Format format, const ArchiveSource& source);
  // A compressed archive in the member of another one, which stands at it and outlives this one.
  static Result<Archive> open_in(Archive& outer, Format format);
  ~Archive();
  Archive(Archive&& other) noexcept;

  // nullptr at the end. "deb.format".
  Result<archive_entry*> next();
  // The next bytes of the member; empty at its end. "deb.format" when it is truncated, or is no such archive.
  Result<ByteView> read();
  const std::string& name() const { return name_; }

 private:
  Archive(Format format, std::string name);
  Error refusal(std::string_view what) const;

  archive* handle_;
  std::string name_;
};

// The whole of a file that may be compressed (xz, gzip, zstd, bzip2), at most `size_max` bytes of it: "deb.size".
Result<std::string> decompressed(const ArchiveSource& source, std::size_t size_max);

}  // namespace warifu::debian_packages
