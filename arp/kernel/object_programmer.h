#pragma once

#include <functional>
#include <span>
#include <vector>

#include "arp/kernel/address_programmer.h"
#include "arp/kernel/netlink.h"
#include "arp/kernel/route_codec.h"

namespace vigil::arp::kernel {

/// Puts routes, rules and other things that are one request each into the kernel and takes them out. Remembers none. Control thread only.
class ObjectProgrammer {
public:
    static KernelResult<ObjectProgrammer> open(const ProgrammerOptions& options = {});

    /// Sends the requests in their order; the verdict at index i belongs to the request at index i, error_number 0 is success.
    std::vector<KernelError> apply(std::span<const EncodedRequest> requests, const std::function<void()>& between_sends = {});
    /// As which notifications name us.
    std::uint32_t port_id() const { return batch_.port_id(); }

private:
    explicit ObjectProgrammer(NetlinkSocket socket, std::size_t requests_per_send);

    RequestBatch batch_;
};

/// The objects that carry our mark: requests that delete them, rules before routes.
struct MarkedObjects {
    std::vector<EncodedRequest> removals{};
    std::size_t rules = 0;
    std::size_t routes = 0;
};
KernelResult<MarkedObjects> find_marked_objects(NetlinkSocket& socket);

/// An address as one request.
EncodedRequest write_new_address(const AddressSpec& spec);
EncodedRequest write_delete_address(const AddressKey& key);

/// The table of a VRF device; nullopt when the device is none, or not there.
std::optional<std::uint32_t> find_vrf_table(NetlinkSocket& socket, std::string_view name);

}  // namespace vigil::arp::kernel
