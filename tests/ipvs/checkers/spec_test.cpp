#include "ipvs/checkers/check_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

using namespace vigil;
using namespace vigil::checkers;
using namespace std::chrono_literals;

namespace {

CheckSpec http() {
    CheckSpec spec;
    spec.common.address = ipv4(192, 0, 2, 1);
    spec.common.port = 80;
    spec.method = HttpSpec{.urls = {UrlSpec{.path = "/a"}}};
    return spec;
}

HttpSpec& http_of(CheckSpec& spec) { return std::get<HttpSpec>(spec.method); }

}  // namespace

TEST(CheckSpec, EqualSpecsHaveEqualHashes) {
    EXPECT_EQ(http(), http());
    EXPECT_EQ(hash_of(http()), hash_of(http()));
}

TEST(CheckSpec, EachFieldMakesAnother) {
    const std::vector<std::function<void(CheckSpec&)>> changes = {
        [](CheckSpec& s) { s.common.address = ipv4(192, 0, 2, 2); },
        [](CheckSpec& s) { s.common.port = 81; },
        [](CheckSpec& s) { s.common.bind_address = ipv4(0, 0, 0, 0); },
        [](CheckSpec& s) { s.common.bind_port = 1; },
        [](CheckSpec& s) { s.common.bind_interface = "eth0"; },
        [](CheckSpec& s) { s.common.mark = 1; },
        [](CheckSpec& s) { s.common.connect_timeout = 1s; },
        [](CheckSpec& s) { s.common.retry = 7; },
        [](CheckSpec& s) { s.common.delay_before_retry = 7s; },
        [](CheckSpec& s) { s.common.delay_loop = 7s; },
        [](CheckSpec& s) { s.common.warmup = 7s; },
        [](CheckSpec& s) { s.common.alpha = true; },
        [](CheckSpec& s) { s.common.log_all_failures = true; },
        [](CheckSpec& s) { http_of(s).protocol = HttpProtocol::http_1_1; },
        [](CheckSpec& s) { http_of(s).urls.push_back({}); },
        [](CheckSpec& s) { http_of(s).urls[0].path = "/b"; },
        [](CheckSpec& s) { http_of(s).urls[0].virtual_host = "b"; },
        [](CheckSpec& s) { http_of(s).urls[0].status = {{200, 200}}; },
        [](CheckSpec& s) { http_of(s).urls[0].digest = Md5{1}; },
        [](CheckSpec& s) { http_of(s).urls[0].regex = RegexSpec{.pattern = "a"}; },
        [](CheckSpec& s) { http_of(s).urls[0].regex = RegexSpec{.pattern = "a", .options = 1}; },
        [](CheckSpec& s) { http_of(s).urls[0].regex = RegexSpec{.pattern = "a", .must_not_match = true}; },
        [](CheckSpec& s) { http_of(s).urls[0].tls_compliant = true; },
        [](CheckSpec& s) { http_of(s).tls.emplace(); },
        [](CheckSpec& s) { http_of(s).tls = TlsSpec{.verify = true}; },
        [](CheckSpec& s) { http_of(s).tls = TlsSpec{.ca_file = "f"}; },
        [](CheckSpec& s) { s.method = TcpSpec{}; },
        [](CheckSpec& s) { s.method = PingSpec{}; },
        [](CheckSpec& s) { s.method = SmtpSpec{}; },
        [](CheckSpec& s) { s.method = DnsSpec{}; },
        [](CheckSpec& s) { s.method = DnsSpec{.type = 1}; },
        [](CheckSpec& s) { s.method = UdpSpec{}; },
        [](CheckSpec& s) { s.method = UdpSpec{.payload = {0}}; },
        [](CheckSpec& s) { s.method = UdpSpec{.require_reply = true}; },
        [](CheckSpec& s) { s.method = MiscSpec{.arguments = {"a"}}; },
        [](CheckSpec& s) { s.method = MiscSpec{.arguments = {"b"}}; },
        [](CheckSpec& s) { s.method = MiscSpec{.arguments = {"a"}, .dynamic = true}; },
        [](CheckSpec& s) { s.method = ExternalSpec{"a"}; },
        [](CheckSpec& s) { s.method = ExternalSpec{"b"}; },
    };
    std::vector<CheckSpec> specs = {http()};
    std::set<std::size_t> hashes = {hash_of(http())};
    for (const auto& change : changes) {
        CheckSpec spec = http();
        change(spec);
        for (const CheckSpec& other : specs) EXPECT_NE(spec, other) << specs.size();
        specs.push_back(spec);
        hashes.insert(hash_of(spec));
    }
    EXPECT_EQ(hashes.size(), specs.size());
}

TEST(CheckSpec, IsDescribed) {
    EXPECT_EQ(describe(http()), "HTTP_GET of 192.0.2.1:80");
    CheckSpec spec = http();
    spec.common.address = *read_address("2001:db8::1");
    http_of(spec).tls.emplace();
    EXPECT_EQ(describe(spec), "SSL_GET of [2001:db8::1]:80");
    spec.method = PingSpec{};
    EXPECT_EQ(describe(spec), "PING_CHECK of 2001:db8::1");
}
