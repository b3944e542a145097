#pragma once

#include <string_view>

// Signatures that evmctl 1.4 (ima-evm-utils) made on a file of the four bytes "dash", with keys that were drawn for it
// and thrown away: a judge of the formats that shares nothing with us. Hexadecimal.
//   evmctl ima_sign --sigfile -a sha256 -k KEY dash; evmctl sign --imahash --portable -a sha256 --key KEY dash
namespace warifu::measured_boot::ima::test {

// SubjectPublicKeyInfo.
inline constexpr std::string_view kEvmctlRsaKey =
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100f7836196d9bd3b22a1c3c5121070042cc7603f00f202fa"
    "d0223503c1c40b6dcd72611126257cbdbacbdad4caf75959b3bf1cb2f3c801683213eb02280165d4705750156717827dacdce0179b43a13c"
    "6b4946addd4d40571e3c01f7c9183886dd499c902d8b9f217ee0a5a360a630747cdafbc005b6de20363a4158cba246f35f2376be5718fae5"
    "f2e732e562f92dc040f67d2fdfbed6ad2c2c96b490fa53a1af67797def0a1e6dc4656194fa05d21ff45d490f9c3002f13fdbf07cd075066f"
    "ea9d3d374c3199133ac7137d5535a7c8c77cd2b48917de7a0fbbe5142ce92f161a3b470a376be7c1bcb40cab58d8731636522f71cb4ceaf5"
    "1b3594d25cbbf504730203010001";
// security.ima.
inline constexpr std::string_view kEvmctlRsaSignature =
    "030204c4f4d3db0100cc6d6922f6d3a4621e22eb960786a96c3784c9e4bec29dc6be09461a4ae4e04d37ec87dc6c2371c10d6483de50fe2c"
    "5fa3589c242c771766b672850c8bf4602b35e0443ebd29ab542d0470a976de271eb336ed51fc152e2d6c9834804d11bcdc9b7fae6a6e215b"
    "f0a54984c78dc4561b8e39c553efba1f873936b1fefa940750e55bb4bf362595a077cc5379da4a8ff06678704b5c7b7c76eceea52b656800"
    "8af8ce49b8e7c4549472123232024c35dc90af0cef3870c0d32be5f9d39e90ee42d376b6670869ad4135309ba90e5962bbde325a31620066"
    "cc849c8a85e70bd4539a144e985ff8069a6e5045344e1f2190317a03ffe06e6adb59c3cc530ecdbef7";

inline constexpr std::string_view kEvmctlEcKey =
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b4dc94d2e82a080613d48c4b498e54d934f21d1fde060a9ff0a4f2a0f"
    "ab05d1bf8a1a2871b3d654b7955b3ff614d2dce320fc9bc41666b48a1d415bf128ff61";
inline constexpr std::string_view kEvmctlEcSignature =
    "0302040dd5a24f00473045022072d2fe705dc5fc182515d154cee46371d04f4ea2314aa53462b1e9004229e042022100fb6327334f0cfca8"
    "6289f6dfef4c84fb14837a0329c75fe563931a40e2d606e3";

// security.evm by the RSA key: owner and group 0, mode 0100644, and one extended attribute,
inline constexpr std::string_view kEvmctlPortableSignature =
    "050204c4f4d3db0100e1608ef45efd755e517cf6582ba6206bbe8424f9e377c24273cae805fdf6644cbf7a304f5036a2f26c41495953924c"
    "86bf9836c59fd05464080fa9e895d4e985704ef548702dba6dd37d42e94989837156e7580ca215f490ab9d7ab0547f98febd63517fa93f05"
    "39c191c4a483d1aac97e3029eec847a44dc76d430a966190370fce8bcf2848150b39d442953b335f935050065bb788587b11eb4fd4a54979"
    "cc94fc81e004e6df5f5a22a55624b2b904cf922ba60acd703ec899cf75a13007ea4a98e4fbdb2ad616741a1e9ef0a425af18cc4ab54b43f1"
    "eb169525f7b9eaf489c797725a883202ec766ebcfee15dbefb732e77f0207de755f4b23d32b0738c64";
// security.ima.
inline constexpr std::string_view kEvmctlPortableIma =
    "0404af9d2c92ddc38ca77b3cd29e944c9b61928032808d3a3cb6c3a3c8965067291e";

}  // namespace warifu::measured_boot::ima::test
