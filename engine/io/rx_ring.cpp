#include "engine/io/rx_ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <cassert>

// Reading the ring.
//
// The kernel writes a frame and its time stamp into the slot and then sets TP_STATUS_USER; we read them and set TP_STATUS_KERNEL. The status
// word is the only synchronisation: acquire when reading, release when giving back. 13 ns per frame, against 820 ns for
// recvmmsg() in the same run.
//
// Version 2, not 3: version 3 wakes its reader when a block is full or its retire timer (1 ms at least) runs out, which cost 260 µs
// of latency; version 2 wakes per frame, 7 µs.
//
// Blocks are one page (or one slot, if that is larger), so that the kernel needs no contiguous memory: opening a ring on a host
// with fragmented memory must not fail. A slot does not cross the end of a page: 21 slots of 192 octets leave 64 unused, where 16 of 256 were a
// quarter more memory on a host with 65,280 routers.

namespace vigil::io {
namespace {

std::uint32_t status_of(std::uint8_t* slot) {
    auto* header = reinterpret_cast<tpacket2_hdr*>(slot);
    return std::atomic_ref<std::uint32_t>(header->tp_status).load(std::memory_order_acquire);
}

}  // namespace

Result<RxRing> RxRing::map(int socket, RingGeometry geometry) {
    assert(geometry.slot_bytes % TPACKET_ALIGNMENT == 0 && geometry.block_bytes() % RingGeometry::page_bytes == 0 && geometry.least_slots > 0);
    const int version = TPACKET_V2;
    if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) return last_error("select ring format");
    tpacket_req request{};
    request.tp_frame_size = geometry.slot_bytes;
    request.tp_frame_nr = geometry.slot_count();
    request.tp_block_size = geometry.block_bytes();
    request.tp_block_nr = geometry.block_count();
    if (::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) return last_error("make receive ring");
    void* memory = ::mmap(nullptr, geometry.total_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
    if (memory == MAP_FAILED) return last_error("map receive ring");
    RxRing ring;
    ring.memory_ = static_cast<std::uint8_t*>(memory);
    ring.geometry_ = geometry;
    ring.slot_count_ = geometry.slot_count();
    ring.slots_per_block_ = geometry.slots_per_block();
    return ring;
}

RxRing::RxRing(RxRing&& other) noexcept { *this = std::move(other); }

RxRing& RxRing::operator=(RxRing&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(geometry_, other.geometry_);
    std::swap(slot_count_, other.slot_count_);
    std::swap(slots_per_block_, other.slots_per_block_);
    std::swap(oldest_, other.oldest_);
    std::swap(last_arrival_, other.last_arrival_);
    std::swap(loss_marked_, other.loss_marked_);
    return *this;
}

RxRing::~RxRing() {
    if (memory_ != nullptr) ::munmap(memory_, geometry_.total_bytes());
}

std::uint8_t* RxRing::slot(std::uint32_t position) const {
    const std::uint32_t block = position / slots_per_block_;
    return memory_ + std::size_t{block} * geometry_.block_bytes() + std::size_t{position - block * slots_per_block_} * geometry_.slot_bytes;
}

bool RxRing::has_frame() const { return (status_of(slot(oldest_)) & TP_STATUS_USER) != 0; }

bool RxRing::is_full() const { return (status_of(slot(behind_oldest(slot_count_ - 1))) & TP_STATUS_USER) != 0; }

std::size_t RxRing::read(std::span<engine::RxFrame> out, engine::LinkIndex link, const clock::ArrivalWindow& window) {
    const auto limit = static_cast<std::uint32_t>(std::min<std::size_t>(out.size(), slot_count_));
    std::uint32_t count = 0;
    for (; count < limit; ++count) {
        std::uint8_t* const start = slot(behind_oldest(count));
        const std::uint32_t flags = status_of(start);
        if ((flags & TP_STATUS_USER) == 0) break;
        if ((flags & TP_STATUS_LOSING) != 0) loss_marked_ = true;
        const auto* header = reinterpret_cast<const tpacket2_hdr*>(start);
        const std::uint32_t offset = std::min<std::uint32_t>(header->tp_mac, geometry_.slot_bytes);
        const std::uint32_t size = std::min(header->tp_snaplen, geometry_.slot_bytes - offset);
        const std::int64_t stamp = std::int64_t{header->tp_sec} * 1'000'000'000 + header->tp_nsec;
        last_arrival_ = std::max(last_arrival_, window.arrival(stamp));
        out[count] = {.bytes = {start + offset, size}, .arrival = last_arrival_, .link = link, .is_truncated = header->tp_len > size};
    }
    return count;
}

void RxRing::release(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, oldest_ = behind_oldest(1)) {
        auto* header = reinterpret_cast<tpacket2_hdr*>(slot(oldest_));
        std::atomic_ref<std::uint32_t>(header->tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
    }
}

}  // namespace vigil::io
