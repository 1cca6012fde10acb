#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arp/kernel/kernel_state.h"
#include "arp/kernel/netlink.h"
#include "packet/address.h"

namespace vigil::arp::kernel::test {

/// Each test runs in a network namespace of its own, which vanishes with its last socket. Links are made by netlink, so that
/// no program is needed.
class NetworkNamespace : public ::testing::Test {
protected:
    void SetUp() override;

    /// A pair, both up; returns the index of the first.
    std::uint32_t make_veth(const std::string& name, const std::string& peer);
    std::uint32_t make_bridge(const std::string& name);
    void set_master(std::uint32_t index, std::uint32_t master);
    void remove_link(std::uint32_t index);
    LinkState link(const std::string& name);
    bool has_link(const std::string& name);
    std::vector<AddressState> addresses();
    bool has_address(const AddressKey& key);

    NetlinkSocket& socket() { return *socket_; }

private:
    std::uint32_t add_link(MessageWriter& message, const std::string& name);

    std::optional<NetlinkSocket> socket_;
};

/// 10.x.y.z/32 on the interface, different for each number below 2^24.
AddressKey numbered_key(std::uint32_t interface_index, std::uint32_t number);

/// Runs `body` in a child process without CAP_NET_ADMIN; returns its exit code, -1 when the child did not exit by itself.
int run_without_net_admin(const std::function<int()>& body);

/// Takes CAP_NET_ADMIN away from this thread while it lives.
class WithoutNetAdmin {
public:
    WithoutNetAdmin();
    ~WithoutNetAdmin();
    WithoutNetAdmin(const WithoutNetAdmin&) = delete;
};

}  // namespace vigil::arp::kernel::test
