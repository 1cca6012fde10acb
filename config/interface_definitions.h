#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/script.h"
#include "packet/units.h"

/// What the file says about interfaces, whoever uses them.
namespace vigil::config {

/// One line of interface_up_down_delays: a change of the interface counts when it has lasted for so long.
struct InterfaceDelay {
    std::string_view name;
    Nanoseconds down{0};   ///< 0-255 s, and short of the silence after which a Backup takes over
    Nanoseconds up{0};     ///< 0-255 s; the same as `down` when the file gives none
    SourceLocation where;
};

/// How a link is asked whether it has a carrier.
enum class LinkProbe : std::uint8_t {
    mii,      ///< the transceiver's status register
    ethtool,  ///< the driver's own word
    ioctl,    ///< the kernel's flags, as netlink tells them
};

/// One line of linkbeat_interfaces: its link is asked once a second.
struct PolledInterface {
    std::string_view name;
    std::optional<LinkProbe> probe;   ///< the first to be tried; absent: mii
    SourceLocation where;
};

struct InterfaceDefinitions {
    std::vector<InterfaceDelay> delays;     ///< at most one for each interface
    std::vector<PolledInterface> polled;    ///< at most one for each interface
    bool polls_all = false;                 ///< linkbeat_use_polling: every interface that instances use or track
    bool may_be_absent = false;             ///< dynamic_interfaces: that one is missing is nothing to warn of
    bool may_change_kind = false;           ///< its allow_if_changes: nor that it comes back as a device of another kind
};

}  // namespace vigil::config
