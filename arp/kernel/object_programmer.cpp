// Routes and rules, in batches (request_batch.cpp), and those that a killed run left behind.
//
// What the kernel tells of a route or rule is what it takes to delete it: as `ip route flush` does, the message of the dump is sent back with another
// type. The dump is filtered by protocol in the kernel (NETLINK_GET_STRICT_CHK, Linux 4.20), and looked through here once more for older ones.

#include "arp/kernel/object_programmer.h"

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

namespace vigil::arp::kernel {

namespace {

constexpr std::size_t usual_request_bytes = 192;
constexpr int dump_attempts = 8;

EncodedRequest removal_of(const nlmsghdr& message, std::uint16_t type) {
    const auto* const bytes = reinterpret_cast<const std::byte*>(&message);
    EncodedRequest request(bytes, bytes + NLMSG_ALIGN(message.nlmsg_len));
    auto* const header = reinterpret_cast<nlmsghdr*>(request.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST;
    header->nlmsg_pid = 0;
    return request;
}

template <typename Header, typename IsOurs>
KernelResult<std::size_t> collect(NetlinkSocket& socket, Family family, std::uint16_t get, std::vector<EncodedRequest>& removals, IsOurs is_ours) {
    const std::size_t before = removals.size();
    for (int attempt = 1;; ++attempt) {
        RequestRoom room{};
        MessageWriter message(room.bytes, get, NLM_F_DUMP, socket.next_sequence());
        auto* const header = message.put_header<Header>();
        if constexpr (std::is_same_v<Header, rtmsg>) {
            header->rtm_family = static_cast<unsigned char>(address_family(family));
            header->rtm_protocol = our_route_protocol;
        } else {
            header->family = static_cast<std::uint8_t>(address_family(family));
        }
        const auto verdict = socket.query(message, [&](const nlmsghdr& answer) {
            if (is_ours(answer)) removals.push_back(removal_of(answer, static_cast<std::uint16_t>(get - RTM_GETROUTE + RTM_DELROUTE)));
        });
        const bool is_unknown_family = !verdict && (verdict.error().error_number == EAFNOSUPPORT || verdict.error().error_number == EOPNOTSUPP);
        if (verdict || is_unknown_family) return removals.size() - before;
        if (verdict.error().error_number != EAGAIN || attempt == dump_attempts) return tl::unexpected(verdict.error());
        removals.resize(before);
    }
}
static_assert(RTM_GETRULE - RTM_DELRULE == RTM_GETROUTE - RTM_DELROUTE);

EncodedRequest write_address(const AddressChange& change) {
    EncodedRequest room(512);
    const auto bytes = write_address_change(room, change, 0).bytes();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

EncodedRequest write_new_address(const AddressSpec& spec) { return write_address({AddressOperation::add, spec}); }
EncodedRequest write_delete_address(const AddressKey& key) { return write_address({AddressOperation::remove, {.key = key}}); }

ObjectProgrammer::ObjectProgrammer(NetlinkSocket socket, std::size_t requests_per_send)
    : batch_(std::move(socket), requests_per_send, usual_request_bytes) {}

KernelResult<ObjectProgrammer> ObjectProgrammer::open(const ProgrammerOptions& options) {
    auto socket = NetlinkSocket::open(options.socket);
    if (!socket) return tl::unexpected(socket.error());
    return ObjectProgrammer(std::move(*socket), options.requests_per_send);
}

std::vector<KernelError> ObjectProgrammer::apply(std::span<const EncodedRequest> requests, const std::function<void()>& between_sends) {
    std::vector<KernelError> verdicts(requests.size());
    std::vector<std::uint32_t> order(requests.size());
    std::iota(order.begin(), order.end(), 0U);
    const auto write = [&](std::span<std::byte> room, std::uint32_t item, std::uint32_t sequence) { return MessageWriter(room, requests[item], sequence); };
    const auto settle = [&](std::uint32_t item, const KernelError& verdict, bool) { verdicts[item] = verdict; };
    batch_.run(order, write, settle, between_sends);
    return verdicts;
}

KernelResult<MarkedObjects> find_marked_objects(NetlinkSocket& socket) {
    MarkedObjects found;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto rules = collect<fib_rule_hdr>(socket, family, RTM_GETRULE, found.removals, [](const nlmsghdr& message) {
            const auto state = read_rule_state(message);
            return state && state->protocol == our_route_protocol;
        });
        if (!rules) return tl::unexpected(rules.error());
        found.rules += *rules;
    }
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto routes = collect<rtmsg>(socket, family, RTM_GETROUTE, found.removals, [](const nlmsghdr& message) {
            const auto state = read_route_state(message);
            return state && state->protocol == our_route_protocol;
        });
        if (!routes) return tl::unexpected(routes.error());
        found.routes += *routes;
    }
    return found;
}

std::optional<std::uint32_t> find_vrf_table(NetlinkSocket& socket, std::string_view name) {
    RequestRoom room{};
    MessageWriter message(room.bytes, RTM_GETLINK, 0, socket.next_sequence());
    message.put_header<ifinfomsg>();
    message.put_text(IFLA_IFNAME, name);
    std::optional<std::uint32_t> table;
    const auto verdict = socket.query(message, [&](const nlmsghdr& answer) {
        const AttributeTable information(AttributeTable(answer, sizeof(ifinfomsg)).find(IFLA_LINKINFO));
        if (information.text(IFLA_INFO_KIND) != "vrf") return;
        table = AttributeTable(information.find(IFLA_INFO_DATA)).u32(IFLA_VRF_TABLE);
    });
    return verdict ? table : std::nullopt;
}

}  // namespace vigil::arp::kernel
