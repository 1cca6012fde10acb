#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/lvs_definitions.h"
#include "engine/daemon/router_status.h"
#include "ipvs/client.h"

namespace vigil::daemon {

/// lvs_sync_daemon: the kernel's threads that tell another director of the connections here, or listen to it. Which of them runs follows a VRRP instance; without one both
/// do. Lives in the VRRP process, because a takeover must not wait for another process. Control thread.
class LvsSync {
public:
    explicit LvsSync(boost::asio::io_context& io) : io_(io), timer_(io) {}
    ~LvsSync() { *alive_ = false; }
    LvsSync(const LvsSync&) = delete;
    LvsSync& operator=(const LvsSync&) = delete;

    /// From now on. An instance that was followed before keeps its role; another one is a Backup until on_state() says more.
    void configure(const config::LvsDefinitions& settings);
    /// The instance that is followed; empty: none.
    std::string_view instance() const { return instance_; }
    bool follows(std::string_view instance) const { return !instance_.empty() && instance == instance_; }
    /// The kernel gets the last word of one turn of the io_context.
    void on_state(OperatorState state);
    /// The end: ours are stopped.
    void end();

private:
    void plan();
    void apply();
    std::vector<ipvs::SyncDaemon> wanted() const;
    netlink::KernelResult<std::size_t> write();
    void say(const std::string& text);

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    config::LvsDefinitions place_;             // as far as open_ipvs() needs it
    std::string namespace_;
    bool has_place_ = false;
    std::string instance_;
    std::optional<ipvs::SyncDaemon> daemon_;   // its role says nothing
    bool is_active_ = false;
    bool is_planned_ = false;
    bool is_anew_ = false;                     // what runs has other parameters: the kernel's threads take them only when they start
    std::optional<ipvs::Client> client_;       // none: nothing of ours runs
    std::string trouble_;                      // what was said last
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
