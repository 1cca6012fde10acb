#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ipvs/codec.h"
#include "ipvs/service.h"
#include "ipvs/table.h"
#include "arp/netlink/kernel_error.h"
#include "arp/netlink/request_batch.h"
#include "arp/netlink/socket.h"

namespace vigil::ipvs {

using netlink::KernelError;
using netlink::KernelResult;

/// A request that the kernel did not take. Owns what it names, so it may outlive the tables.
struct Refusal {
    OperationKind kind = OperationKind::new_service;
    ServiceKey service{};
    bool has_destination = false;
    DestinationKey destination{};
    KernelError error{};
};

/// "cannot add 10.0.0.1:80 to TCP 192.0.2.1:80: Numerical result out of range (34): ..." with what helps, where that is known.
std::string to_string(const Refusal& refusal);

struct Outcome {
    std::vector<Refusal> refusals{};
    std::size_t operation_count = 0;  ///< requests written, those of all rounds
    /// The table was not what it was taken for (an entry that was there already, or was gone, or ip_vs was loaded anew): read it again.
    bool is_stale = false;
};

struct ClientOptions {
    netlink::SocketOptions socket{.protocol = NETLINK_GENERIC};
    /// Requests per datagram; 0: as netlink::RequestBatch decides.
    std::size_t requests_per_send = 0;
};

/// IPVS of the network namespace that the calling thread was in at open(). Not thread safe. No call waits for an answer: the kernel answers within
/// send(), where it may take its time only to load a scheduler's module. Needs CAP_NET_ADMIN.
class Client {
public:
    /// ENOENT: this kernel has no IPVS and could not load it.
    static KernelResult<Client> open(const ClientOptions& options = {});

    /// Writes thousands of changes in few system calls; one that is refused holds up none of the others, but destinations of a service that
    /// could not be made are refused too.
    Outcome apply(std::span<const Operation> operations);
    /// Reads the table, writes the difference; again, three times at most, when the table changed meanwhile.
    KernelResult<Outcome> program(const Table& wanted, const DiffOptions& options = {});

    /// Deletes those of `keys` that are there, with their destinations, which need not be read for it.
    KernelResult<Outcome> remove(std::span<const ServiceKey> keys);

    /// All services. What cannot be read as a service is left out and counted.
    KernelResult<std::vector<FoundService>> services();
    /// ESRCH: there is no such service.
    KernelResult<FoundService> service(const ServiceKey& key);
    /// Newest first, as the kernel has them; none for a service that it does not have.
    KernelResult<std::vector<FoundDestination>> destinations(const ServiceKey& service);
    /// Services with their destinations.
    KernelResult<Table> table();

    KernelResult<Timeouts> timeouts();
    /// True when something was written, false when the kernel had these values; 0 leaves a value alone.
    KernelResult<bool> set_timeouts(const Timeouts& wanted);
    KernelResult<std::vector<SyncDaemon>> daemons();
    /// Stops and starts what differs; how many requests that took. ENODEV: no such interface. At the first error the rest is left undone.
    KernelResult<std::size_t> set_daemons(std::span<const SyncDaemon> wanted);
    KernelResult<Info> info();

    /// Deletes every service, foreign ones included.
    KernelResult<void> flush();
    /// Counters to 0, of one service or (nullptr) of all.
    KernelResult<void> zero(const ServiceKey* service = nullptr);

    /// Messages that were no answer this code can read, since open().
    std::size_t unreadable_count() const { return unreadable_count_; }
    /// Sends and receives since open(): what a benchmark counts.
    std::uint64_t system_call_count() const;

private:
    using Write = std::function<netlink::MessageWriter(const RequestHead&)>;

    Client(netlink::NetlinkSocket questions, netlink::NetlinkSocket changes, const ClientOptions& options);
    KernelResult<void> find_family();
    bool has_family_changed();
    /// `start_over` is called before each attempt, `on_message` for each answer.
    KernelResult<void> ask(const Write& write, const std::function<void()>& start_over, const netlink::MessageHandler& on_message);
    template <typename Value, typename Read>
    KernelResult<std::vector<Value>> ask_all(const Write& write, const Read& read);
    template <typename Value, typename Read>
    KernelResult<Value> ask_one(const Write& write, const Read& read, const char* what);
    KernelResult<void> tell(const Write& write);
    void drain();

    netlink::NetlinkSocket questions_;
    netlink::RequestBatch changes_;
    std::vector<std::uint32_t> order_;
    std::uint16_t family_ = 0;
    std::size_t unreadable_count_ = 0;
};

}  // namespace vigil::ipvs
