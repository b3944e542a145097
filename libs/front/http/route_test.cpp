#include "front/http/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace warifu::front {
namespace {

using testing::ElementsAre;

Route route(net::Method method, std::string pattern) {
  return {method, std::move(pattern), Access::open("a test"),
          [](const Call&) -> Result<Answer> { return Answer(net::HttpResponse()); }};
}

class RouterTest : public testing::Test {
 protected:
  Router::Match match(std::string_view target) const {
    const auto parsed = router_.parse(target);
    return parsed ? router_.match(net::Method::kGet, *parsed) : Router::Match{};
  }

  const Router router_{{route(net::Method::kGet, "/ocsp/{request...}"), route(net::Method::kPost, "/ocsp"),
                        route(net::Method::kGet, "/a/{b}"), route(net::Method::kGet, "/a/fixed")},
                       [](const Error&, std::string_view, std::string_view) { return net::HttpResponse(); }};
};

TEST_F(RouterTest, GivesTheRestOfAPathInOnePiece) {
  for (const std::string_view target : {"/ocsp/MDQ+//w/PTA=", "/ocsp/MDQ%2B%2F%2fw/PTA%3D", "/ocsp/MDQ+//w/PTA=?x"}) {
    const auto found = match(target);
    ASSERT_NE(found.route, nullptr) << target;
    EXPECT_EQ(found.route->pattern, "/ocsp/{request...}");
    EXPECT_THAT(found.parameters, ElementsAre("MDQ+//w/PTA=")) << target;
  }
  EXPECT_THAT(match("/ocsp/").parameters, ElementsAre(""));
  EXPECT_EQ(match("/ocsp").allowed_methods, "POST");
}

TEST_F(RouterTest, KeepsEveryOtherPathApart) {
  EXPECT_EQ(match("/a/fixed").route->pattern, "/a/fixed");
  EXPECT_THAT(match("/a/x%2Fy").parameters, ElementsAre("x/y"));
  for (const std::string_view target : {"/a/b/c", "/a//b", "/a/..", "/ocspx/a", "/x/ocsp/a"})
    EXPECT_EQ(match(target).route, nullptr) << target;
}

}  // namespace
}  // namespace warifu::front
