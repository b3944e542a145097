#include "provisioning/escrow_package.h"

// The package of a device. What is taken for one is kept as it came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace warifu;
  using namespace warifu::provisioning;
  const auto package = EscrowPackage::parse(Bytes(data, data + size));
  if (!package) {
    if (package.error().kind != ErrorKind::kInvalidInput) __builtin_trap();
    return 0;
  }
  // The smallest: SEQUENCE, OID of 9 bytes, [0], SEQUENCE of nothing.
  if (package->der().size() != size || size < 17 || size > EscrowPackage::kSizeMax) __builtin_trap();
  return 0;
}
