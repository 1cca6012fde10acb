#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arp/arp_message.h"
#include "arp/kernel/address_programmer.h"
#include "arp/neighbor_message.h"
#include "tests/arp/kernel/network_namespace.h"

namespace vigil::arp::kernel::test {

using Frame = std::vector<std::uint8_t>;

/// The test's own namespace is a router with the interface "lan"; its other end "host" is in a second namespace, where frames are made and watched.
class TwoHosts : public NetworkNamespace {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Runs in the host's namespace. Sockets made there stay there.
    void on_host(const std::function<void()>& body);
    /// Puts an address on one side; it is usable at once.
    void add_router_address(const IpAddress& address, std::uint8_t prefix_length);
    void add_host_address(const IpAddress& address, std::uint8_t prefix_length);
    void remove_router_address(const IpAddress& address, std::uint8_t prefix_length);

    /// From the host's wire to the router.
    void send(std::span<const std::uint8_t> frame);
    /// From an interface in the router's namespace.
    void send_from(const char* interface, std::span<const std::uint8_t> frame);
    /// The next frame of the router that `take` accepts; nullopt when none comes for seconds.
    std::optional<Frame> wait_for(const std::function<bool(const Frame&)>& take);
    /// Frames that the router sent until it answered an ARP request for `marker`, an address of its own that it always answers for.
    std::vector<Frame> frames_until_answer_for(const IpAddress& marker);
    /// Asks with ARP who has the address; the answer, if it comes before that for `marker`.
    std::optional<ArpMessage> ask(const IpAddress& address, const IpAddress& marker);

    /// Whether a datagram in a frame to `mac` reaches a socket of the router at `address`.
    bool takes_frame_to(const MacAddress& mac, const IpAddress& address);
    /// Sends a datagram from the host's kernel to the router's socket at `address` and back; false when either does not arrive.
    bool exchange_datagrams(const IpAddress& address);
    /// From the router's kernel to wherever.
    void send_datagram_to(const IpAddress& address);

    /// Puts an interface of the router's into a bridge, which passes frames at once.
    void enslave(const std::string& interface, const std::string& bridge);

    std::uint32_t router_index() const { return router_index_; }
    MacAddress router_mac() const { return router_mac_; }
    MacAddress host_mac() const { return host_mac_; }
    NetlinkSocket& host_socket() { return *host_socket_; }

    static constexpr IpAddress router_ip = ipv4(192, 0, 2, 1);
    static constexpr IpAddress host_ip = ipv4(192, 0, 2, 100);

private:
    void make_link();
    int open_wire(const char* name);
    Frame next_frame(int timeout_ms);

    int router_namespace_ = -1;
    int host_namespace_ = -1;
    int wire_ = -1;
    std::uint32_t router_index_ = 0;
    std::uint32_t host_index_ = 0;
    MacAddress router_mac_{};
    MacAddress host_mac_{};
    std::optional<NetlinkSocket> host_socket_;
    std::optional<AddressProgrammer> router_addresses_;
    std::optional<AddressProgrammer> host_addresses_;
};

MacAddress source_of(const Frame& frame);
std::uint16_t type_of(const Frame& frame);

}  // namespace vigil::arp::kernel::test
