#include "front/http/http_fields.h"

#include <gtest/gtest.h>

namespace warifu::front {
namespace {

TEST(EntityTag, NamesBytesAndIsFoundInAList) {
  const std::string etag = etag_of(as_bytes("one"));
  EXPECT_EQ(etag, etag_of(as_bytes("one")));
  EXPECT_NE(etag, etag_of(as_bytes("another")));
  const auto has = [&](const std::string& field) {
    net::HttpRequest request;
    request.headers = {{"if-none-match", field}};
    return has_already(request, etag);
  };
  for (const std::string& field :
       {etag, "W/" + etag, "\"x\"," + etag, "\"x\" , W/" + etag + " , \"y\"", std::string("*")})
    EXPECT_TRUE(has(field)) << field;
  for (const std::string& field : {std::string(), std::string(","), std::string("\"x\""), std::string("\"x\", *"),
                                   etag.substr(1), "x" + etag, etag + "x"})
    EXPECT_FALSE(has(field)) << field;
  EXPECT_FALSE(has_already({}, etag));
}

}  // namespace
}  // namespace warifu::front
