#pragma once

#include <fstream>
#include <istream>
#include <optional>
#include <string>

#include "base/result.h"

namespace warifu::cli {

// An EK, and its certificate (DER) if that stood beside it; both in base64.
struct ReadEk {
  std::string ek;
  std::string certificate = {};
};

// The EKs of a file, or of standard input ("-"), one after another: one in binary (TPM2B_PUBLIC or TPMT_PUBLIC), or
// base64 of one in each line, with its certificate in base64 after a blank or without. Empty lines, and lines that
// begin with "#", are passed over. A file may be of any size.
class EkReader {
 public:
  // kUnavailable "file.read".
  static Result<EkReader> open(const std::string& path);

  // nullopt at the end. kInvalidInput "ek.file", kUnavailable "file.read".
  Result<std::optional<ReadEk>> next();
  // Where the last one stands: "FILE:LINE".
  std::string place() const;

 private:
  explicit EkReader(std::string path) : path_(std::move(path)) {}
  std::istream& in();
  Result<std::string> read_binary();
  Result<bool> read_line(std::string& line);
  Error refusal(std::string message) const;

  std::string path_;
  std::ifstream file_;
  std::size_t line_ = 0;
};

}  // namespace warifu::cli
