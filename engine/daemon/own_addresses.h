#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>
#include <set>

#include "packet/address.h"

namespace vigil::daemon {

/// The addresses of this host, for ha_suspend: only read while somebody wants to know. Checkers' control thread.
class OwnAddresses {
public:
    explicit OwnAddresses(boost::asio::io_context& io) : changes_(io) {}
    ~OwnAddresses();
    OwnAddresses(const OwnAddresses&) = delete;
    OwnAddresses& operator=(const OwnAddresses&) = delete;

    /// From now on, or not any more.
    void watch(bool is_wanted);
    /// Reads them when they may have changed. True: they were read.
    bool refresh();
    bool contains(const IpAddress& address) const { return addresses_.contains(address); }

private:
    void wait();

    boost::asio::posix::stream_descriptor changes_;   // a netlink socket: what it says is "look again"
    std::set<IpAddress> addresses_;
    bool is_wanted_ = false;
    bool is_stale_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::daemon
