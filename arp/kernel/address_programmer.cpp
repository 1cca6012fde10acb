// Addresses, thousands at a time.
//
// How they get into few system calls is in request_batch.cpp.
//
// Requests go out grouped by interface, in the caller's order within one: adding to interfaces in turn costs the kernel three
// times as much (it walks the address list and the prefix routes of one device each time, cold).
//
// EEXIST on adding is success: an operator's or an earlier run's address is adopted. It is reported as such, because an
// adopted address carries other flags and lifetimes than asked for.

#include "arp/kernel/address_programmer.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <utility>

#include "arp/kernel/kernel_state.h"

namespace vigil::arp::kernel {

namespace {

/// Header, the largest attributes (IPv6 local, peer, flags, cacheinfo, protocol) and a 15-character label: below 160.
constexpr std::size_t largest_request_bytes = 192;

std::uint32_t address_flags(const AddressSpec& spec) {
    std::uint32_t flags = 0;
    if (spec.key.address.family == Family::ipv6) {
        if (!spec.has_duplicate_detection) flags |= IFA_F_NODAD;
        if (spec.is_home_address) flags |= IFA_F_HOMEADDRESS;
        if (spec.manages_temporary_addresses) flags |= IFA_F_MANAGETEMPADDR;
    }
    if (spec.has_no_prefix_route) flags |= IFA_F_NOPREFIXROUTE;
    if (spec.joins_multicast) flags |= IFA_F_MCAUTOJOIN;
    return flags;
}

void put_lifetime(MessageWriter& message, const AddressSpec& spec) {
    const bool is_ipv6 = spec.key.address.family == Family::ipv6;
    if (!is_ipv6 && !spec.preferred_lifetime) return;
    const bool is_host_address = is_ipv6 && spec.key.prefix_length == 128;
    ifa_cacheinfo lifetime{};
    lifetime.ifa_prefered = spec.preferred_lifetime.value_or(is_host_address ? 0 : lifetime_forever);
    lifetime.ifa_valid = lifetime_forever;
    std::array<std::uint8_t, sizeof lifetime> octets{};
    std::memcpy(octets.data(), &lifetime, sizeof lifetime);
    message.put(IFA_CACHEINFO, octets);
}

void write_change(MessageWriter& message, const AddressChange& change) {
    const AddressSpec& spec = change.spec;
    const bool is_ipv4 = spec.key.address.family == Family::ipv4;
    auto* const header = message.put_header<ifaddrmsg>();
    if (header == nullptr) return;
    header->ifa_family = static_cast<std::uint8_t>(address_family(spec.key.address.family));
    header->ifa_prefixlen = spec.key.prefix_length;
    header->ifa_index = spec.key.interface_index;
    message.put_address(IFA_LOCAL, spec.key.address);
    // RTM_DELADDR compares every attribute it gets, so it gets only the key; and it compares the prefix length only when
    // IFA_ADDRESS is there.
    message.put_address(IFA_ADDRESS, spec.key.peer.value_or(spec.key.address));
    if (change.operation == AddressOperation::remove) return;
    header->ifa_scope = is_ipv4 ? spec.scope : std::uint8_t{0};
    if (is_ipv4 && spec.broadcast) message.put_address(IFA_BROADCAST, *spec.broadcast);
    if (is_ipv4 && !spec.label.empty()) message.put_text(IFA_LABEL, spec.label);
    if (const std::uint32_t flags = address_flags(spec); flags != 0) message.put_u32(IFA_FLAGS, flags);
    put_lifetime(message, spec);
    message.put_u8(IFA_PROTO, spec.protocol);
}

AddressResult judge(AddressOperation operation, KernelError verdict) {
    if (verdict.error_number == 0) return {};
    const bool is_add = operation == AddressOperation::add;
    if (is_add && verdict.error_number == EEXIST) return {AddressOutcome::already_there, {}};
    const bool is_gone = verdict.error_number == EADDRNOTAVAIL || verdict.error_number == ENODEV;
    if (!is_add && is_gone) return {AddressOutcome::already_gone, {}};
    return {AddressOutcome::refused, std::move(verdict)};
}

}  // namespace

MessageWriter write_address_change(std::span<std::byte> room, const AddressChange& change, std::uint32_t sequence) {
    const bool is_add = change.operation == AddressOperation::add;
    // Without NLM_F_REPLACE an existing address is EEXIST, which is how adoption is noticed.
    MessageWriter message(room, is_add ? RTM_NEWADDR : RTM_DELADDR, is_add ? NLM_F_CREATE : 0, sequence);
    write_change(message, change);
    return message;
}

AddressProgrammer::AddressProgrammer(NetlinkSocket socket, std::size_t requests_per_send)
    : batch_(std::move(socket), requests_per_send, largest_request_bytes) {}

KernelResult<AddressProgrammer> AddressProgrammer::open(const ProgrammerOptions& options) {
    auto socket = NetlinkSocket::open(options.socket);
    if (!socket) return tl::unexpected(socket.error());
    return AddressProgrammer(std::move(*socket), options.requests_per_send);
}

std::vector<AddressResult> AddressProgrammer::apply(std::span<const AddressChange> changes,
                                                    const std::function<void()>& between_sends) {
    std::vector<AddressResult> results(changes.size());
    std::vector<std::uint32_t> order(changes.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, {}, [&](std::uint32_t item) { return changes[item].spec.key.interface_index; });
    const auto write = [&](std::span<std::byte> room, std::uint32_t item, std::uint32_t sequence) {
        return write_address_change(room, changes[item], sequence);
    };
    const auto settle = [&](std::uint32_t item, const KernelError& verdict, bool is_repeated) {
        results[item] = judge(changes[item].operation, verdict);
        // The lost first attempt may have been the one that did it.
        if (is_repeated && results[item].outcome != AddressOutcome::refused) results[item].outcome = AddressOutcome::done;
    };
    batch_.run(order, write, settle, between_sends);
    return results;
}

}  // namespace vigil::arp::kernel
