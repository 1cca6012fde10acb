#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "config/model.h"
#include "engine/daemon/dump_file.h"
#include "engine/daemon/status_dump.h"
#include "engine/io/control_channel.h"

namespace vigil::daemon {

/// Files that were asked for by a signal: the packet thread makes a picture of itself, then another thread writes. Control thread.
class StatusFiles {
public:
    explicit StatusFiles(io::ControlChannel& channel) : channel_(channel) {}

    /// `clears`: the statistics begin anew after this file.
    void request(DumpKind kind, bool clears = false);
    /// `visit` of write_wanted() shall see a picture.
    void request_visit();
    bool is_asked() const { return wants_visit_ || std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end(); }
    /// Writes what was asked for as soon as the picture is there. `configuration` is asked for only for the state.
    void write_wanted(DumpInput input, const config::GlobalDefinitions& global, const std::function<std::string()>& configuration,
                      const std::function<void(const DumpInput&)>& visit);
    /// After a reload: a picture that was asked for before has the routers' old numbers.
    void ask_again() { is_stale_ = is_asked() && !channel_.request_snapshot(wants_clear_); }
    /// Says what became of the files.
    void collect_results();

private:
    bool is_wanted(DumpKind kind) const { return wanted_[static_cast<std::size_t>(kind)]; }
    void write(DumpKind kind, const config::GlobalDefinitions& global, std::string text);

    io::ControlChannel& channel_;
    std::array<bool, 3> wanted_{};      // by DumpKind
    bool wants_clear_ = false;
    bool wants_visit_ = false;
    bool is_stale_ = false;             // the next picture is of no use
    std::vector<std::future<std::string>> writers_;   // what they have to say
};

}  // namespace vigil::daemon
