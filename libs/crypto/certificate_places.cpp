#include <fmt/format.h>

#include <algorithm>

#include "crypto/certificate_extensions.h"
#include "crypto/x509_names.h"

namespace warifu::crypto {
namespace {

using DistributionPointsHandle = Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using InformationHandle = Handle<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;

bool is_url(std::string_view text) {
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  return (text.starts_with("http://") || text.starts_with("https://")) && text.size() <= 2048 &&
         std::ranges::all_of(text, printable);
}

Result<ASN1_STRING*> to_uri(const std::string& url) {
  if (!is_url(url)) return bad_profile(fmt::format("\"{}\" is no URL of http or https", url));
  ASN1_STRING* value = ASN1_IA5STRING_new();
  require(value && ASN1_STRING_set(value, url.data(), to_int(url.size())) == 1, "ASN1_STRING_set");
  return value;
}

Status add_crl_places(X509* certificate, const CertificateProfile& profile) {
  if (profile.crl_urls.empty()) return {};
  const DistributionPointsHandle points(CRL_DIST_POINTS_new());
  DIST_POINT* point = DIST_POINT_new();
  require(points && point && sk_DIST_POINT_push(points.get(), point) > 0, "sk_DIST_POINT_push");
  point->distpoint = DIST_POINT_NAME_new();
  require(point->distpoint != nullptr, "DIST_POINT_NAME_new");
  point->distpoint->type = 0;  // fullName: several names of one place are several ways to one CRL
  point->distpoint->name.fullname = GENERAL_NAMES_new();
  for (const std::string& url : profile.crl_urls) {
    TRY(ASN1_STRING * uri, to_uri(url));
    push_name(point->distpoint->name.fullname, GEN_URI, uri);
  }
  require(X509_add1_ext_i2d(certificate, NID_crl_distribution_points, points.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "X509_add1_ext_i2d");
  return {};
}

Status push_access(AUTHORITY_INFO_ACCESS* information, int method, const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    TRY(ASN1_STRING * uri, to_uri(url));
    ACCESS_DESCRIPTION* access = ACCESS_DESCRIPTION_new();
    require(access && sk_ACCESS_DESCRIPTION_push(information, access) > 0, "sk_ACCESS_DESCRIPTION_push");
    access->method = OBJ_nid2obj(method);
    GENERAL_NAME_set0_value(access->location, GEN_URI, uri);
  }
  return {};
}

std::string text_of_uri(const GENERAL_NAME* name) {
  const ASN1_STRING* text = name->d.uniformResourceIdentifier;
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> places_for(const X509* certificate, int method) {
  const auto information = extension_of<InformationHandle>(certificate, NID_info_access);
  std::vector<std::string> urls;
  for (int i = 0; information && i < sk_ACCESS_DESCRIPTION_num(information.get()); ++i) {
    const ACCESS_DESCRIPTION* access = sk_ACCESS_DESCRIPTION_value(information.get(), i);
    if (OBJ_obj2nid(access->method) == method && access->location->type == GEN_URI)
      urls.push_back(text_of_uri(access->location));
  }
  return urls;
}

}  // namespace

Status add_places(X509* certificate, const CertificateProfile& profile) {
  TRY_STATUS(add_crl_places(certificate, profile));
  const InformationHandle information(AUTHORITY_INFO_ACCESS_new());
  TRY_STATUS(push_access(information.get(), NID_ad_OCSP, profile.ocsp_urls));
  TRY_STATUS(push_access(information.get(), NID_ad_ca_issuers, profile.issuer_urls));
  if (sk_ACCESS_DESCRIPTION_num(information.get()) == 0) return {};
  require(X509_add1_ext_i2d(certificate, NID_info_access, information.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "X509_add1_ext_i2d");
  return {};
}

std::vector<std::string> Certificate::crl_urls() const {
  const auto points = extension_of<DistributionPointsHandle>(native(), NID_crl_distribution_points);
  std::vector<std::string> urls;
  for (int i = 0; points && i < sk_DIST_POINT_num(points.get()); ++i) {
    const DIST_POINT_NAME* place = sk_DIST_POINT_value(points.get(), i)->distpoint;
    if (place == nullptr || place->type != 0) continue;
    for (int j = 0; j < sk_GENERAL_NAME_num(place->name.fullname); ++j) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(place->name.fullname, j);
      if (name->type == GEN_URI) urls.push_back(text_of_uri(name));
    }
  }
  return urls;
}

std::vector<std::string> Certificate::ocsp_urls() const {
  return places_for(native(), NID_ad_OCSP);
}

std::vector<std::string> Certificate::issuer_urls() const {
  return places_for(native(), NID_ad_ca_issuers);
}

}  // namespace warifu::crypto
