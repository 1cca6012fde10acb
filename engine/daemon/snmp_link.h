#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "engine/daemon/plan.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/router_status.h"
#include "engine/daemon/supervisor_policy.h"
#include "engine/snmp/picture.h"

namespace vigil::daemon {

/// vigil-snmp, the process that answers an SNMP master agent: starts it, starts it again when it has died, hands it pictures and transitions. Nothing here waits for
/// it: what it does not take is kept up to a bound, and the oldest is lost. Outlives configurations and sessions. Control thread.
class SnmpLink {
public:
    explicit SnmpLink(boost::asio::io_context& io) : io_(io), descriptor_(io), timer_(io) {}
    ~SnmpLink();

    /// As the configuration wants it from now on: started, ended, started anew, or told that there is something new.
    void configure(const config::GlobalDefinitions& global);
    /// A child process ended. False: it is none of ours.
    bool on_child_end(pid_t pid, int status);
    /// It wants to know how all is: answered by send_picture(), some time.
    std::function<void()> on_picture_wanted;

    bool is_on() const { return wanted_.service.is_on(); }
    const snmp::Service& service() const { return wanted_.service; }
    /// `picture`: an encoded snmp::Picture. Lost when it does not take it: it asks again.
    void send_picture(std::string_view picture);
    void tell_instance(const Plan& plan, const PlannedRouter& router, OperatorState state, const RouterStatus& status);
    void tell_group(const PlannedGroup& group, OperatorState state);
    /// Sends what was told since the last call.
    void flush();
    /// Since when an instance is not in Initialize, in microseconds since 1970; 0: it is, or nobody knows.
    std::int64_t began(std::string_view instance) const;

    // At the end, in this order.

    /// Everything told was taken.
    bool is_idle() const { return backlog_.empty() || pid_ == 0; }
    /// It sees the end of the link, tells its master agent what it has, and ends.
    void close();
    bool is_running() const { return pid_ != 0 || !ending_.empty(); }
    void end(int signal_number);

private:
    using Clock = std::chrono::steady_clock;

    struct Wanted {
        snmp::Service service;
        std::string master;

        friend bool operator==(const Wanted&, const Wanted&) = default;
    };
    struct Ending {
        pid_t pid = 0;
        Clock::time_point kill_at{};
    };

    void start();
    void part();
    void start_later(std::chrono::milliseconds delay);
    void kill_overdue();
    void tell(const snmp::Transition& transition);
    void add_batch();
    void send_backlog();
    void wait_for_message();
    void read_messages();
    void on_message(std::string_view message);
    bool send(std::string_view message, int passed_fd = -1);

    boost::asio::io_context& io_;
    boost::asio::posix::stream_descriptor descriptor_;
    boost::asio::steady_timer timer_;
    RateLimiter limiter_;
    RestartPolicy policy_{true};
    Wanted wanted_;
    std::string router_id_;
    pid_t pid_ = 0;
    Clock::time_point started_{};
    bool is_missing_ = false;                                   // said so
    bool is_waiting_to_write_ = false;
    bool is_closed_ = false;
    std::vector<Ending> ending_;
    std::string batch_;                                         // transitions of this turn
    std::deque<std::string> backlog_;
    std::size_t backlog_size_ = 0;
    std::uint64_t lost_ = 0;                                    // datagrams
    std::unordered_map<std::string, std::int64_t> began_;       // only while it is on
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
