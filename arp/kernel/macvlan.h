#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"
#include "arp/kernel/sysctl.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// Start of the ifalias of every macvlan of ours: how a killed run's devices are recognised.
constexpr std::string_view macvlan_alias_prefix = "vigil vrrp ";

/// What the ports of one interface's ipvlans are to each other; the same for all of them.
enum class IpvlanMode : std::uint8_t {
    bridge,      ///< they reach each other
    isolated,    ///< `private`: they do not
    vepa,        ///< only by way of the switch
};

/// An address that a device of ours has by itself, whoever is Active.
struct OwnAddress {
    IpAddress address{};
    std::uint8_t prefix_length = 32;

    friend bool operator==(const OwnAddress&, const OwnAddress&) = default;
};

/// `use_ipvlan`: a device with the MAC of its base, in layer 2 mode.
struct IpvlanSpec {
    IpvlanMode mode = IpvlanMode::bridge;
    std::optional<OwnAddress> own{};   ///< with one the device is always up

    friend bool operator==(const IpvlanSpec&, const IpvlanSpec&) = default;
};

/// The device for `use_vmac` or `use_ipvlan`.
struct MacvlanSpec {
    Vrid vrid{1};
    Family family = Family::ipv4;
    std::string base{};                 ///< name of the interface it sits on
    std::string name{};                 ///< as configured; empty: vrrp.VRID and its alternatives
    std::string name_prefix = "vrrp";  ///< `vmac_prefix`, for generated names
    MacAddress mac{};                   ///< zero: the virtual MAC of VRID and family
    std::uint32_t group = 0;            ///< interface group; 0: that of the base
    std::optional<IpvlanSpec> ipvlan{};   ///< an ipvlan instead of a macvlan; `mac` means nothing then
    bool has_ipv6_addresses = false;  ///< an IPv4 router with IPv6 addresses (excluded ones) needs IPv6 left on

    friend bool operator==(const MacvlanSpec&, const MacvlanSpec&) = default;
};

struct MacvlanDevice {
    std::uint32_t index = 0;
    std::string name{};
    std::string base{};
    bool has_ipv6 = false;  ///< IPv6 is on while it is up
    bool stays_up = false;  ///< bring_down() and silence() do nothing: it has an address of its own
    /// Settings that could not be made (read-only /proc/sys in a container): the device works, but see macvlan.cpp for what
    /// each of them prevents. For the log.
    std::vector<KernelError> warnings{};
};

/// Sets or clears IFF_UP.
KernelResult<void> set_link_up(NetlinkSocket& socket, std::uint32_t index, bool is_up);
/// Deletes links in one request: they are gathered in a device group of their own, which is then deleted. Links that are
/// already gone are no error. Returns what the kernel refused (normally empty).
std::vector<KernelError> delete_links(NetlinkSocket& socket, std::span<const std::uint32_t> indices);
/// A link that is already gone is no error.
KernelResult<void> delete_link(NetlinkSocket& socket, std::uint32_t index);

/// The ifalias of a device of ours.
std::string device_alias(const MacvlanSpec& spec);

using IsNameTaken = std::function<bool(std::string_view)>;
/// PREFIX.VRID; when taken PREFIX6.VRID for IPv6, then PREFIX1.VRID, PREFIX2.VRID...; the prefix is cut so that a name has at
/// most 15 characters. Empty when a thousand names are taken.
std::string choose_macvlan_name(const MacvlanSpec& spec, const IsNameTaken& is_taken);

/// Creates, raises and removes macvlans that carry a virtual MAC, and sets the sysctls they and their bases need.
/// Control thread only. Destroying it removes nothing: call remove_all_of_ours() at exit.
///
/// A device is created down and is meant to be up only while its router is Active. Then a Backup neither sends a frame with
/// the virtual MAC nor takes one for it (RFC 9568 §6.4.2); see macvlan.cpp for what leaks otherwise. The order:
///  * becoming Active: bring_up() (some 10 us each), then add the addresses;
///  * leaving Active: silence() each, remove the addresses of all in one batch (the IPv6 ones are gone then, which is no
///    failure), and bring_down() one by one with other work between: the kernel waits 8 to 16 ms in each.
class MacvlanDevices {
public:
    /// Both must outlive this object. `keeper` restores the bases' settings.
    MacvlanDevices(NetlinkSocket& socket, SysctlKeeper& keeper) : socket_(socket), keeper_(keeper) {}

    /// ENODEV: no such base. EEXIST: a configured name is taken. On failure nothing is left behind.
    KernelResult<MacvlanDevice> create(const MacvlanSpec& spec);
    /// Harmless when it is up. A base that goes down takes the device's carrier, not its IFF_UP, and gives it back (Linux 6.18).
    KernelResult<void> bring_up(std::uint32_t index);
    /// Takes the IPv6 addresses off without a multicast listener report: IPv6 is off on the device until bring_up(). Quick.
    /// On failure (EROFS) the addresses are still there.
    KernelResult<void> silence(std::uint32_t index);
    /// Waits for a grace period of the kernel, 8 to 16 ms (Linux 6.18, 250 Hz).
    KernelResult<void> bring_down(std::uint32_t index);
    /// The base has gone to another VRF (its number), or to none (0): its devices follow. Returns what the kernel refused.
    std::vector<KernelError> follow_to_vrf(std::string_view base, std::uint32_t vrf);
    /// A device that is already gone is no error.
    KernelResult<void> remove(std::uint32_t index);
    /// All in one request, so that a thousand devices share one grace period. Returns what the kernel refused (normally empty).
    std::vector<KernelError> remove_all_of_ours();

    const std::map<std::uint32_t, MacvlanDevice>& devices() const { return devices_; }
    /// The device or its base was deleted by somebody else (monitor event).
    void forget(std::uint32_t index) { devices_.erase(index); }

private:
    KernelResult<std::string> choose_name(const MacvlanSpec& spec);
    KernelResult<void> add_link(const MacvlanSpec& spec, const LinkState& base, const std::string& name);
    KernelResult<void> set_alias(const MacvlanDevice& device, const MacvlanSpec& spec);
    void prepare_base(const MacvlanSpec& spec, std::vector<KernelError>& warnings);

    NetlinkSocket& socket_;
    SysctlKeeper& keeper_;
    std::map<std::uint32_t, MacvlanDevice> devices_;
    bool is_filter_pushed_down_ = false;
};

}  // namespace vigil::arp::kernel
