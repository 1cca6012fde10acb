#include "engine/daemon/status_files.h"

#include <system_error>
#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/statistics.h"
#include "engine/daemon/status_json.h"

namespace vigil::daemon {

void StatusFiles::request(DumpKind kind, bool clears) {
    wanted_[static_cast<std::size_t>(kind)] = true;
    wants_clear_ = wants_clear_ || clears;
    channel_.request_snapshot(wants_clear_);   // refused while there is one: that one will do, and see write_wanted()
}

void StatusFiles::request_visit() {
    wants_visit_ = true;
    channel_.request_snapshot(wants_clear_);
}

void StatusFiles::write_wanted(DumpInput input, const config::GlobalDefinitions& global, const std::function<std::string()>& configuration,
                               const std::function<void(const DumpInput&)>& visit) {
    input.snapshot = channel_.take_snapshot();
    if (input.snapshot == nullptr || !is_asked()) return;
    if (std::exchange(is_stale_, false)) {
        channel_.release_snapshot();
        channel_.request_snapshot(wants_clear_);
        return;
    }
    // Asked for when a picture without was under way: the statistics wait for the next one.
    const bool waits_for_clear = wants_clear_ && !input.snapshot->has_cleared;
    if (is_wanted(DumpKind::state)) write(DumpKind::state, global, status_text(input) + configuration());
    if (is_wanted(DumpKind::json)) write(DumpKind::json, global, status_json(input, global.json_version));
    if (is_wanted(DumpKind::statistics) && !waits_for_clear) write(DumpKind::statistics, global, statistics_text(input));
    if (std::exchange(wants_visit_, false)) visit(input);
    channel_.release_snapshot();
    wants_clear_ = waits_for_clear;
    wanted_ = {};
    if (waits_for_clear) request(DumpKind::statistics, true);
}

/// A disc may be slow, and the control thread has addresses to set: somebody else writes.
void StatusFiles::write(DumpKind kind, const config::GlobalDefinitions& global, std::string text) {
    const DumpPlace place = dump_place(kind, global, host_dump_directories());
    auto work = [place, text = std::move(text)] {
        const auto written = write_dump_file(place, text);
        return written ? fmt::format("Wrote {}", place.path) : written.error();
    };
    try {
        writers_.push_back(std::async(std::launch::async, std::move(work)));
    } catch (const std::system_error& problem) {
        spdlog::error("Cannot write {}: there is no thread for it: {}", place.path, problem.what());
    }
}

void StatusFiles::collect_results() {
    std::erase_if(writers_, [](std::future<std::string>& writer) {
        if (writer.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return false;
        spdlog::info(writer.get());
        return true;
    });
}

}  // namespace vigil::daemon
