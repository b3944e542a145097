#include "tpm_types/nv_public.h"

#include <fmt/format.h>

#include "tpm_types/algorithm.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm {

Result<NvPublic> NvPublic::parse(ByteView tpms_nv_public) {
  wire::Reader reader(tpms_nv_public);
  NvPublic out;
  TRY(out.index, reader.u32("nvIndex"));
  TRY(const std::uint16_t hash_id, reader.u16("nameAlg"));
  TRY(out.name_algorithm, parse_hash(hash_id, wire::place("nameAlg", reader.offset() - 2)));
  TRY(out.attributes, reader.u32("attributes"));
  TRY(const ByteView policy, reader.sized16("authPolicy"));
  if (!policy.empty() && policy.size() != crypto::digest_size(out.name_algorithm)) {
    return invalid_input("tpm.nv.auth-policy",
                         fmt::format("expected no policy or a digest of nameAlg, {} bytes came", policy.size()),
                         wire::place("authPolicy", reader.offset()));
  }
  out.auth_policy = to_bytes(policy);
  TRY(out.data_size, reader.u16("dataSize"));
  TRY_STATUS(reader.expect_done("TPMS_NV_PUBLIC"));
  return out;
}

Bytes NvPublic::tpms() const {
  return wire::Writer()
      .u32(index)
      .u16(static_cast<std::uint16_t>(algorithm_of(name_algorithm)))
      .u32(attributes)
      .sized16(auth_policy)
      .u16(data_size)
      .take();
}

}  // namespace warifu::tpm
