#pragma once

#include <string>
#include <string_view>

namespace vigil::checkers {

/// What a server said, fit for a log: at most 80 octets, and '.' for whatever is not printable ASCII.
inline std::string printable(std::string_view text) {
    constexpr std::size_t most = 80;
    std::string result(text.substr(0, most));
    for (char& character : result)
        if (character < ' ' || character > '~') character = '.';
    return text.size() > most ? result + "..." : result;
}

}  // namespace vigil::checkers
