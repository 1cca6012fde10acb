#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ipvs/codec.h"
#include "arp/netlink/socket.h"
#include "tests/fuzz/check.h"

// Any octets as answers of the kernel's load balancer; what is taken for one is written as a request, read again (requests have the shape of answers)
// and must be the same value.

namespace {

using namespace vigil;
using namespace vigil::ipvs;

/// The request as an answer in memory of exactly its size.
template <typename Read>
auto again(const netlink::MessageWriter& request, const Read& read) {
    FUZZ_CHECK(request.fits());
    const std::vector<std::byte> copy(request.bytes().begin(), request.bytes().end());
    return read(*reinterpret_cast<const nlmsghdr*>(copy.data()));
}

void check(const nlmsghdr& message) {
    netlink::RequestRoom room{};
    const RequestHead head{room.bytes, 0x1c, 1};
    (void)read_family_id(message);
    (void)read_info(message);
    (void)read_timeouts(message);
    if (const auto found = read_service(message)) {
        const auto same = again(write_new_service(head, found->service), read_service);
        FUZZ_CHECK(same && same->service == found->service);
        FUZZ_CHECK(is_same_service(same->service, found->service));
    }
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto read = [&](const nlmsghdr& one) { return read_destination(one, family); };
        const auto found = read(message);
        if (!found) continue;
        FUZZ_CHECK(found->destination.weight >= 0);
        const auto same = again(write_new_destination(head, fwmark_service(family, 1), found->destination), read);
        FUZZ_CHECK(same && same->destination == found->destination);
    }
    if (const auto found = read_daemon(message)) {
        const auto same = again(write_start_daemon(head, *found), read_daemon);
        FUZZ_CHECK(same && *same == *found && is_same_daemon(*found, *same));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto* const first = reinterpret_cast<const std::byte*>(data);
    const std::vector<std::byte> datagram(first, first + size);  // aligned as a receive buffer is
    netlink::for_each_message(datagram, check);
    return 0;
}
