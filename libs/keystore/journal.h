#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "base/file_system.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::keystore {

// A journal: JSON objects, one a line, that are only ever added (docs/formats/journal.md). Each has its number and the
// SHA-256 of the line before it, so that none can be changed or left out unseen. Files of about half a MiB,
// journal-00000001.jsonl and so on. One writer at a time: hold the FolderLock.
class Journal {
 public:
  // A further file is begun when one has grown beyond this.
  static constexpr std::size_t kFileSize = 512 * 1024;
  static constexpr std::size_t kEntrySizeMax = 32 * 1024;

  // The folder is there already. `files` outlives it.
  Journal(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  // The line is on the disk when this returns: what it tells of may be done then. What a power cut left of one that
  // nobody was told of is written over. `entry` has at most 32 KiB: kInvalidInput "journal.size". kUnavailable
  // "file.write"; kRefused "journal.broken" when the end of the journal is none.
  Status add(boost::json::object entry);

  // Reads all of it and returns how many lines there are. kRefused "journal.broken" naming the file and the line that
  // does not follow from the one before it. That the last lines were cut off is not seen here: compare the number with
  // one that was noted elsewhere.
  Result<std::uint64_t> check();

 private:
  // Where the next line goes.
  struct End {
    std::uint64_t file;    // its number, from 1
    std::size_t size;      // what it holds, without a torn line
    std::uint64_t number;  // of the last line; 0 before the first
    crypto::Digest digest;
  };
  std::string path_of(std::uint64_t file) const;
  Result<std::uint64_t> last_file();
  // Reads those files.
  Result<End> walk(std::uint64_t first, std::uint64_t last);

  FileSystem& files_;
  std::string folder_;
};

}  // namespace warifu::keystore
