// A kernel that cannot mark packets (before Linux 5.12, or without nftables for IP) is asked first: then each address is served by itself, as without
// nftables_ipvs, so that the virtual servers work. What fails later is tried again, because the services are those of marks by then.

#include "engine/daemon/ipvs_marks.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "engine/daemon/ipvs_programmer.h"

namespace vigil::daemon {
namespace {

constexpr unsigned retry_ticks = 5;

}  // namespace

MarkBook* IpvsMarks::configure(const config::LvsDefinitions& settings) {
    shape_ = {std::string(settings.nftables.table), settings.nftables.priority};
    if (!settings.nftables.is_used) {
        clear();
        book_ = {};
        return nullptr;
    }
    if (is_used_) return &book_;
    const auto made = in_ipvs_namespace(settings, [&]() -> netlink::KernelResult<void> {
        auto table = arp::kernel::MarkTable::open();
        if (!table) return tl::unexpected(table.error());
        auto set = table->set(shape_, {});
        if (set) table_.emplace(std::move(*table));
        return set;
    });
    if (!made) {
        spdlog::warn("nftables_ipvs: cannot make the nftables table {} (it needs Linux 5.12 and CAP_NET_ADMIN): {}. Each address of a group is a service of its own",
                     shape_.table, netlink::to_string(made.error()));
        return nullptr;
    }
    is_used_ = true;
    return &book_;
}

void IpvsMarks::set(arp::kernel::MarkedPlaces places) {
    if (!is_used_) return;
    places_ = std::move(places);
    write();
}

void IpvsMarks::write() {
    const auto written = table_->set(shape_, places_);
    std::string trouble = written ? std::string() : fmt::format("nftables_ipvs: cannot mark packets: {}. Trying again", netlink::to_string(written.error()));
    if (trouble != trouble_) spdlog::log(written ? spdlog::level::info : spdlog::level::err, written ? "nftables_ipvs: packets are marked now" : trouble);
    trouble_ = std::move(trouble);
    if (written && table_->table() != shape_.table) {
        spdlog::warn("The nftables table inet {} is somebody else's: ours is {}. Give each vigild of this network namespace a name of its own with 'nftables_ipvs NAME'",
                     shape_.table, table_->table());
    }
}

void IpvsMarks::tick() {
    if (!trouble_.empty() && ++ticks_ % retry_ticks == 0) write();
}

void IpvsMarks::clear() {
    if (!std::exchange(is_used_, false)) return;
    if (const auto cleared = table_->clear(); !cleared) spdlog::error("nftables_ipvs: cannot remove the nftables table: {}", netlink::to_string(cleared.error()));
    table_.reset();
    places_.clear();
    trouble_.clear();
}

}  // namespace vigil::daemon
