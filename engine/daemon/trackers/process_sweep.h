#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace vigil::daemon {

/// A look at all processes, some in each turn of the event loop: 20 µs each, and a host may have ten thousand. Control thread.
class ProcessSweep {
public:
    static constexpr std::size_t processes_per_turn = 128;

    struct World {
        std::function<std::vector<pid_t>()> list;
        std::function<void(pid_t)> look_at;
        /// All were looked at. Who is not among `seen` has ended.
        std::function<void(const std::unordered_set<pid_t>& seen)> finish;
    };

    /// `io` outlives it.
    ProcessSweep(boost::asio::io_context& io, World world) : io_(io), world_(std::move(world)) {}
    ~ProcessSweep() { *alive_ = false; }
    ProcessSweep(const ProcessSweep&) = delete;
    ProcessSweep& operator=(const ProcessSweep&) = delete;

    /// While one is under way another one follows it: what is to be found out may have happened behind its back.
    void begin();
    bool is_under_way() const { return !to_look_at_.empty(); }
    /// A process began, which the list does not have.
    void on_started(pid_t process);

private:
    void go_on();

    boost::asio::io_context& io_;
    World world_;
    std::vector<pid_t> to_look_at_;
    std::unordered_set<pid_t> seen_;
    bool is_wanted_again_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
