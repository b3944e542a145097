#include <fmt/format.h>
#include <openssl/err.h>

#include "crypto/certificate_extensions.h"
#include "crypto/der_value.h"
#include "crypto/x509_names.h"

// HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING } (RFC 4108 §5).
namespace warifu::crypto {
namespace {

using ObjectHandle = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using TypeHandle = Handle<ASN1_TYPE, ASN1_TYPE_free>;

struct FreeSequence {
  void operator()(ASN1_SEQUENCE_ANY* values) const { sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free); }
};

constexpr const char* kModuleName = "1.3.6.1.5.5.7.8.4";  // id-on-hardwareModuleName

}  // namespace

Result<GENERAL_NAME*> to_other_name(const HardwareModule& module) {
  const ObjectHandle type(OBJ_txt2obj(module.type.c_str(), /*no_name=*/1));
  if (type == nullptr) return bad_profile(fmt::format("\"{}\" is no object identifier", module.type));
  if (module.serial_number.empty() || module.serial_number.size() > 256)
    return bad_profile("expected 1 to 256 bytes of a hardware module's serial number");
  const Bytes value = der_value(V_ASN1_SEQUENCE, {to_der_bytes<i2d_ASN1_OBJECT>(type.get()),
                                                  der_value(V_ASN1_OCTET_STRING, {module.serial_number})});
  const std::uint8_t* position = value.data();
  ASN1_TYPE* any = d2i_ASN1_TYPE(nullptr, &position, static_cast<long>(value.size()));
  GENERAL_NAME* name = GENERAL_NAME_new();
  // Both are owned by `name` from here on.
  require(any && name && GENERAL_NAME_set0_othername(name, OBJ_txt2obj(kModuleName, 1), any) == 1,
          "GENERAL_NAME_set0_othername");
  return name;
}

std::optional<HardwareModule> hardware_module_in(const GENERAL_NAME& name) {
  if (name.type != GEN_OTHERNAME || oid_text(name.d.otherName->type_id) != kModuleName) return std::nullopt;
  const ASN1_TYPE* any = name.d.otherName->value;
  if (any->type != V_ASN1_SEQUENCE) return std::nullopt;
  const std::uint8_t* position = any->value.sequence->data;
  const std::unique_ptr<ASN1_SEQUENCE_ANY, FreeSequence> values(
      d2i_ASN1_SEQUENCE_ANY(nullptr, &position, any->value.sequence->length));
  ERR_clear_error();
  if (values == nullptr || sk_ASN1_TYPE_num(values.get()) != 2) return std::nullopt;
  const ASN1_TYPE* type = sk_ASN1_TYPE_value(values.get(), 0);
  const ASN1_TYPE* number = sk_ASN1_TYPE_value(values.get(), 1);
  if (type->type != V_ASN1_OBJECT || number->type != V_ASN1_OCTET_STRING) return std::nullopt;
  const ASN1_OCTET_STRING* bytes = number->value.octet_string;
  return HardwareModule{oid_text(type->value.object),
                        to_bytes({ASN1_STRING_get0_data(bytes), static_cast<std::size_t>(ASN1_STRING_length(bytes))})};
}

}  // namespace warifu::crypto
