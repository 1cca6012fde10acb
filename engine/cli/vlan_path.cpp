#include "engine/cli/vlan_path.h"

#include <fmt/core.h>

#include <charconv>
#include <optional>

#include "packet/ethernet.h"

namespace vigil::cli {
namespace {

constexpr std::uint16_t max_vlan = 4094;

std::optional<std::uint16_t> read_vlan(std::string_view digits) {
    std::uint16_t vlan = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), vlan);
    if (error != std::errc{} || end != digits.data() + digits.size() || vlan == 0 || vlan > max_vlan) return std::nullopt;
    return vlan;
}

/// Takes ".5" off the end of the name.
std::optional<std::uint16_t> take_last(std::string_view& name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    const auto vlan = read_vlan(name.substr(dot + 1));
    if (vlan) name = name.substr(0, dot);
    return vlan;
}

}  // namespace

VlanPath vlan_path_of_interface(std::string_view name) {
    if (name.starts_with("vlan")) {
        if (const auto vlan = read_vlan(name.substr(4))) return {*vlan, 0};
    }
    const auto last = take_last(name);
    if (!last) return {};
    const auto before = take_last(name);
    return before ? VlanPath{*before, *last} : VlanPath{*last, 0};
}

VlanPath vlan_path_of_frame(std::span<const std::uint8_t> frame) {
    packet::ByteReader reader(frame);
    reader.skip(packet::ethernet_header_size - 2);
    VlanPath path;
    for (int tag = 0; tag < packet::max_vlan_tags && packet::is_vlan_tag(packet::EtherType{reader.u16()}); ++tag) {
        const std::uint16_t vlan = reader.u16() & 0x0fff;
        (path.outer == 0 ? path.outer : path.inner) = vlan;
    }
    return reader.has_failed() ? VlanPath{} : path;
}

std::string to_suffix(VlanPath path) {
    if (path.outer == 0) return {};
    return path.inner == 0 ? fmt::format(".{}", path.outer) : fmt::format(".{}.{}", path.outer, path.inner);
}

}  // namespace vigil::cli
