#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/der.h"

namespace warifu::endorsement {

// One type and value of a distinguished name. `value` is UTF-8: what is not a known string type, or is none, stands
// there as "#" and hexadecimal (RFC 4514 §2.4).
struct NameAttribute {
  std::string type;  // dotted decimals
  std::string value;
};

// A distinguished name as it came (RFC 5280 §4.1.2.4). Two names are the same when their bytes are: nothing is encoded
// anew, so a name that is no DER keeps its meaning.
class Name {
 public:
  // "endorsement.certificate.name" when it is no RDNSequence, or has more than 64 attributes.
  static Result<Name> parse(const wire::DerElement& sequence);

  ByteView der() const { return der_; }
  bool empty() const { return rdns_.empty(); }
  // In the order of the sequence.
  const std::vector<std::vector<NameAttribute>>& rdns() const { return rdns_; }
  // The first value of that type; empty if there is none.
  std::string_view find(std::string_view type) const;
  // RFC 4514, in the order that it demands: the last RDN first.
  std::string text() const;
  // False when a SET is not in the order that DER demands: some manufacturers' are not.
  bool sets_are_ordered() const { return sets_are_ordered_; }

  friend bool operator==(const Name& a, const Name& b) { return a.der_ == b.der_; }

 private:
  Bytes der_;
  std::vector<std::vector<NameAttribute>> rdns_;
  bool sets_are_ordered_ = true;
};

}  // namespace warifu::endorsement
