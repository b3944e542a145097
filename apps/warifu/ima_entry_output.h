#pragma once

#include <boost/json/object.hpp>

#include "measured_boot/ima/entry.h"

namespace warifu::cli {

// {"entry","offset","pcr","template","template_digest","violation","proved_by","fields":[{"field","value"}]}.
// "proved_by" is "template-digest", or null for a violation, whose fields nothing proves.
boost::json::object entry_to_json(const measured_boot::ima::Entry& entry);
// One line: number, PCR, template, digest and name, and what else there is.
void print_entry(const measured_boot::ima::Entry& entry);

}  // namespace warifu::cli
