#include "engine/daemon/rights.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "engine/io/file_descriptor.h"

namespace vigil::daemon {

std::string missing_rights() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return {};  // cannot tell; the first refusal will
    const auto has = [&](unsigned capability) { return (data[capability / 32].effective & 1u << capability % 32) != 0; };
    std::string missing;
    if (!has(CAP_NET_ADMIN)) missing += "CAP_NET_ADMIN (to set addresses)";
    if (!has(CAP_NET_RAW)) missing += std::string(missing.empty() ? "" : " and ") + "CAP_NET_RAW (to send and hear adverts)";
    if (missing.empty()) return {};
    return fmt::format("this process lacks {}; run it as root, or give it these capabilities (systemd: AmbientCapabilities=)", missing);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string enter_network_namespace(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
        return fmt::format("'{}' is no name of a network namespace", name);
    }
    const std::string path = "/run/netns/" + name;
    const io::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return fmt::format("cannot open network namespace {}: {}", path, std::strerror(errno));
    if (::setns(file.get(), CLONE_NEWNET) != 0) return fmt::format("cannot enter network namespace {}: {}", path, std::strerror(errno));
    return {};
}

}  // namespace vigil::daemon
