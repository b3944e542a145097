#include "webhooks/destination.h"

#include <gtest/gtest.h>

#include <string>

namespace warifu::webhooks {
namespace {

TEST(Destination, TakesWhatAReceiverHas) {
  for (const char* url : {"https://events.example.com", "https://events.example.com:8443/a/b?c=d", "https://10.1.2.3/",
                          "https://[2001:db8::1]/", "http://127.0.0.1:8080/hook", "http://[::1]/", "http://localhost/x",
                          "http://LOCALHOST:3000/", "https://127.0.0.1/"})
    EXPECT_TRUE(check_url(url)) << url;
}

TEST(Destination, RefusesTheRest) {
  const std::string long_url = "https://events.example.com/" + std::string(2048, 'a');
  for (const std::string& url : {std::string(""),
                                 std::string("events.example.com"),
                                 std::string("//events.example.com/"),
                                 std::string("ftp://events.example.com/"),
                                 std::string("file:///etc/passwd"),
                                 std::string("https:///x"),
                                 std::string("https://alice:secret@events.example.com/"),
                                 std::string("https://@events.example.com/"),
                                 std::string("https://events.example.com/#a"),
                                 std::string("https://events.example.com:0/"),
                                 std::string("https://events.example.com:99999/"),
                                 std::string("https://a b/"),
                                 std::string("https://events.example.com/\r\nX: y"),
                                 std::string("http://events.example.com/"),
                                 std::string("https://2852039166/"),
                                 std::string("https://169.254.43518/"),
                                 std::string("https://[v1.a]/"),
                                 std::string("http://[::1]o@k"),
                                 std::string("https://[2001:db8::1]x/"),
                                 std::string("https://%65vents.example.com/"),
                                 long_url}) {
    const auto checked = check_url(url);
    ASSERT_FALSE(checked) << url;
    EXPECT_EQ(checked.error().code, "webhook.url") << url;
    EXPECT_EQ(checked.error().message.find("secret"), std::string::npos);
  }
}

TEST(Destination, RefusesAddressesOfNoReceiver) {
  for (const char* address : {"169.254.169.254",
                              "169.254.0.1",
                              "0.0.0.0",
                              "0.1.2.3",
                              "224.0.0.1",
                              "255.255.255.255",
                              "fe80::1",
                              "febf::1",
                              "ff02::1",
                              "fec0::1",
                              "::",
                              "::7f00:1",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1:a9fe:a9:fe00::",
                              "64:ff9b:1:a9:fe:a9fe::",
                              "64:ff9b:1::a9:fea9:fe00:0",
                              "64:ff9b:1::a9fe:a9fe",
                              "64:ff9b:1::7f00:1",
                              "2002:a9fe:a9fe::1",
                              "2002:7f00:1::1",
                              "::ffff:169.254.169.254",
                              "64:ff9b::a9fe:a9fe",
                              "::a9fe:a9fe",
                              "nonsense",
                              ""}) {
    const auto checked = check_address(address, true);
    ASSERT_FALSE(checked) << address;
    EXPECT_EQ(checked.error().code, "webhook.address") << address;
  }
  EXPECT_EQ(check_url("https://169.254.169.254/latest/").error().code, "webhook.address");
  EXPECT_EQ(check_url("https://[fe80::1]/").error().code, "webhook.address");
  EXPECT_EQ(check_url("https://[::ffff:169.254.169.254]/").error().code, "webhook.address");
}

TEST(Destination, WithoutTlsOnlyThisMachine) {
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(check_address(address, false)) << address;
  for (const char* address :
       {"10.0.0.1", "192.168.1.1", "2001:db8::1", "fd00::1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:a00:1::1"}) {
    EXPECT_TRUE(check_address(address, true)) << address;
    EXPECT_FALSE(check_address(address, false)) << address;
  }
}

}  // namespace
}  // namespace warifu::webhooks
