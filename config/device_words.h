#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/values.h"

/// Words that use_vmac and use_ipvlan share.
namespace vigil::config {

/// What the kernel takes for the name of a device (IFNAMSIZ without the NUL).
inline bool is_device_name(std::string_view word) {
    constexpr std::size_t longest = 15;
    return !word.empty() && word.size() <= longest && word.find_first_of("/:") == std::string_view::npos;
}

/// Behind `group`: the number of a group of interfaces, 0-4294967295.
inline std::optional<std::uint32_t> read_device_group(std::string_view word) {
    const auto group = read_number(word);
    if (!group || group->has_trailing || group->value < 0 || group->value > 0xffffffff) return std::nullopt;
    return static_cast<std::uint32_t>(group->value);
}

}  // namespace vigil::config
