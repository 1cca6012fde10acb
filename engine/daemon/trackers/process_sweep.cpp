#include "engine/daemon/trackers/process_sweep.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace vigil::daemon {

void ProcessSweep::begin() {
    if (is_under_way()) {
        is_wanted_again_ = true;
        return;
    }
    to_look_at_ = world_.list();
    seen_ = {to_look_at_.begin(), to_look_at_.end()};
    go_on();
}

void ProcessSweep::on_started(pid_t process) {
    if (is_under_way()) seen_.insert(process);
}

void ProcessSweep::go_on() {
    const std::size_t count = std::min(processes_per_turn, to_look_at_.size());
    for (std::size_t i = 0; i < count; ++i) {
        world_.look_at(to_look_at_.back());
        to_look_at_.pop_back();
    }
    if (!is_under_way()) {
        world_.finish(std::exchange(seen_, {}));
        if (std::exchange(is_wanted_again_, false)) begin();
        return;
    }
    boost::asio::post(io_, [this, alive = alive_] {
        if (*alive) go_on();
    });
}

}  // namespace vigil::daemon
