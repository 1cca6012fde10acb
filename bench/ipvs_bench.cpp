// What a large load balancer costs before the kernel sees it: 37,205 destinations in 2,277 services.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ipvs/codec.h"
#include "ipvs/table.h"
#include "arp/netlink/socket.h"

namespace {

using namespace vigil;
using namespace vigil::ipvs;

constexpr std::uint32_t service_count = 2'277, destination_count = 37'205;

IpAddress numbered(std::uint8_t net, std::uint32_t number) {
    return ipv4(net, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

Table large_table() {
    Table table(service_count);
    for (std::uint32_t i = 0; i < service_count; ++i) table[i].service.key = address_service(Protocol::tcp, numbered(10, i), 80);
    for (std::uint32_t i = 0; i < destination_count; ++i) table[i % service_count].destinations.push_back({.key = {numbered(11, i), 80}});
    return table;
}

/// As the kernel gives it back: other order of services, newest destinations first.
Table as_found(Table table) {
    std::ranges::reverse(table);
    for (ServiceEntry& entry : table) std::ranges::reverse(entry.destinations);
    return table;
}

void ipvs_destinations_encoded(benchmark::State& state) {
    const Table table = large_table();
    netlink::RequestRoom room{};
    std::size_t octets = 0;
    for (auto _ : state) {
        for (const ServiceEntry& entry : table) {
            for (const Destination& destination : entry.destinations) {
                octets += write_new_destination({room.bytes, 28, 1}, entry.service.key, destination).bytes().size();
            }
        }
    }
    state.SetItemsProcessed(state.iterations() * destination_count);
    state.SetBytesProcessed(static_cast<std::int64_t>(octets));
}
BENCHMARK(ipvs_destinations_encoded)->Unit(benchmark::kMillisecond);

void ipvs_destinations_read(benchmark::State& state) {
    const Table table = large_table();
    std::vector<std::byte> dump;
    netlink::RequestRoom room{};
    for (const ServiceEntry& entry : table) {
        for (const Destination& destination : entry.destinations) {
            const auto message = write_new_destination({room.bytes, 28, 1}, entry.service.key, destination).bytes();
            dump.insert(dump.end(), message.begin(), message.end());
        }
    }
    for (auto _ : state) {
        std::uint32_t count = 0;
        netlink::for_each_message(dump, [&](const nlmsghdr& message) { count += read_destination(message, Family::ipv4) ? 1u : 0u; });
        if (count != destination_count) return state.SkipWithError("unread destinations");
    }
    state.SetItemsProcessed(state.iterations() * destination_count);
}
BENCHMARK(ipvs_destinations_read)->Unit(benchmark::kMillisecond);

/// Argument: what differs. 0: nothing (a restart), 1: everything is new (a first start), 2: every weight (a reload).
void ipvs_tables_compared(benchmark::State& state) {
    const Table wanted = large_table();
    Table found = state.range(0) == 1 ? Table{} : as_found(wanted);
    if (state.range(0) == 2) {
        for (ServiceEntry& entry : found) {
            for (Destination& destination : entry.destinations) destination.weight = 7;
        }
    }
    for (auto _ : state) benchmark::DoNotOptimize(compare_tables(wanted, found).operations.size());
    state.SetItemsProcessed(state.iterations() * destination_count);
}
BENCHMARK(ipvs_tables_compared)->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
