#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "config/lvs_definitions.h"
#include "ipvs/client.h"
#include "ipvs/server_pool.h"

namespace vigil::daemon {

/// Calls `open` in the network namespace that net_namespace_ipvs names, or in this one: sockets stay where they were made.
ipvs::KernelResult<void> in_ipvs_namespace(const config::LvsDefinitions& settings, const std::function<ipvs::KernelResult<void>()>& open);
/// Opens IPVS of this network namespace, or of the one that net_namespace_ipvs names.
ipvs::KernelResult<ipvs::Client> open_ipvs(const config::LvsDefinitions& settings);
/// Why it could not be opened, for an operator.
std::string describe_ipvs_error(const ipvs::KernelError& error);

/// Brings the kernel's table to what is wanted, and keeps trying: a kernel without IPVS, a scheduler that is not there, a table that somebody else has changed. Checkers'
/// control thread.
class IpvsProgrammer {
public:
    /// `wanted`: the whole table, asked for whenever it is written as a whole.
    IpvsProgrammer(boost::asio::io_context& io, std::function<ipvs::Table()> wanted);
    ~IpvsProgrammer() { *alive_ = false; }
    IpvsProgrammer(const IpvsProgrammer&) = delete;
    IpvsProgrammer& operator=(const IpvsProgrammer&) = delete;

    /// From now on. The first call is the start: with flush_at_start the table is emptied.
    void configure(const config::LvsDefinitions& settings);
    /// What the kernel has now; empty when it cannot be asked.
    ipvs::Table found();
    /// Reads the kernel's table and writes what differs: what is right already is adopted.
    void program();
    /// Writes the difference only.
    void apply(const ipvs::ServerPool::Difference& difference);
    /// A reload: from one table to the other. Services that are not wanted any more are deleted, at the next opportunity if not now.
    void change(const ipvs::Table& wanted, const ipvs::Table& before);
    /// The end. Deletes what is in `ours`, or everything.
    void remove(const ipvs::Table& ours, bool everything);
private:
    bool open();
    void tell(const ipvs::Outcome& outcome);
    void say(const std::string& text);
    void write_settings();
    void write_timeouts();
    void try_again();

    boost::asio::steady_timer timer_;
    std::function<ipvs::Table()> wanted_;
    std::optional<ipvs::Client> client_;
    config::LvsTimeouts timeouts_;
    std::optional<ipvs::Timeouts> timeouts_before_;   // of the kernel, when ours were written first
    bool is_flush_due_ = false;
    bool is_started_ = false;
    config::LvsDefinitions settings_;     // as far as open_ipvs() needs them
    std::string namespace_;
    std::string trouble_;                 // what was said last; empty: nothing is wrong
    unsigned attempts_ = 0;               // that failed in a row
    bool is_waiting_ = false;             // for timer_
    bool is_in_step_ = false;             // the kernel has what is wanted, as far as we know
    std::unordered_set<ipvs::ServiceKey, ipvs::KeyHash> departed_;   // to be deleted yet
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
