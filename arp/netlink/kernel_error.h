#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace vigil::netlink {

/// Why the kernel (or the C library on the way to it) refused. Control thread only: it owns a string.
struct KernelError {
    int error_number = 0;  ///< errno value, positive
    std::string text;      ///< what was tried, or the kernel's extended-ack sentence; may be empty

    friend bool operator==(const KernelError&, const KernelError&) = default;
};

/// "Operation not permitted (1): text" for log lines.
std::string to_string(const KernelError& error);

template <typename T>
using KernelResult = tl::expected<T, KernelError>;

inline tl::unexpected<KernelError> refused(int error_number, std::string text) {
    return tl::unexpected<KernelError>(KernelError{error_number, std::move(text)});
}

}  // namespace vigil::netlink
