#pragma once

#include <optional>
#include <string>

#include "arp/kernel/netlink.h"

namespace vigil::arp::kernel {

/// Asks drivers whether a link has a carrier, for those whose netlink messages cannot be relied on. A driver may talk to its transceiver
/// meanwhile: milliseconds. Control thread.
class LinkProbe {
public:
    /// Each answers nullopt when the device or its driver cannot be asked so, also when there is no such device.
    using Question = std::optional<bool> (LinkProbe::*)(const std::string& interface_name) const;

    static KernelResult<LinkProbe> open();
    LinkProbe(LinkProbe&& other) noexcept;
    LinkProbe& operator=(LinkProbe&&) = delete;
    ~LinkProbe();

    /// Link status bit of the transceiver's basic status register (IEEE 802.3 clause 22), read twice because it latches a loss.
    std::optional<bool> ask_transceiver(const std::string& interface_name) const;
    /// ETHTOOL_GLINK.
    std::optional<bool> ask_driver(const std::string& interface_name) const;
    /// IFF_RUNNING.
    std::optional<bool> ask_flags(const std::string& interface_name) const;

private:
    explicit LinkProbe(int fd) : fd_(fd) {}

    int fd_;
};

}  // namespace vigil::arp::kernel
