#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/status_dump.h"
#include "engine/daemon/trackers/tracked_things.h"
#include "engine/snmp/picture.h"

namespace vigil::daemon {

/// What a picture for vigil-snmp is made of.
struct SnmpPictureInput {
    const DumpInput& dump;                        ///< with a snapshot
    const config::Configuration& configuration;   ///< all but its instances
    const TrackedThings& things;
    std::vector<std::pair<const PlannedGroup*, OperatorState>> groups;       ///< those that have been anywhere yet
    std::function<std::uint32_t(std::string_view name)> interface_index;     ///< 0: there is no such interface
    std::function<std::int64_t(std::string_view instance)> began;            ///< SnmpLink::began()
    std::function<std::uint32_t(std::size_t router, DeviceIndex device)> device_index;   ///< as DumpInput::virtual_device; 0: none
    std::int64_t now_microseconds = 0;                                       ///< since 1970
    bool has_traps = false;
};

/// An snmp::Picture, encoded. One router is in memory at a time. Pure.
std::string snmp_picture(const SnmpPictureInput& input);

snmp::State state_of(OperatorState state);
snmp::NewMasterReason new_master_reason(engine::Reason reason);

}  // namespace vigil::daemon
