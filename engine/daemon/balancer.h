#pragma once

#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/model.h"
#include "engine/daemon/external_checks.h"
#include "engine/daemon/ipvs_marks.h"
#include "engine/daemon/ipvs_programmer.h"
#include "engine/daemon/lvs_plan.h"
#include "engine/daemon/misc_scripts.h"
#include "engine/daemon/outlets.h"
#include "engine/daemon/own_addresses.h"
#include "engine/daemon/rate_limiter.h"
#include "engine/daemon/server_notices.h"
#include "ipvs/checkers/runner.h"
#include "ipvs/pool_succession.h"

namespace vigil::daemon {

/// The load balancer: checks, the pool that makes a table of what they say, the kernel that gets it, and whoever is told. Checkers' control thread.
class Balancer {
public:
    /// `outlets` outlives it. `bfd_fd` leads to the BFD process, -1: there is none. `is_alone`: there is no VRRP process.
    Balancer(boost::asio::io_context& io, Outlets& outlets, int bfd_fd, bool is_alone);
    ~Balancer();
    Balancer(const Balancer&) = delete;
    Balancer& operator=(const Balancer&) = delete;

    /// The start, and each reload by its difference.
    void configure(config::Configuration configuration);
    /// Once a second.
    void tick();
    bool on_process_end(pid_t pid, int status) { return runner_.on_process_end(pid, status); }
    /// The end: last words, and the kernel's table without what is ours unless `keeps_table`.
    void stop(bool keeps_table);

    const config::Configuration& configuration() const { return configuration_; }
    /// For SIGUSR1.
    std::string describe() const;

private:
    static constexpr checkers::CheckId nobody{~0u};
    static constexpr std::uint32_t nowhere = ~0u;

    void hold_checks(const LvsPlan& plan);
    ipvs::CheckResult result_of(std::uint32_t check) const;
    void on_report(const checkers::Report& report);
    void on_external(ExternalCheck::Kind kind, const std::string& name);
    void change(std::uint32_t check);
    void plan_flush();
    ipvs::Table whole_table();
    void flush();
    std::string cause_of(const ipvs::PoolEvent& event) const;
    std::string describe_check(std::uint32_t check) const;
    void tell_of_removed(const ipvs::PoolSuccession& succession);
    void tell_of_new(const ipvs::PoolSuccession& succession);
    void replace_pool(ipvs::ServerPool next, const ipvs::PoolSuccession& succession);
    bool is_here(std::uint32_t service) const;
    void suspend_checks(bool always);
    void tell_of_lateness();
    void doubt_what_was_down(const LvsPlan& plan);

    boost::asio::io_context& io_;
    Outlets& outlets_;
    RateLimiter limiter_;
    config::Configuration configuration_;
    MiscScripts misc_scripts_;
    checkers::Runner runner_;
    ExternalChecks external_;
    OwnAddresses own_addresses_;
    ServerNotices notices_;
    ipvs::ServerPool pool_;
    IpvsProgrammer programmer_;
    IpvsMarks marks_;
    std::vector<checkers::CheckId> ids_;           // by CheckIndex; nobody: an external one
    std::map<std::uint32_t, ExternalCheck> external_checks_;   // by CheckIndex
    std::vector<std::uint32_t> check_of_id_;       // by CheckId
    bool is_alone_;
    bool is_at_work_ = false;   // from the first configure() to stop(): between them each check has its place in ids_
    bool is_configuring_ = false;
    bool is_flush_planned_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
