#include "tpm_device/marshal.h"

#include <tss2/tss2_mu.h>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::tpm_device {

Result<TPM2B_PUBLIC> to_public(ByteView tpm2b) {
  TPM2B_PUBLIC out{};
  std::size_t offset = 0;
  const TSS2_RC rc = Tss2_MU_TPM2B_PUBLIC_Unmarshal(tpm2b.data(), tpm2b.size(), &offset, &out);
  if (rc == TSS2_RC_SUCCESS && offset == tpm2b.size()) return out;
  return invalid_input("tpm.public.size", "expected one TPM2B_PUBLIC and nothing after it");
}

Result<Bytes> from_public(const TPM2B_PUBLIC& area) {
  Bytes out(sizeof area);
  std::size_t size = 0;
  if (Tss2_MU_TPM2B_PUBLIC_Marshal(&area, out.data(), out.size(), &size) != TSS2_RC_SUCCESS)
    return invalid_input("tpm.public.size", "expected a public area that can be written");
  out.resize(size);
  return out;
}

Result<TPM2B_PRIVATE> to_private(ByteView tpm2b) {
  wire::Reader reader(tpm2b);
  TRY(const ByteView bytes, reader.sized16("TPM2B_PRIVATE"));
  TRY_STATUS(reader.expect_done("TPM2B_PRIVATE"));
  TPM2B_PRIVATE out{};
  TRY_STATUS(fill(out, &TPM2B_PRIVATE::buffer, bytes, "TPM2B_PRIVATE"));
  return out;
}

Bytes from_private(const TPM2B_PRIVATE& area) {
  return wire::Writer(2u + area.size).sized16(content(area, &TPM2B_PRIVATE::buffer)).take();
}

}  // namespace warifu::tpm_device
