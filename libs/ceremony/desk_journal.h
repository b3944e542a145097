#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"

// The journal of a folder at whose desk something is signed (docs/formats/journal.md): DIR/journal.
namespace warifu::ceremony {

// Adds the time to it. The line is on the disk when this returns.
Status add_to_journal(const std::filesystem::path& desk, std::string_view action, const boost::json::object& entry,
                      const Clock& clock);
// That a bundle is signed, or taken from those who signed it: before it is.
Status note_bundle(const std::filesystem::path& desk, std::string_view action, std::uint64_t version,
                   const crypto::Digest& digest, const Clock& clock);

}  // namespace warifu::ceremony
