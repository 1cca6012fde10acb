#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arp/kernel/netlink.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// IFA_PROTO of the addresses that this daemon adds (kernel memory of the mark since Linux 5.18; older kernels ignore it).
/// The number of the VRRP protocol, free in iproute2's rt_addrprotos.
constexpr std::uint8_t our_address_protocol = 112;
/// The same for static addresses: those are the host's own in every other respect, so a router may send from one.
constexpr std::uint8_t static_address_protocol = 113;

struct LinkState {
    std::uint32_t index = 0;
    std::string name{};             ///< at most 15 characters
    MacAddress mac{};               ///< zero when the device has none of 6 octets
    bool is_up = false;           ///< IFF_UP: the administrator wants it up
    bool is_running = false;      ///< IFF_RUNNING: it has carrier and is operational
    bool is_loopback = false;
    bool is_multicast_capable = false;
    std::uint32_t mtu = 0;        ///< bytes
    std::uint32_t master = 0;     ///< index of bridge, bond or VRF; 0 none
    /// IFLA_LINK: the base of a macvlan or VLAN, the peer of a veth; 0 when there is none or it is in another namespace.
    std::uint32_t lower = 0;
    std::uint32_t group = 0;
    std::string kind{};             ///< "macvlan", "veth", "bridge", "vlan", "vrf"...; empty for hardware
    std::string alias{};            ///< ifalias; empty when unset

    friend bool operator==(const LinkState&, const LinkState&) = default;
};

/// Which address the kernel means. RTM_DELADDR needs all of it: without the prefix length, 192.0.2.1/32 would remove an
/// operator's 192.0.2.1/24.
struct AddressKey {
    std::uint32_t interface_index = 0;
    IpAddress address{};                   ///< our end, also on point-to-point links
    std::uint8_t prefix_length = 0;      ///< 0-32, 0-128
    std::optional<IpAddress> peer{};       ///< point-to-point: the other end, never equal to `address`

    friend bool operator==(const AddressKey&, const AddressKey&) = default;
};

struct AddressKeyHash {
    std::size_t operator()(const AddressKey& key) const noexcept;
};

struct AddressState {
    AddressKey key{};
    std::uint8_t scope = 0;        ///< RT_SCOPE_*
    std::uint8_t protocol = 0;     ///< IFA_PROTO; 0 when unset or the kernel is older than 5.18
    std::uint32_t flags = 0;       ///< IFA_F_*

    friend bool operator==(const AddressState&, const AddressState&) = default;
};

/// What the kernel would do with a packet to a destination.
struct RouteAnswer {
    std::uint32_t interface_index = 0;
    std::optional<IpAddress> preferred_source{};
    std::optional<IpAddress> gateway{};      ///< none: the destination is on the link
    bool is_local = false;                 ///< the destination is one of our own addresses
};

/// nullopt for what is not a link of its own: another type, a malformed one, or the bridge-port flavour of RTM_NEWLINK
/// (ifi_family AF_BRIDGE), whose RTM_DELLINK means "left the bridge", not "is gone".
std::optional<LinkState> read_link(const nlmsghdr& message);
/// nullopt for another type, another family, or a malformed one.
std::optional<AddressState> read_address_state(const nlmsghdr& message);
std::optional<RouteAnswer> read_route(const nlmsghdr& message);

/// All links of this network namespace. Asks again when the table changes meanwhile, a few times, then EAGAIN.
KernelResult<std::vector<LinkState>> dump_links(NetlinkSocket& socket);
KernelResult<std::vector<AddressState>> dump_addresses(NetlinkSocket& socket);
/// ENODEV when there is none of that name.
KernelResult<LinkState> find_link(NetlinkSocket& socket, std::string_view name);
KernelResult<LinkState> find_link(NetlinkSocket& socket, std::uint32_t index);
/// Route lookup as for a packet that this host sends; `vrf`: number of the VRF in which to look, 0: outside of any. ENETUNREACH when there is none.
KernelResult<RouteAnswer> find_route(NetlinkSocket& socket, const IpAddress& destination, std::uint32_t vrf = 0);

}  // namespace vigil::arp::kernel
