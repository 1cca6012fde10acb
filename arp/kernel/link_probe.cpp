#include "arp/kernel/link_probe.h"

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/mii.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace vigil::arp::kernel {

namespace {

/// For SIOCGMIIPHY and SIOCGMIIREG; inside an ifreq, where the kernel has it.
mii_ioctl_data read_mii(const ifreq& request) {
    mii_ioctl_data data{};
    std::memcpy(&data, &request.ifr_ifru, sizeof data);
    return data;
}

void write_mii(ifreq& request, const mii_ioctl_data& data) { std::memcpy(&request.ifr_ifru, &data, sizeof data); }

ifreq request_about(const std::string& interface_name) {
    ifreq request{};
    interface_name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
}

}  // namespace

KernelResult<LinkProbe> LinkProbe::open() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return refused(errno, "open a socket for questions about links");
    return LinkProbe(fd);
}

LinkProbe::LinkProbe(LinkProbe&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

LinkProbe::~LinkProbe() {
    if (fd_ >= 0) ::close(fd_);
}

std::optional<bool> LinkProbe::ask_transceiver(const std::string& interface_name) const {
    ifreq request = request_about(interface_name);
    if (::ioctl(fd_, SIOCGMIIPHY, &request) != 0) return std::nullopt;
    mii_ioctl_data data = read_mii(request);
    data.reg_num = MII_BMSR;
    for (int reading = 0; reading < 2; ++reading) {
        write_mii(request, data);
        if (::ioctl(fd_, SIOCGMIIREG, &request) != 0) return std::nullopt;
    }
    return (read_mii(request).val_out & BMSR_LSTATUS) != 0;
}

std::optional<bool> LinkProbe::ask_driver(const std::string& interface_name) const {
    ifreq request = request_about(interface_name);
    ethtool_value value{.cmd = ETHTOOL_GLINK, .data = 0};
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(fd_, SIOCETHTOOL, &request) != 0) return std::nullopt;
    return value.data != 0;
}

std::optional<bool> LinkProbe::ask_flags(const std::string& interface_name) const {
    ifreq request = request_about(interface_name);
    if (::ioctl(fd_, SIOCGIFFLAGS, &request) != 0) return std::nullopt;
    return (request.ifr_flags & IFF_RUNNING) != 0;
}

}  // namespace vigil::arp::kernel
