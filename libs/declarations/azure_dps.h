#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "declarations/declaration.h"

namespace warifu::declarations {

// What a person must know or do about one enrollment or group of Azure's.
struct MigrationNote {
  enum class Kind {
    kLost,     // not converted: the device could not come
    kChanged,  // converted, and something of it is otherwise than in Azure
  };

  Kind kind;
  std::string id;
  std::string text;
};

struct Migration {
  std::vector<Declaration> declarations;  // by ID, enrollments first
  std::vector<MigrationNote> notes;
};

// Enrollments and groups of an Azure Device Provisioning Service as `az iot dps enrollment[-group] list|show` and the
// service SDKs write them: JSON, one object or a list of them. An object that comes again, with the keys that a list
// leaves out, completes the first.
class AzureExport {
 public:
  // kInvalidInput "azure.form" for what is neither an enrollment nor a group, "azure.conflict" when two attestations of
  // one ID differ in more than keys, "json.…"; `where` begins with `file`.
  Status add(std::string_view json_text, std::string_view file);
  Migration convert() const;

 private:
  Status add_object(const boost::json::value& value);

  std::map<std::string, boost::json::object> enrollments_;  // by ID in lower case
  std::map<std::string, boost::json::object> groups_;
};

}  // namespace warifu::declarations
