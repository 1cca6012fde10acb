#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/bfd/state_message.h"
#include "engine/daemon/trackers/tracked_things.h"

namespace vigil::daemon {

/// BFD sessions that instances track, as the BFD process tells of them. One that has not been told of is not Up. Control thread.
class BfdTracker {
public:
    /// All outlive it. `fd`: end of the socket pair to the BFD process, stays the caller's; -1: there is no such process, and what tracks a session does as if it tracked
    /// nothing.
    BfdTracker(boost::asio::io_context& io, TrackedThings& things, int fd);
    ~BfdTracker();

    /// Names of bfd_instance blocks, these from now on. One that was tracked before keeps its state.
    void configure(const std::vector<std::string>& names);
    /// For the dump of SIGUSR1.
    std::string describe() const;

private:
    struct Target {
        ThingIndex thing = ThingIndex::none;
        bfd::State state = bfd::State::down;
        bfd::Diagnostic diagnostic = bfd::Diagnostic::none;
    };

    void ask() const;
    void wait();
    void read_messages();
    void on_message(const bfd::StateMessage& message);
    void publish(const std::string& name, Target& target, bfd::State state);

    TrackedThings& things_;
    boost::asio::posix::stream_descriptor descriptor_;
    int fd_;
    std::map<std::string, Target, std::less<>> targets_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
