#pragma once

#include <filesystem>

#include "base/time.h"
#include "ceremony/handover.h"

namespace warifu::ceremony {

// Takes back to the root's desk what other people did with `from`: their signatures of the bundle that waits there, and
// bundles that are whole. What they decide happens then: a root that was prepared is adopted, a revocation key that
// counts no more destroyed. Needs no secret: signatures say who agreed. How many bundles came; what waits still is in
// Handover(root). kRefused: "root.proposed" when what is proposed there is not what waits here, or when after a bundle
// neither this root nor the one that was prepared could sign; "bundle.fork"; the errors of TrustedBundle and of
// RootFolder::open(). Bundles that came before an error stay.
Result<std::size_t> accept(const std::filesystem::path& root, const Handover& from, const Clock& clock);

// Gives up the bundle that waits. Whoever has a copy of it could still complete it: they destroy theirs. kNotFound
// "root.proposed" when none waits.
Status withdraw(const std::filesystem::path& root, const Clock& clock);

}  // namespace warifu::ceremony
