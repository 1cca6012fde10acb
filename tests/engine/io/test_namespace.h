#pragma once

#include <string>

namespace vigil::io {

/// Moves this process into a network namespace of its own, which vanishes with it. Empty on success, else what is missing.
std::string enter_own_namespace();

/// Runs `ip ARGUMENTS`; false when it fails.
bool ip(const std::string& arguments);
/// A fresh veth pair v0/v1, both up, without IPv6 address detection delays.
void make_veth_pair();
void remove_veth_pair();
unsigned index_of(const std::string& interface_name);
bool file_contains(const std::string& path, const std::string& text);

}  // namespace vigil::io
