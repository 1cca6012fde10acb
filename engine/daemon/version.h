#pragma once

#include <string_view>

namespace vigil::daemon {

/// Of the project() line in CMakeLists.txt.
inline constexpr std::string_view version = VIGIL_VERSION;

}  // namespace vigil::daemon
