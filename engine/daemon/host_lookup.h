#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vigil::daemon {

/// Finds the addresses of a host without waiting: getaddrinfo() may take minutes, so it runs in a thread that nobody ever waits for, not even at the end
/// of the process. At most one such thread.
class HostLookup {
public:
    using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
    /// The addresses, or none and why.
    using Done = std::function<void(Endpoints, std::string error)>;

    explicit HostLookup(boost::asio::io_context& io) : io_(io) {}
    ~HostLookup() { abandon(); }
    HostLookup(const HostLookup&) = delete;
    HostLookup& operator=(const HostLookup&) = delete;

    /// Calls `done` from the io_context, later. An address needs no lookup.
    void start(const std::string& host, std::uint16_t port, Done done);
    /// `done` of the lookup under way will not be called.
    void abandon();

private:
    struct Shared;

    boost::asio::io_context& io_;
    std::shared_ptr<Shared> shared_;                       // with the thread, while it runs
    std::shared_ptr<bool> wanted_;
};

}  // namespace vigil::daemon
