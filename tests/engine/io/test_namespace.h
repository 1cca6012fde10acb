#pragma once

#include <string>

namespace vigil::io {

/// Moves this process into a network namespace of its own, which vanishes with it. Empty on success, else what is missing.
std::string enter_own_namespace();

/// Runs `ip ARGUMENTS`; false when it fails.
bool ip(const std::string& arguments);
/// A fresh veth pair v0/v1, both up, frames passing both ways, without IPv6 address detection delays.
void make_veth_pair();
/// Until a frame of `from` is heard on `to`. After a link came up, the kernel attaches its queue a little later and drops what is sent
/// meanwhile without an error.
void wait_until_frames_pass(const std::string& from, const std::string& to);
void remove_veth_pair();
unsigned index_of(const std::string& interface_name);
bool file_contains(const std::string& path, const std::string& text);

}  // namespace vigil::io
