#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace vigil::daemon {

/// With '?' for control characters, so that a name of the configuration cannot make lines of its own. Pure.
inline std::string presentable(std::string_view text) {
    std::string result(text);
    std::replace_if(result.begin(), result.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, '?');
    return result;
}

}  // namespace vigil::daemon
