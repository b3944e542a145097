#pragma once

#include <string>
#include <vector>

#include "trust_bundle/test_organisation.h"

namespace warifu::trust_bundle {

// An organisation with a bundle, and what becomes of the next one.
class NextBundle : public testing::Test {
 protected:
  std::string refusal(const Contents& contents, const std::vector<std::string>& names) {
    return code_of(now_.advance(people_.signed_by(contents, names)));
  }
  // The next bundle with something changed.
  template <class Change>
  Contents with(Change change) {
    auto contents = TestOrganisation::after(now_);
    change(contents);
    return contents;
  }
  Contents revoking(std::initializer_list<Revoked> more) const { return TestOrganisation::revoking(now_, more); }

  const std::vector<std::string> everybody_ = {"Root-1", "Ann", "bob", "Cid", "Xia", "yul", "Zoe"};
  TestOrganisation people_;
  TrustedBundle now_ = people_.begun();
};

}  // namespace warifu::trust_bundle
