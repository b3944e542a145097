#include "signing_keys/tpm_keys.h"

#include <fmt/format.h>

#include <mutex>

#include "crypto/digest_signature.h"
#include "keystore/files.h"
#include "signing_keys/key_files.h"
#include "signing_keys/tpm_key_file.h"
#include "tpm_device/device.h"
#include "tpm_device/device_identity.h"
#include "tpm_device/keys.h"
#include "tpm_types/signature.h"
#include "tpm_types/templates.h"

namespace warifu::signing_keys {
namespace {

constexpr const char* kEkNameFile = "ek-name";
constexpr const char* kKeySuffix = ".tpm-key";

Result<bool> has_keys(const std::filesystem::path& folder) {
  std::error_code error;
  auto entry = std::filesystem::directory_iterator(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    if (entry->path().extension() == kKeySuffix) return true;
  if (!error || error == std::errc::no_such_file_or_directory) return false;
  return Error{ErrorKind::kUnavailable, "file.read",
               fmt::format("cannot list {}: {}", folder.string(), error.message())};
}

// None before the first key. With keys there is a pin, or somebody took it away.
Result<std::optional<tpm::Name>> read_pin(const std::filesystem::path& folder) {
  TRY(const bool is_pinned, has_file(folder / kEkNameFile));
  if (is_pinned) {
    TRY(const auto text, keystore::read_file(folder / kEkNameFile));
    TRY(const auto bytes, from_hex(std::string_view(text).substr(0, text.find('\n'))));
    TRY(const auto name, tpm::Name::parse(bytes));
    return std::optional(name);
  }
  TRY(const bool is_used, has_keys(folder));
  if (!is_used) return std::optional<tpm::Name>();
  return refused("tpm.ek.unpinned",
                 fmt::format("{} has keys of a TPM and no {}, which says of which: restore it from a backup",
                             folder.string(), kEkNameFile));
}

Result<Bytes> der_of(ByteView tpmt_signature) {
  TRY(const auto signature, tpm::parse_signature(tpmt_signature));
  if (const auto* numbers = std::get_if<tpm::EcdsaSignature>(&signature))
    return crypto::ecdsa_der(numbers->r, numbers->s);
  return Error{ErrorKind::kUnavailable, "tpm.signature", "expected an ECDSA signature of the TPM"};
}

}  // namespace

// The one Device, which is for one thread at a time.
class SharedTpm {
 public:
  explicit SharedTpm(std::unique_ptr<tpm_device::Device> device) : device_(std::move(device)) {}

  template <class Work>
  std::invoke_result_t<Work, tpm_device::Device&> use(Work work) {
    const std::lock_guard lock(mutex_);
    return work(*device_);
  }

  Result<Bytes> sign(const tcb::WrappedObject& object, const crypto::Digest& digest) {
    return use([&](tpm_device::Device& device) -> Result<Bytes> {
      TRY(const auto key, tpm_device::load(device, object));
      TRY(const Bytes signature, tpm_device::sign_digest(device, key, digest));
      return der_of(signature);
    });
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<tpm_device::Device> device_;
};

namespace {

Result<crypto::Signer> signer_of(const std::shared_ptr<SharedTpm>& tpm, const TpmKeyFile& file) {
  TRY(const auto point, file.point());
  auto object = std::make_shared<tcb::WrappedObject>(file.object);
  return crypto::Signer::outside(point,
                                 [tpm, object](const crypto::Digest& digest) { return tpm->sign(*object, digest); });
}

}  // namespace

Result<std::unique_ptr<TpmKeys>> TpmKeys::open(std::string_view tcti, std::filesystem::path folder) {
  TRY(const auto address, tpm_device::TctiAddress::parse(tcti));
  tpm_device::DeviceOptions options;
  TRY(options.ek_name, read_pin(folder));
  TRY(auto device, tpm_device::Device::open(address, std::move(options)));
  // The first session asks whether it is the one that is pinned.
  TRY_STATUS(device->ek());
  auto tpm = std::make_shared<SharedTpm>(std::move(device));
  return std::unique_ptr<TpmKeys>(new TpmKeys(std::move(tpm), std::move(folder)));
}

TpmKeys::~TpmKeys() = default;

Status TpmKeys::pin_ek() const {
  TRY(const auto ek, tpm_->use([](tpm_device::Device& device) { return device.ek(); }));
  TRY(auto pin, read_pin(folder_));
  if (!pin) {
    TRY_STATUS(publish(folder_ / kEkNameFile, ek.name().text() + "\n"));
    TRY(pin, read_pin(folder_));  // another one's, if two made their first key at once
  }
  if (pin == ek.name()) return {};
  return refused("tpm.ek.swapped", fmt::format("the keys of {} are of another TPM: its EK has another Name than {}",
                                               folder_.string(), ek.name().text()));
}

Result<crypto::Signer> TpmKeys::generate(const KeyName& name, crypto::EcCurve curve) {
  TRY(const bool is_there, has_file(path_of(name)));
  if (is_there) return key_exists(name);
  TRY_STATUS(keystore::make_private_folder(folder_));
  TRY_STATUS(pin_ek());
  TRY(auto object, tpm_->use([&](tpm_device::Device& device) {
    return tpm_device::create_signing_key(device, tpm::organisation_key_template(curve));
  }));
  const TpmKeyFile file{name, std::move(object)};
  TRY(const bool is_new, publish(path_of(name), file.to_json()));
  if (!is_new) return key_exists(name);
  return signer_of(tpm_, file);
}

Result<crypto::Signer> TpmKeys::open(const KeyName& name) {
  TRY(const bool is_there, has_file(path_of(name)));
  if (!is_there) return unknown_key(name);
  TRY(const auto text, keystore::read_file(path_of(name)));
  TRY(const auto file, TpmKeyFile::parse(text));
  // Renamed files would let one role sign for another.
  if (file.name != name) return unknown_key(name);
  // Whether the TPM takes it still.
  TRY_STATUS(tpm_->use([&](tpm_device::Device& device) -> Status {
    TRY_STATUS(tpm_device::load(device, file.object));
    return {};
  }));
  return signer_of(tpm_, file);
}

Status TpmKeys::destroy(const KeyName& name) {
  return keystore::remove_file(keystore::kernel_files(), path_of(name));
}

}  // namespace warifu::signing_keys
