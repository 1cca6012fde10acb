#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "config/model.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/router_status.h"
#include "engine/io/snapshot.h"

namespace vigil::daemon {

/// The readable picture for SIGUSR1. Pure.
struct DumpInput {
    const Plan* plan = nullptr;
    const io::Snapshot* snapshot = nullptr;
    const std::vector<RouterStatus>* statuses = nullptr;
    std::vector<std::size_t> addresses_present;   ///< per router
    std::string backend;
    std::function<std::string(std::size_t router)> describe_tracker_fault;
    std::string trackers;                         ///< what is tracked, and how it stands
};
std::string status_text(const DumpInput& input);
/// keepalived's statistics text for SIGUSR2.
std::string statistics_text(const DumpInput& input);

/// TMPDIR when it is absolute, else /tmp, and the name.
std::string dump_path(std::string_view name);
/// Writes a new file beside `path` (never through a link that somebody left there) and renames it. The error is a sentence.
tl::expected<void, std::string> write_file_safely(const std::string& path, std::string_view text);

}  // namespace vigil::daemon
