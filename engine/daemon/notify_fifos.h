#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"
#include "config/model.h"
#include "engine/daemon/fifo.h"
#include "engine/daemon/fifo_reader.h"

namespace vigil::daemon {

/// Which process tells.
enum class Teller : std::uint8_t {
    vrrp,              ///< of instances and groups
    checkers,          ///< of servers, beside the VRRP process
    checkers_alone,    ///< without one: the reader of notify_fifo is its child
};

/// notify_fifo, and vrrp_notify_fifo or lvs_notify_fifo, with their readers. Outlives a configuration: what a reload does not change stays open, and its reader runs
/// on. Control thread.
class NotifyFifos {
public:
    explicit NotifyFifos(boost::asio::io_context& io, Teller teller = Teller::vrrp) : io_(io), teller_(teller), timer_(io) {}

    void configure(const config::Configuration& configuration);
    /// A FIFO could not be opened, or its reader may not run: that may be different next time.
    bool has_refused() const;
    void tell_instance(std::string_view name, std::string_view state, int priority);
    void tell_group(std::string_view name, std::string_view state);
    /// "VS [10.0.0.1]:tcp:80 UP"; `place` and `service` as name_of_service() and name_of_server() write them.
    void tell_service(std::string_view service, std::string_view state);
    void tell_server(std::string_view server, std::string_view service, std::string_view state);
    bool on_child_end(pid_t pid, int status);

    // At the end, in this order.

    /// Everything was read, or nobody of ours reads it. Call again and again: it hands on what the pipes take.
    bool is_read();
    /// Closes the FIFOs and removes those that we made: readers see the end of the file.
    void close();
    bool has_readers() const;
    void end_readers(int signal_number);

private:
    /// What a configuration asks for, in words of its own: the configuration may be gone when it is compared.
    struct Wanted {
        std::string path;
        std::optional<FifoOwner> owner;
        FifoReader::Program reader;
    };
    struct Entry {
        std::optional<FifoOwner> owner;
        std::unique_ptr<Fifo> fifo;
        std::unique_ptr<FifoReader> reader;
        std::uint64_t lost = 0;        // not yet told
        Instant told_at{};
    };
    /// A reader that is to end.
    struct Ending {
        std::unique_ptr<FifoReader> reader;
        Instant kill_at{};
    };

    static std::optional<Wanted> wanted(const config::NotifyFifo& settings, const config::GlobalDefinitions& global, bool with_reader);
    void tell(std::string_view line);
    static bool is_kept(const Entry& entry, const std::optional<Wanted>& wanted);
    void drop_unwanted(Entry& entry, const std::optional<Wanted>& wanted);
    void add_wanted(Entry& entry, Wanted wanted, const std::string& where);
    void start_readers(Instant now);
    void kill_overdue(Instant now);
    void tick();
    void tell_losses(Entry& entry, Instant now);

    boost::asio::io_context& io_;
    Teller teller_;
    boost::asio::steady_timer timer_;
    std::array<Entry, 2> entries_;   // notify_fifo, and the one of this process
    std::vector<Ending> ending_;
    bool has_refused_ = false;
    bool is_ticking_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// What is wrong with the FIFOs and their readers on this host.
std::vector<config::Diagnostic> check_fifos(const config::Configuration& configuration);

}  // namespace vigil::daemon
