#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <tl/expected.hpp>

namespace vigil::io {

/// A kernel call that was refused. Made on the control thread only: it owns a string.
struct SystemError {
    std::string operation;   ///< what was attempted, as an operator would say it
    int number = 0;          ///< errno

    std::string text() const { return operation + ": " + std::strerror(number); }
};

template <class T>
using Result = tl::expected<T, SystemError>;

/// To be returned right after the call that failed.
inline tl::unexpected<SystemError> last_error(std::string operation) {
    const int number = errno;
    return tl::unexpected(SystemError{std::move(operation), number});
}

}  // namespace vigil::io
