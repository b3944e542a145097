#pragma once

#include <boost/json/object.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ek_trust/certificate_desk.h"
#include "front/http/route.h"
#include "provisioning/group_desk.h"

// The EKs of a TPM group as JSON (docs/openapi/warifu-v1.yaml).
namespace warifu::front::api {

struct EkList {
  std::vector<tpm::EkPublic> eks;
  std::vector<ek_trust::CertifiedEk> certified;  // those that came with a certificate
};
// {"eks": […]}, 1 to GroupDesk::kEksPerChangeMax. Each is TPM2B_PUBLIC or TPMT_PUBLIC in base64, or {"endorsement_key":
// that, "endorsement_certificate"?}. What is wrong with one names its place, like "eks.3".
Result<EkList> parse_eks(std::string_view body);
// {"group_id", "results": [{"ek_name", "outcome": "added" | "updated" | "unchanged"}]}, in the order of the request.
// `recertified`: Names of EKs that brought another certificate, in hexadecimal: that updates those that were on the
// list.
boost::json::object to_json(const GroupId& group, const std::vector<provisioning::ListedEk>& listed,
                            const std::set<std::string>& recertified);

// A Name in hexadecimal. kInvalidInput "tpm.name", "hex".
Result<Bytes> parse_key_name(std::string_view text, std::string where);

// As page_of(), by EK Name.
Result<provisioning::Page<Bytes>> ek_page_of(const Call& call);
// Only those that the group of this generation listed: a page may be shorter than its limit, also before the last one.
net::HttpResponse ek_page_response(std::vector<provisioning::GroupEk> items, std::size_t limit, const Uuid& generation);

}  // namespace warifu::front::api
