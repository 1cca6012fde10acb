#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "ipvs/checkers/dns_message.h"
#include "ipvs/checkers/icmp_echo.h"
#include "ipvs/checkers/reply_match.h"
#include "tests/fuzz/check.h"

// Datagrams of DNS, ping and UDP services: read without a step beyond their end, and only an answer to the question is good.

using namespace vigil;
using namespace vigil::checkers;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<std::uint8_t> datagram(data, data + size);   // exact bounds, for the sanitizer
    static const auto query = write_dns_query(0x3031, "a.example", 1);
    const DnsReply reply = read_dns_reply(datagram, query);
    if (reply.kind == DnsReply::Kind::ok) {
        FUZZ_CHECK(size >= query.size() && datagram[0] == 0x30 && datagram[1] == 0x31);
        FUZZ_CHECK(std::equal(query.end() - 4, query.end(), datagram.begin() + static_cast<std::ptrdiff_t>(query.size()) - 4));
    }
    constexpr EchoToken token = {'t', 'o', 'k', 'e', 'n', '-', 't', 'o', 'k', 'e', 'n', '-', 't', 'o', 'k', 'e'};
    for (const Family family : {Family::ipv4, Family::ipv6})
        FUZZ_CHECK(!is_echo_reply(family, datagram, token) || std::search(datagram.begin(), datagram.end(), token.begin(), token.end()) != datagram.end());
    UdpSpec spec;
    spec.reply = {{0x30, 0xf0}, {0x01, 0x0f}};
    spec.min_reply_length = 1;
    FUZZ_CHECK(complaint_about(datagram, spec) || (size >= 2 && size <= 255 && datagram[0] >> 4 == 3 && (datagram[1] & 15) == 1));
    return 0;
}
