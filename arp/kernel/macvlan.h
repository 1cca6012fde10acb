#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "arp/kernel/kernel_error.h"
#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink_socket.h"
#include "arp/kernel/sysctl.h"
#include "packet/address.h"

namespace vigil::arp::kernel {

/// Start of the ifalias of every macvlan of ours: how a killed run's devices are recognised.
constexpr std::string_view macvlan_alias_prefix = "vigil vrrp ";

/// The device for `use_vmac`.
struct MacvlanSpec {
    Vrid vrid{1};
    Family family = Family::ipv4;
    std::string base{};                 ///< name of the interface it sits on
    std::string name{};                 ///< as configured; empty: vrrp.VRID and its alternatives
    std::string name_prefix = "vrrp";  ///< `vmac_prefix`, for generated names
    MacAddress mac{};                   ///< zero: the virtual MAC of VRID and family
    bool has_ipv6_addresses = false;  ///< an IPv4 router with IPv6 addresses (excluded ones) needs IPv6 left on
};

struct MacvlanDevice {
    std::uint32_t index = 0;
    std::string name{};
    std::string base{};
    /// Settings that could not be made (read-only /proc/sys in a container): the device works, but see macvlan.cpp for what
    /// each of them prevents. For the log.
    std::vector<KernelError> warnings{};
};

/// Sets or clears IFF_UP.
KernelResult<void> set_link_up(NetlinkSocket& socket, std::uint32_t index, bool is_up);
/// A link that is already gone is no error.
KernelResult<void> delete_link(NetlinkSocket& socket, std::uint32_t index);

using IsNameTaken = std::function<bool(std::string_view)>;
/// PREFIX.VRID; when taken PREFIX6.VRID for IPv6, then PREFIX1.VRID, PREFIX2.VRID...; the prefix is cut so that a name has at
/// most 15 characters. Empty when a thousand names are taken.
std::string choose_macvlan_name(const MacvlanSpec& spec, const IsNameTaken& is_taken);

/// Creates, raises and removes macvlans that carry a virtual MAC, and sets the sysctls they and their bases need.
/// Control thread only. Destroying it removes nothing: call remove_all_of_ours() at exit.
///
/// A device is created down and is meant to be up only while its router is Active: bring_up() before the addresses are added,
/// bring_down() before they are removed. Then a Backup neither sends a frame with the virtual MAC nor takes one for it
/// (RFC 9568 §6.4.2); see macvlan.cpp for what leaks otherwise.
class MacvlanDevices {
public:
    /// Both must outlive this object. `keeper` restores the bases' settings.
    MacvlanDevices(NetlinkSocket& socket, SysctlKeeper& keeper) : socket_(socket), keeper_(keeper) {}

    /// ENODEV: no such base. EEXIST: a configured name is taken. On failure nothing is left behind.
    KernelResult<MacvlanDevice> create(const MacvlanSpec& spec);
    /// Harmless when it is up. A base that goes down takes the device's carrier, not its IFF_UP, and gives it back (Linux 6.18).
    KernelResult<void> bring_up(std::uint32_t index);
    KernelResult<void> bring_down(std::uint32_t index);
    /// A device that is already gone is no error.
    KernelResult<void> remove(std::uint32_t index);
    /// Returns what the kernel refused (normally empty).
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
