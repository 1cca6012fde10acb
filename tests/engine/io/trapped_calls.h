#pragma once

#include <set>
#include <string>

/// For a thread that may make only certain system calls: which others it made. The kernel traps them (SECCOMP_RET_TRAP), and a signal handler counts them.
namespace vigil::test {

/// Forgets what was trapped, and counts from now on. False when the handler cannot be set.
bool count_trapped_calls();
/// The names of those that were made since.
std::set<std::string> trapped_calls();

}  // namespace vigil::test
