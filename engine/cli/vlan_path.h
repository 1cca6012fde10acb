#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vigil::cli {

/// The VLAN tags of a frame, outermost first, 0 for none; and of the interface that hears it: "eth0.5" is {5, 0}, "eth0.5.7" is
/// {5, 7}, "vlan5" is {5, 0}, everything else is untagged. Priority tags (VLAN 0) count as none.
struct VlanPath {
    std::uint16_t outer = 0;
    std::uint16_t inner = 0;

    friend constexpr auto operator<=>(const VlanPath&, const VlanPath&) = default;
};

VlanPath vlan_path_of_interface(std::string_view name);
/// Read by hand, because a malformed frame is on a VLAN too.
VlanPath vlan_path_of_frame(std::span<const std::uint8_t> frame);
/// ".5", ".5.7", or nothing: what is put behind an interface's name.
std::string to_suffix(VlanPath path);

}  // namespace vigil::cli
