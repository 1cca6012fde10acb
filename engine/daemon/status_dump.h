#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/daemon/plan.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/trackers/process_tracker.h"
#include "engine/io/snapshot.h"

namespace vigil::daemon {

/// What the files of SIGUSR1, SIGUSR2 and the JSON signal are made of.
struct DumpInput {
    const Plan* plan = nullptr;
    const io::Snapshot* snapshot = nullptr;
    const std::vector<RouterStatus>* statuses = nullptr;
    std::function<bool(std::size_t address)> is_present;            ///< in the kernel now; by position in Plan::addresses
    std::function<std::string(std::size_t router, DeviceIndex device)> virtual_device;  ///< name of its own virtual MAC device, or of one of Plan::devices; empty: none
    std::string backend;
    std::function<std::string(std::size_t router)> describe_tracker_fault;
    std::string trackers;                         ///< what is tracked, and how it stands
    std::span<const config::TrackedProcess> processes;
    std::function<std::optional<ProcessStanding>(const std::string& name)> process_standing;
};

/// "192.0.2.1/24 dev eth0 scope global set", as keepalived writes it; `i` counts the router's addresses. Pure.
std::string address_text(const DumpInput& input, std::size_t router, std::size_t i);

/// The readable picture for SIGUSR1. Its lines about instances are keepalived's, because exporters read them; ours come beside. Pure.
std::string status_text(const DumpInput& input);

}  // namespace vigil::daemon
