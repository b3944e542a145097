// Where a device remembers its trust bundle, in the NV of swtpm: through power cuts, TPM2_Clear, an owner's auth that
// nobody gave, and indices of somebody else.
#include "device_tpm.h"
#include "tcb/bundle_anchor.h"
#include "tpm_device/anchor.h"
#include "tpm_device/nv.h"
#include "wire/writer.h"

namespace warifu::test {
namespace {

using tcb::BundleAnchor;

class TpmAnchor : public TpmDevice {
 protected:
  static tcb::AnchoredBundle bundle(std::uint64_t version) {
    return {version, crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(std::to_string(version))})};
  }
  // 0: none.
  static std::uint64_t anchored(TcbTpm& tpm) {
    const auto state = must(BundleAnchor(tpm).read());
    if (!state.anchored) return 0;
    EXPECT_EQ(state.anchored->digest, bundle(state.anchored->version).digest);
    return state.anchored->version;
  }
};

TEST_F(TpmAnchor, RemembersABundleThroughPowerCutsAndForgetsItWithAClear) {
  auto device = open();
  EXPECT_EQ(anchored(*device), 0U);
  for (std::uint64_t version = 1; version <= 3; ++version) {
    must(BundleAnchor(*device).move_to(bundle(version)));
    EXPECT_EQ(anchored(*device), version);
    device.reset();
    swtpm_.power_cut();
    device = open();
    EXPECT_EQ(anchored(*device), version);
  }
  const auto counter = must(device->read_anchor_counter());
  must(clear(device->device()));
  EXPECT_EQ(anchored(*device), 0U);
  EXPECT_FALSE(must(device->read_anchor_counter()));
  must(BundleAnchor(*device).move_to(bundle(1)));
  EXPECT_EQ(anchored(*device), 1U);
  EXPECT_GT(must(device->read_anchor_counter()), counter) << "a counter that is made anew begins above";
}

TEST_F(TpmAnchor, EndsAMoveThatWasCutBeforeTheCounterRose) {
  auto device = open();
  must(BundleAnchor(*device).move_to(bundle(1)));
  const std::uint64_t counter = must(device->read_anchor_counter()).value();
  const auto cut = bundle(2);
  const Bytes said = wire::Writer().u64(counter + 1).u64(cut.version).bytes(cut.digest.bytes()).take();
  const auto checksum = crypto::digest(crypto::HashAlgorithm::kSha256, {said});
  must(device->write_anchor(wire::Writer().bytes(said).bytes(checksum.bytes().first(16)).take()));
  device.reset();
  swtpm_.power_cut();
  device = open();
  EXPECT_EQ(anchored(*device), 2U);
  EXPECT_EQ(must(device->read_anchor_counter()), counter + 1);
  EXPECT_EQ(anchored(*device), 2U);
}

TEST_F(TpmAnchor, SaysNothingWhenItIsPreparedOrTorn) {
  const auto device = open();
  must(BundleAnchor(*device).prepare());
  EXPECT_EQ(anchored(*device), 0U);
  must(BundleAnchor(*device).move_to(bundle(1)));
  must(BundleAnchor(*device).prepare());
  EXPECT_EQ(anchored(*device), 1U);
  Bytes torn = must(device->read_anchor()).value();
  torn[20] ^= 1;
  must(device->write_anchor(torn));
  EXPECT_EQ(anchored(*device), 0U);
}

TEST_F(TpmAnchor, BelievesNoAnchorThatWasPutBack) {
  const auto device = open();
  std::vector<Bytes> old;
  for (std::uint64_t version = 1; version <= 3; ++version) {
    must(BundleAnchor(*device).move_to(bundle(version)));
    old.push_back(must(device->read_anchor()).value());
  }
  for (std::uint64_t version = 1; version <= 2; ++version) {
    must(device->write_anchor(old[version - 1]));
    const auto state = must(BundleAnchor(*device).read());
    EXPECT_FALSE(state.anchored);
    EXPECT_EQ(state.version_of_broken, version);
  }
}

TEST_F(TpmAnchor, IsReadWithoutTheOwnersAuthAndWrittenWithIt) {
  const SecretBytes lockout_auth = SecretBytes::random(entropy_, 32);
  const auto owner = [] { return DeviceOptions{.owner_auth = SecretBytes::copy_of(as_bytes("owner"))}; };
  {
    const auto device = open(owner());
    must(BundleAnchor(*device).move_to(bundle(1)));
    must(device->own(lockout_auth, {}));
    must(BundleAnchor(*device).move_to(bundle(2)));
    EXPECT_EQ(anchored(*device), 2U);
  }
  {
    const auto device = open();
    EXPECT_EQ(anchored(*device), 2U);
    EXPECT_FALSE(BundleAnchor(*device).prepare());
    EXPECT_FALSE(BundleAnchor(*device).move_to(bundle(3)));
    EXPECT_EQ(anchored(*device), 2U);
  }
  const auto device = open(owner());
  must(BundleAnchor(*device).move_to(bundle(3)));
  EXPECT_EQ(anchored(*device), 3U);
}

TEST_F(TpmAnchor, TakesNoIndexThatIsSomebodyElses) {
  const auto device = open();
  must(tpm_device::define_nv(device->device(), {.index = tpm_device::kAnchorIndex,
                                                .attributes = tpm::kNvAuthWrite | tpm::kNvAuthRead | tpm::kNvNoDa,
                                                .data_size = tcb::AnchorNv::kAnchorSize}));
  expect_error(device->read_anchor(), ErrorKind::kConflict, "tpm.nv.type");
  EXPECT_FALSE(BundleAnchor(*device).read());
  EXPECT_FALSE(BundleAnchor(*device).move_to(bundle(1)));
}

}  // namespace
}  // namespace warifu::test
