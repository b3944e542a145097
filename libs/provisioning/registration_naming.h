#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "tpm_types/storage_key.h"

namespace warifu::provisioning {

// Which registration ID a device of a TPM group may come under. A template is the text of an ID in which "{ek}" stands
// for the hash of the device's EK (the ID that the Azure SDKs give a TPM by default), "{ek:N}" for the first N of its
// 52 characters, N from 8, and "*" for what the device chooses, at least one character. "{ek}" alone is the default ID.
class RegistrationNaming {
 public:
  // kInvalidInput "enrollment.naming".
  static Result<RegistrationNaming> parse(std::string_view text);
  static RegistrationNaming ek_hash();

  // As it was parsed.
  const std::string& text() const { return text_; }
  bool allows(const tpm::EkPublic& ek, const RegistrationId& registration) const;

  friend bool operator==(const RegistrationNaming& a, const RegistrationNaming& b) { return a.text_ == b.text_; }

 private:
  struct Part {
    enum class Kind { kText, kEkHash, kAnything } kind;
    std::string text = {};       // of kText
    std::size_t characters = 0;  // of kEkHash
  };
  RegistrationNaming(std::string text, std::vector<Part> parts) : text_(std::move(text)), parts_(std::move(parts)) {}
  static Result<Part> parse_placeholder(std::string_view inner);
  static Status check_that_an_id_fits(std::string_view text, const std::vector<Part>& parts);

  std::string text_;
  std::vector<Part> parts_;  // at most one kAnything
};

}  // namespace warifu::provisioning
